# You should see: what rtp-send-with-sound.sh sends, and hear it, until Ctrl-C. SINK and SPEAKER say where picture and sound go. Both sessions are in one rtpbin, whose jitter buffers put picture and sound in step by the sender's reports.
export GST_PLUGIN_PATH="$PWD/.build-plugin/release"
PORT=${PORT:-5600}
VIDEO="application/x-rtp,media=video,clock-rate=90000,encoding-name=X-DEEPFGS,payload=96,extmap-1=(string)http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"
AUDIO="application/x-rtp,media=audio,clock-rate=48000,encoding-name=OPUS,payload=96"
gst-launch-1.0 rtpbin name=rtp rtp-profile=avpf latency=200 rtpsession0::bandwidth=4000000 \
    udpsrc port=$PORT buffer-size=4000000 caps="$VIDEO" ! rtp.recv_rtp_sink_0 \
    udpsrc port=$((PORT + 1)) ! rtp.recv_rtcp_sink_0 \
    rtp.send_rtcp_src_0 ! udpsink host=${HOST:-127.0.0.1} port=$((PORT + 5)) sync=false async=false \
    udpsrc port=$((PORT + 2)) caps="$AUDIO" ! rtp.recv_rtp_sink_1 \
    udpsrc port=$((PORT + 3)) ! rtp.recv_rtcp_sink_1 \
    rtp.send_rtcp_src_1 ! udpsink host=${HOST:-127.0.0.1} port=$((PORT + 7)) sync=false async=false \
    rtp. ! rtpdeepfgsdepay ! deepfgsdec ! videoconvert ! ${SINK:-autovideosink} \
    rtp. ! rtpopusdepay ! opusdec ! audioconvert ! audioresample ! ${SPEAKER:-autoaudiosink}
