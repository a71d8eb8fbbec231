# You should see: out/cuts.png, one photograph four times: from left to right 0.1, 0.2, 0.4 bits for each pixel, and whole.
export GST_PLUGIN_PATH="$PWD/.build-plugin/release"
mkdir -p out
part="queue ! videocrop left=360 right=600 top=120 bottom=120"
gst-launch-1.0 -q filesrc location=${PHOTOGRAPH:-demo/photographs/perched-osprey.jpg} ! jpegdec ! videoconvert ! tee name=t \
    t. ! $part ! deepfgsenc max-bpp=0.1 ! deepfgsdec ! mix.sink_0 \
    t. ! $part ! deepfgsenc max-bpp=0.2 ! deepfgsdec ! mix.sink_1 \
    t. ! $part ! deepfgsenc max-bpp=0.4 ! deepfgsdec ! mix.sink_2 \
    t. ! $part ! deepfgsenc ! deepfgsdec ! mix.sink_3 \
    compositor name=mix sink_1::xpos=324 sink_2::xpos=648 sink_3::xpos=972 ! videoconvert ! pngenc ! filesink location=out/cuts.png
ls -l out/cuts.png
