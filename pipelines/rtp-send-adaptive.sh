# You should see: the estimate of what the path carries (estimated-bitrate = …), in bit/s, as it moves. A moving test picture (or SOURCE) goes to HOST, port 5600, each frame cut to what the path carries right now: transport-wide feedback tells. Start the receiver first.
export GST_PLUGIN_PATH="$PWD/.build-plugin/release"
PORT=${PORT:-5600}
TWCC="http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"
gst-launch-1.0 -v rtpbin name=rtp rtp-profile=avpf \
    ${SOURCE:-videotestsrc is-live=true pattern=smpte horizontal-speed=4 ! video/x-raw,width=640,height=360,framerate=15/1} ! videoconvert \
    ! deepfgsenc ! rtpdeepfgspay ! "application/x-rtp,extmap-1=(string)$TWCC" \
    ! deepfgsadapt mode=auto min-bitrate=${MIN:-50000} max-bitrate=${MAX:-4000000} \
    ! rtp.send_rtp_sink_0  rtp.send_rtp_src_0 ! udpsink host=${HOST:-127.0.0.1} port=$PORT sync=false async=false \
    rtp.send_rtcp_src_0 ! udpsink host=${HOST:-127.0.0.1} port=$((PORT + 1)) sync=false async=false \
    udpsrc port=$((PORT + 5)) ! rtp.recv_rtcp_sink_0 | grep --line-buffered estimated-bitrate
