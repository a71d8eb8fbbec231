# You should see: nothing here; the frames of out/photographs.dfgs (made by photographs-to-file.sh), cut to BITRATE bit/s, at HOST, port 5600. No encoder runs.
export GST_PLUGIN_PATH="$PWD/.build-plugin/release"
PORT=${PORT:-5600}
gst-launch-1.0 rtpbin name=rtp \
    filesrc location="${FILE:-out/photographs.dfgs}" ! deepfgsparse framerate=${FRAMERATE:-2/1} ! identity sync=true \
    ! rtpdeepfgspay ! deepfgsadapt target-bitrate=${BITRATE:-500000} \
    ! rtp.send_rtp_sink_0  rtp.send_rtp_src_0 ! udpsink host=${HOST:-127.0.0.1} port=$PORT sync=false async=false \
    rtp.send_rtcp_src_0 ! udpsink host=${HOST:-127.0.0.1} port=$((PORT + 1)) sync=false async=false
