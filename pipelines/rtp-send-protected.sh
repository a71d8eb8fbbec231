# You should see: nothing here; as rtp-send-test-picture.sh, with repair packets behind each base, PROTECTION percent of its packets. LOSS (0.1 is 10 %) drops packets on the way: rtp-receive-to-files.sh shows no frame missing.
export GST_PLUGIN_PATH="$PWD/.build-plugin/release"
PORT=${PORT:-5600}
gst-launch-1.0 rtpbin name=rtp \
    ${SOURCE:-videotestsrc is-live=true pattern=ball ! video/x-raw,width=640,height=360,framerate=10/1} ! videoconvert \
    ! deepfgsenc ! rtpdeepfgspay base-protection=${PROTECTION:-200} ! deepfgsadapt target-bitrate=${BITRATE:-1000000} \
    ! rtp.send_rtp_sink_0  rtp.send_rtp_src_0 ! identity drop-probability=${LOSS:-0} \
    ! udpsink host=${HOST:-127.0.0.1} port=$PORT sync=false async=false \
    rtp.send_rtcp_src_0 ! udpsink host=${HOST:-127.0.0.1} port=$((PORT + 1)) sync=false async=false \
    udpsrc port=$((PORT + 5)) ! rtp.recv_rtcp_sink_0
