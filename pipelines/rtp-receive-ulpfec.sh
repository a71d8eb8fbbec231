# You should see: what rtp-receive-to-files.sh shows, of what rtp-send-ulpfec.sh sends.
export GST_PLUGIN_PATH="$PWD/.build-plugin/release"
mkdir -p out
PORT=${PORT:-5600}
CAPS="application/x-rtp,media=video,clock-rate=90000,encoding-name=X-DEEPFGS"
# rtpulpfecdec finds rtpstorage by itself in this arrangement. With fec-decoders of rtpbin 1.22 no decoder came into being: parity packets
# were then taken for a picture of another payload type, and nothing was mended.
# Every picture becomes a file, however late: qos=false.
gst-launch-1.0 udpsrc port=$PORT buffer-size=4000000 caps="$CAPS" \
    ! rtpstorage size-time=500000000 ! rtpssrcdemux ! "$CAPS" ! rtpjitterbuffer latency=200 do-lost=true \
    ! rtpulpfecdec pt=122 ! rtpdeepfgsdepay ! tee name=frames \
    frames. ! queue ! filesink location=out/received.dfgs buffer-mode=unbuffered async=false sync=false \
    frames. ! queue ! deepfgsdec on-loss=repeat qos=false ! videoconvert ! pngenc compression-level=1 \
    ! multifilesink location=out/received-%05d.png async=false sync=false
