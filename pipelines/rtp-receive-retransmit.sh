# You should see: what rtp-receive-to-files.sh shows; lost packets are asked for again, as long as they can come within the latency of 200 ms.
export GST_PLUGIN_PATH="$PWD/.build-plugin/release"
mkdir -p out
PORT=${PORT:-5600}
CAPS="application/x-rtp,media=video,clock-rate=90000,encoding-name=X-DEEPFGS"
# rtpbin takes rtprtxreceive from an application only: here its parts are put together by hand, for one sender. Repeated packets have a
# stream of their own (another SSRC, payload type 97), which rtprtxreceive puts back before the jitter buffer. Requests go out at once only
# where RTCP may use enough bytes a second; and the next packet is not asked for before it is late, as a paced one mostly is.
# Every picture becomes a file, however late: qos=false.
gst-launch-1.0 rtpsession name=rtp rtp-profile=avpf rtcp-fraction=50000 \
    udpsrc port=$PORT buffer-size=4000000 caps="$CAPS" ! rtp.recv_rtp_sink \
    udpsrc port=$((PORT + 1)) ! rtp.recv_rtcp_sink \
    rtp.send_rtcp_src ! udpsink host=${HOST:-127.0.0.1} port=$((PORT + 5)) sync=false async=false \
    rtp.recv_rtp_src ! rtprtxreceive payload-type-map="application/x-rtp-pt-map,96=(uint)97" \
    ! rtpssrcdemux ! "$CAPS" ! rtpjitterbuffer latency=200 do-retransmission=true rtx-next-seqnum=false \
    do-lost=true ! rtpdeepfgsdepay ! tee name=frames \
    frames. ! queue ! filesink location=out/received.dfgs buffer-mode=unbuffered async=false sync=false \
    frames. ! queue ! deepfgsdec on-loss=repeat qos=false ! videoconvert ! pngenc compression-level=1 \
    ! multifilesink location=out/received-%05d.png async=false sync=false
