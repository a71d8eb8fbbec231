# You should see: out/photographs.dfgs, one file with all photographs of demo/photographs, each at 0.3 bits for each pixel.
export GST_PLUGIN_PATH="$PWD/.build-plugin/release"
mkdir -p out/photographs
for photograph in ${PHOTOGRAPHS:-demo/photographs/*.jpg}; do
    gst-launch-1.0 -q filesrc location="$photograph" ! jpegdec ! videoconvert \
        ! deepfgsenc max-bpp=0.3 ! filesink location="out/photographs/$(basename "$photograph" .jpg).dfgs"
done
# Files of frames need no container: put one behind the other, they are a longer file.
cat out/photographs/*.dfgs > out/photographs.dfgs
ls -l out/photographs.dfgs
