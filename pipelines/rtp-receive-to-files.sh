# You should see: what arrives by RTP on UDP port 5600 as out/received-00000.png and so on, and the same as it came in out/received.dfgs, until Ctrl-C. The sender may stop and start again.
export GST_PLUGIN_PATH="$PWD/.build-plugin/release"
mkdir -p out
PORT=${PORT:-5600}
CAPS="application/x-rtp,media=video,clock-rate=90000,encoding-name=X-DEEPFGS,payload=96,extmap-1=(string)http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"
# The sender's RTCP comes to PORT+1; ours goes to the sender's PORT+5. Of the session's bandwidth feedback may take 5 %: less, and it comes in bunches.
# Session and jitter buffer are put together by hand: rtpbin has a new pad for each sender, also for one that starts anew, and what gst-launch has
# not linked ends the pipeline (not-linked). An application links it instead. This receiver is for one sender at a time.
# Every picture becomes a file, however late: qos=false.
gst-launch-1.0 rtpsession name=rtp rtp-profile=avpf bandwidth=4000000 \
    udpsrc port=$PORT buffer-size=4000000 caps="$CAPS" ! rtp.recv_rtp_sink \
    udpsrc port=$((PORT + 1)) ! rtp.recv_rtcp_sink \
    rtp.send_rtcp_src ! udpsink host=${HOST:-127.0.0.1} port=$((PORT + 5)) sync=false async=false \
    rtp.recv_rtp_src ! rtpjitterbuffer latency=200 do-lost=true ! rtpdeepfgsdepay ! tee name=frames \
    frames. ! queue ! filesink location=out/received.dfgs buffer-mode=unbuffered async=false sync=false \
    frames. ! queue ! deepfgsdec on-loss=repeat qos=false ! videoconvert ! pngenc compression-level=1 \
    ! multifilesink location=out/received-%05d.png async=false sync=false
