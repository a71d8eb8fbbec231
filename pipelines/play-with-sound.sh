# You should see: what record-with-sound.sh recorded, and hear it. SINK and SPEAKER say where picture and sound go.
export GST_PLUGIN_PATH="$PWD/.build-plugin/release"
gst-launch-1.0 filesrc location=${FILE:-out/recording.mkv} ! matroskademux name=file \
    file. ! video/x-unknown ! queue ! deepfgsparse ! deepfgsdec ! videoconvert ! ${SINK:-autovideosink} \
    file. ! audio/x-opus ! queue ! opusdec ! audioconvert ! audioresample ! ${SPEAKER:-autoaudiosink}
