# You should see: what arrives by RTP on UDP port 5600 as out/received-00000.png and so on, and the same as it came in out/received.dfgs, until Ctrl-C.
export GST_PLUGIN_PATH="$PWD/.build-plugin/release"
mkdir -p out
PORT=${PORT:-5600}
CAPS="application/x-rtp,media=video,clock-rate=90000,encoding-name=X-DEEPFGS,payload=96,extmap-1=(string)http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"
# The sender's RTCP comes to PORT+1; ours goes to the sender's PORT+5. Of the session's bandwidth feedback may take 5 %: less, and it comes in bunches.
# Every picture becomes a file, however late: qos=false.
gst-launch-1.0 rtpbin name=rtp rtp-profile=avpf latency=200 rtpsession0::bandwidth=4000000 \
    udpsrc port=$PORT buffer-size=4000000 caps="$CAPS" ! rtp.recv_rtp_sink_0 \
    udpsrc port=$((PORT + 1)) ! rtp.recv_rtcp_sink_0 \
    rtp.send_rtcp_src_0 ! udpsink host=${HOST:-127.0.0.1} port=$((PORT + 5)) sync=false async=false \
    rtp. ! rtpdeepfgsdepay ! tee name=frames \
    frames. ! queue ! filesink location=out/received.dfgs buffer-mode=unbuffered async=false sync=false \
    frames. ! queue ! deepfgsdec on-loss=repeat qos=false ! videoconvert ! pngenc compression-level=1 \
    ! multifilesink location=out/received-%05d.png async=false sync=false
