# You should see: out/recording.mkv, ten seconds of picture and sound in Matroska; play-with-sound.sh plays it.
export GST_PLUGIN_PATH="$PWD/.build-plugin/release"
mkdir -p out
# matroskamux takes kinds of pictures that it knows, and WMV with any four letters: in the file the frames are V_MS/VFW/FOURCC, DFGS. It
# wants the size and rate in the caps; capssetter puts them there, and the queue links what would not link directly.
WIDTH=${WIDTH:-640} HEIGHT=${HEIGHT:-360} FRAMERATE=${FRAMERATE:-15/1}
gst-launch-1.0 -e matroskamux name=mux ! filesink location=out/recording.mkv \
    ${SOURCE:-videotestsrc is-live=true num-buffers=150 pattern=ball} \
    ! video/x-raw,width=$WIDTH,height=$HEIGHT,framerate=$FRAMERATE ! videoconvert ! deepfgsenc max-bpp=0.5 \
    ! capssetter replace=true join=false caps="video/x-wmv,wmvversion=(int)3,format=(string)DFGS,width=$WIDTH,height=$HEIGHT,framerate=$FRAMERATE" \
    ! queue ! mux.video_0 \
    ${SOUND:-audiotestsrc is-live=true num-buffers=500 samplesperbuffer=960} ! audioconvert ! audioresample ! audio/x-raw,rate=48000 \
    ! opusenc ! queue ! mux.audio_0
ls -l out/recording.mkv
