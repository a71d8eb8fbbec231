# You should see: out/test.dfgs, about a hundred kilobytes: four seconds of a moving test picture, 640 by 360 pixels.
export GST_PLUGIN_PATH="$PWD/.build-plugin/release"
mkdir -p out
gst-launch-1.0 videotestsrc pattern=ball num-buffers=${FRAMES:-100} \
    ! video/x-raw,width=640,height=360,framerate=25/1 ! videoconvert \
    ! deepfgsenc ! filesink location=out/test.dfgs
ls -l out/test.dfgs
