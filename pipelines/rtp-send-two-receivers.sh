# You should see: nothing here; one encode at HOST, port 5600, and at HOST2, port 5610, each with its own session, its own estimate of its path and its own cut.
export GST_PLUGIN_PATH="$PWD/.build-plugin/release"
PORT=${PORT:-5600}
PORT2=${PORT2:-5610}
EXTENSIONS="application/x-rtp,extmap-1=(string)http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"
gst-launch-1.0 rtpbin name=rtp rtp-profile=avpf \
    ${SOURCE:-videotestsrc is-live=true pattern=smpte horizontal-speed=4 ! video/x-raw,width=640,height=360,framerate=15/1} ! videoconvert \
    ! deepfgsenc ! rtpdeepfgspay ! "$EXTENSIONS" ! tee name=packets \
    packets. ! queue ! deepfgsadapt mode=auto max-bitrate=${MAX:-4000000} ! rtp.send_rtp_sink_0 \
    rtp.send_rtp_src_0 ! udpsink host=${HOST:-127.0.0.1} port=$PORT sync=false async=false \
    rtp.send_rtcp_src_0 ! udpsink host=${HOST:-127.0.0.1} port=$((PORT + 1)) sync=false async=false \
    udpsrc port=$((PORT + 5)) ! rtp.recv_rtcp_sink_0 \
    packets. ! queue ! deepfgsadapt mode=auto max-bitrate=${MAX2:-4000000} ! rtp.send_rtp_sink_1 \
    rtp.send_rtp_src_1 ! udpsink host=${HOST2:-127.0.0.1} port=$PORT2 sync=false async=false \
    rtp.send_rtcp_src_1 ! udpsink host=${HOST2:-127.0.0.1} port=$((PORT2 + 1)) sync=false async=false \
    udpsrc port=$((PORT2 + 5)) ! rtp.recv_rtcp_sink_1
