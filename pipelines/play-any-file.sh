# You should see: a window that plays out/test.dfgs: GStreamer finds out by itself what the file is and how to decode it.
export GST_PLUGIN_PATH="$PWD/.build-plugin/release"
gst-launch-1.0 filesrc location="${FILE:-out/test.dfgs}" ! decodebin ! videoconvert ! ${SINK:-autovideosink}
