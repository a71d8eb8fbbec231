# You should see: a window that plays out/test.dfgs (made by test-picture-to-file.sh), or the file that FILE names.
export GST_PLUGIN_PATH="$PWD/.build-plugin/release"
gst-launch-1.0 filesrc location="${FILE:-out/test.dfgs}" ! deepfgsparse ! deepfgsdec \
    ! videoconvert ! queue max-size-buffers=3 ! ${SINK:-autovideosink}
