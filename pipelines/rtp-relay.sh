# You should see: nothing here; the stream that comes in on UDP port 5700 goes on to port 5600 cut to BITRATE bit/s. No model, no decoder: only packet headers are read.
export GST_PLUGIN_PATH="$PWD/.build-plugin/release"
CAPS="application/x-rtp,media=video,clock-rate=90000,encoding-name=X-DEEPFGS,payload=96"
gst-launch-1.0 udpsrc port=${FROM:-5700} buffer-size=4000000 caps="$CAPS" ! rtpjitterbuffer latency=50 \
    ! deepfgsadapt target-bitrate=${BITRATE:-300000} ! udpsink host=${HOST:-127.0.0.1} port=${PORT:-5600} sync=false async=false
