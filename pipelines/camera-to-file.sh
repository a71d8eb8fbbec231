# You should see: out/camera.dfgs grow until you press Ctrl-C: what the camera sees, at most half a bit for each pixel.
export GST_PLUGIN_PATH="$PWD/.build-plugin/release"
mkdir -p out
# Frames that the encoder has no time for are left out by the queue, which drops the oldest.
gst-launch-1.0 -e ${SOURCE:-v4l2src} ! videoconvert ! queue max-size-buffers=2 leaky=downstream \
    ! deepfgsenc max-bpp=0.5 ! filesink location=out/camera.dfgs
ls -l out/camera.dfgs
