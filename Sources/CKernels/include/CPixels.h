// Rows of samples between a picture in memory and the networks' activations: exact on every processor, like the passes
// of CPasses.h.
//
// A strip is four rows of a picture as twelve rows of samples of 8 bits, `stride` bytes apart: row 4c + dy is component c
// (red, green, blue) of row dy.
#ifndef DEEPFGS_CPIXELS_H
#define DEEPFGS_CPIXELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Every `step`th byte, `count` of them; then the last one again up to `padded`.
void deepfgs_gather(const uint8_t *from, int32_t step, int32_t count, int32_t padded, uint8_t *to);

// The reverse: bytes between the samples stay as they are.
void deepfgs_scatter(const uint8_t *from, int32_t count, int32_t step, uint8_t *to);

// Pixels of 3 or 4 bytes (`step`) of as many rows of bytes.
void deepfgs_interleave(const uint8_t *first, const uint8_t *second, const uint8_t *third, const uint8_t *fourth,
                        int32_t count, int32_t step, uint8_t *to);

// A strip of `4 * groups` columns as activations `[groups][48]` of `size` bytes: `max(s - 128, -127)`, raised by 128
// where they are bytes. Sample (c, dy, 4x + dx) is channel 16c + 4dy + dx of x.
void deepfgs_unshuffle(const uint8_t *strip, ptrdiff_t stride, int32_t groups, int32_t size, void *output);

// The same with `values[s]` for each sample, numbers of 2 or 4 bytes.
void deepfgs_unshuffle_values(const uint8_t *strip, ptrdiff_t stride, int32_t groups, const void *values, int32_t size,
                              void *output);

// The reverse: samples 0 to 255 in numbers of `size` bytes, 1 or 2, become a strip.
void deepfgs_shuffle(const void *input, int32_t size, int32_t groups, uint8_t *strip, ptrdiff_t stride);

// The same of floats: `rint(255 clamp(v + 0.5, 0, 1))`, 0 for what is no number.
void deepfgs_shuffle_floats(const float *input, int32_t groups, uint8_t *strip, ptrdiff_t stride);

// Factors between R'G'B' and Y'CbCr, in units of 2^-20.
typedef struct {
    // Y' of R', G' and B'; Cb and Cr likewise.
    int32_t luma[3], blue[3], red[3];
    // What Y' is raised by: 16, or 0.
    int32_t black;
    // R', G' and B' of Y'; R' of Cr, G' of Cb, G' of Cr and B' of Cb.
    int32_t scale, red_of_cr, green_of_cb, green_of_cr, blue_of_cb;
} DeepFGSMatrix;

// A row of chroma at every column, 16 (c - 128): three parts of the row `near` and one of `far`; across, by the same
// weights between the two nearest samples, or, where they are cosited with the even columns, those and their averages.
// `work` has room for `count + 2` numbers, `to` for `2 count`.
void deepfgs_upsample(const uint8_t *near, const uint8_t *far, int32_t count, bool cosited, int16_t *work, int16_t *to);

// R'G'B' of a row of Y' and upsampled chroma.
void deepfgs_rgb_of_yuv(const uint8_t *luma, const int16_t *blue, const int16_t *red, int32_t count,
                        const DeepFGSMatrix *matrix, uint8_t *r, uint8_t *g, uint8_t *b);

// Y' of a row of R'G'B'.
void deepfgs_luma_of_rgb(const uint8_t *r, const uint8_t *g, const uint8_t *b, int32_t count,
                         const DeepFGSMatrix *matrix, uint8_t *luma);

// A component summed over two rows and, across, over two columns (1 1) or three around the even ones (1 2 1): eight
// times its average. `work` has room for `columns + 3` numbers, `to` for `(columns + 1) / 2`.
void deepfgs_downsample(const uint8_t *upper, const uint8_t *lower, int32_t columns, bool cosited, int16_t *work,
                        int16_t *to);

// Cb and Cr of downsampled R'G'B'.
void deepfgs_chroma_of_rgb(const int16_t *r, const int16_t *g, const int16_t *b, int32_t count,
                           const DeepFGSMatrix *matrix, uint8_t *blue, uint8_t *red);

#endif
