/* Encodes a picture, cuts the frame, decodes what is left:
 *
 *     cc roundtrip.c -o roundtrip $(pkg-config --cflags --libs deepfgs)
 *     ./roundtrip photo.ppm small.ppm 20000
 *
 * reads a PPM picture (8 bits), keeps at most 20000 bytes of its frame, and writes the picture that they hold. */
#include <deepfgs.h>
#include <stdio.h>
#include <stdlib.h>

/* Reads a binary PPM without comments; NULL where it is none. */
static uint8_t *read_ppm(const char *path, uint32_t *width, uint32_t *height)
{
    FILE *file = fopen(path, "rb");
    uint8_t *pixels = NULL;
    if (file && fscanf(file, "P6 %u %u 255", width, height) == 2 && fgetc(file) != EOF && *width <= 65535 &&
        *height <= 65535) {
        size_t size = (size_t)3 * *width * *height;
        pixels = malloc(size);
        if (pixels && fread(pixels, 1, size, file) != size) {
            free(pixels);
            pixels = NULL;
        }
    }
    if (file)
        fclose(file);
    return pixels;
}

static int write_ppm(const char *path, const uint8_t *pixels, uint32_t width, uint32_t height)
{
    FILE *file = fopen(path, "wb");
    if (!file)
        return -1;
    size_t size = (size_t)3 * width * height;
    int sound = fprintf(file, "P6\n%u %u\n255\n", width, height) > 0 && fwrite(pixels, 1, size, file) == size;
    return fclose(file) == 0 && sound ? 0 : -1;
}

int main(int argc, char **argv)
{
    if (argc != 4) {
        fprintf(stderr, "usage: roundtrip PICTURE.ppm RESULT.ppm BYTES\n");
        return 64;
    }
    uint32_t width, height;
    uint8_t *pixels = read_ppm(argv[1], &width, &height);
    if (!pixels) {
        fprintf(stderr, "%s: not a PPM picture of 8 bits\n", argv[1]);
        return 65;
    }

    dfgs_model *model = NULL;
    dfgs_encoder *encoder = NULL;
    dfgs_decoder *decoder = NULL;
    dfgs_error error;
    dfgs_frame_info info;
    dfgs_decoded decoded;
    const uint8_t *frame;
    size_t size, keep, pixels_size = (size_t)3 * width * height;
    int status = 1;

    /* The default model; packed RGB; as many threads as there are processors; the model's own quantiser. */
    if (dfgs_model_open(NULL, &model, &error) || dfgs_encoder_open(model, width, height, NULL, &encoder, &error) ||
        dfgs_encoder_encode(encoder, pixels, pixels_size, NULL, NULL, &frame, &size, &error))
        goto done;

    /* A shorter frame is the first bytes of a longer one: there is nothing to copy. */
    if (dfgs_inspect(frame, size, &info, &error) ||
        dfgs_truncate(frame, size, strtoul(argv[3], NULL, 10), &keep, &error))
        goto done;
    printf("%u x %u pixels, model %s: %zu bytes, of which the base has %zu; kept: %zu\n", info.width, info.height,
           info.model, info.frame_end, info.base_end, keep);

    /* Without a model: the decoder looks for the one that the frame names. */
    if (dfgs_decoder_open(NULL, NULL, 0, &decoder, &error) ||
        dfgs_decoder_decode(decoder, frame, keep, pixels, pixels_size, NULL, &decoded, &error))
        goto done;
    status = write_ppm(argv[2], pixels, width, height) == 0 ? 0 : 73;
    if (status)
        fprintf(stderr, "%s: cannot be written\n", argv[2]);

done:
    if (status == 1)
        fprintf(stderr, "%s\n", error.message);
    dfgs_decoder_close(decoder);
    dfgs_encoder_close(encoder);
    dfgs_model_close(model);
    free(pixels);
    return status;
}
