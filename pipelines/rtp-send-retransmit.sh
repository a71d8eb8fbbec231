# You should see: nothing here; as rtp-send-test-picture.sh, with lost packets sent again (RFC 4588) when rtp-receive-retransmit.sh asks. LOSS (0.1 is 10 %) drops packets on the way. Worth it where a round trip is much shorter than the receiver's latency.
export GST_PLUGIN_PATH="$PWD/.build-plugin/release"
PORT=${PORT:-5600}
# Retransmission belongs behind the cut: it works on the numbers that are sent. The default of 100 packets is less than some frames.
gst-launch-1.0 rtpbin name=rtp rtp-profile=avpf \
    ${SOURCE:-videotestsrc is-live=true pattern=ball ! video/x-raw,width=640,height=360,framerate=10/1} ! videoconvert \
    ! deepfgsenc ! rtpdeepfgspay ! deepfgsadapt target-bitrate=${BITRATE:-500000} \
    ! rtprtxsend payload-type-map="application/x-rtp-pt-map,96=(uint)97" max-size-time=1000 max-size-packets=0 \
    ! rtp.send_rtp_sink_0  rtp.send_rtp_src_0 ! identity drop-probability=${LOSS:-0} \
    ! udpsink host=${HOST:-127.0.0.1} port=$PORT sync=false async=false \
    rtp.send_rtcp_src_0 ! udpsink host=${HOST:-127.0.0.1} port=$((PORT + 1)) sync=false async=false \
    udpsrc port=$((PORT + 5)) ! rtp.recv_rtcp_sink_0
