# You should see: nothing here; picture and sound at HOST, ports 5600 and 5602, in one RTP session each of one rtpbin, until Ctrl-C. The picture follows the path; receivers play both in step.
export GST_PLUGIN_PATH="$PWD/.build-plugin/release"
PORT=${PORT:-5600}
TWCC="http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"
gst-launch-1.0 rtpbin name=rtp rtp-profile=avpf \
    ${SOURCE:-videotestsrc is-live=true pattern=smpte horizontal-speed=4 ! video/x-raw,width=640,height=360,framerate=15/1} ! videoconvert \
    ! deepfgsenc ! rtpdeepfgspay ! "application/x-rtp,extmap-1=(string)$TWCC" ! deepfgsadapt mode=auto max-bitrate=${MAX:-4000000} \
    ! rtp.send_rtp_sink_0  rtp.send_rtp_src_0 ! udpsink host=${HOST:-127.0.0.1} port=$PORT sync=false async=false \
    rtp.send_rtcp_src_0 ! udpsink host=${HOST:-127.0.0.1} port=$((PORT + 1)) sync=false async=false \
    udpsrc port=$((PORT + 5)) ! rtp.recv_rtcp_sink_0 \
    ${SOUND:-audiotestsrc is-live=true samplesperbuffer=960} ! audioconvert ! audioresample ! audio/x-raw,rate=48000 ! opusenc ! rtpopuspay \
    ! rtp.send_rtp_sink_1  rtp.send_rtp_src_1 ! udpsink host=${HOST:-127.0.0.1} port=$((PORT + 2)) sync=false async=false \
    rtp.send_rtcp_src_1 ! udpsink host=${HOST:-127.0.0.1} port=$((PORT + 3)) sync=false async=false \
    udpsrc port=$((PORT + 7)) ! rtp.recv_rtcp_sink_1
