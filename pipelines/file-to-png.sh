# You should see: the frames of out/photographs.dfgs (made by photographs-to-file.sh) as out/frame-00000.png and so on.
export GST_PLUGIN_PATH="$PWD/.build-plugin/release"
gst-launch-1.0 filesrc location="${FILE:-out/photographs.dfgs}" ! deepfgsparse ! deepfgsdec \
    ! pngenc ! multifilesink location=out/frame-%05d.png
ls out/frame-*.png
