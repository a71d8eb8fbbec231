#include "CPasses.h"

#include "clones.h"

// One product, never fused with what follows.
#pragma clang fp contract(off)

// To the nearest even integer, for magnitudes below 2^22.
static inline __attribute__((always_inline)) int32_t rounded(float value)
{
    const float sum = value + 0x1.8p23f;
    int32_t bits;
    __builtin_memcpy(&bits, &sum, sizeof bits);
    return bits - 0x4B400000;
}

CLONES void deepfgs_latents(const int16_t *restrict symbols, ptrdiff_t plane, const int16_t *restrict means,
                            int32_t channels, int32_t count, DeepFGSColumns columns, int32_t step, int32_t most,
                            int32_t *restrict latents)
{
    const int32_t numbers = count * channels;
    if (columns.step != 1) {
        for (int32_t i = 0; i < numbers; i++)
            latents[i] = 0;
        for (int32_t i = columns.first; i < count; i += columns.step)
            for (int32_t channel = 0; channel < channels; channel++)
                latents[i * channels + channel] =
                    step * CLAMP((int32_t)symbols[channel * plane + i], -most, most) + means[i * channels + channel];
        return;
    }
    for (int32_t start = 0; start < count; start += 16) {
        const int32_t end = MIN(start + 16, count);
        for (int32_t channel = 0; channel < channels; channel++) {
            const int16_t *from = symbols + channel * plane;
            for (int32_t i = start; i < end; i++)
                latents[i * channels + channel] = from[i];
        }
    }
    for (int32_t i = 0; i < numbers; i++)
        latents[i] = step * CLAMP(latents[i], -most, most) + means[i];
}

CLONES void deepfgs_context_inputs(const int32_t *restrict latents, int32_t channels, int32_t count, int32_t shift,
                                   int32_t limit, int32_t offset, int32_t size, void *restrict output,
                                   ptrdiff_t position)
{
    const int32_t half = shift > 0 ? 1 << (shift - 1) : 0;
    for (int32_t i = 0; i < count; i++) {
        const int32_t *from = latents + i * channels;
        if (size == 1) {
            uint8_t *to = (uint8_t *)output + i * position;
            for (int32_t c = 0; c < channels; c++)
                to[c] = (uint8_t)(CLAMP((from[c] + half) >> shift, -limit, limit) + offset);
        } else {
            int16_t *to = (int16_t *)((char *)output + i * position);
            for (int32_t c = 0; c < channels; c++)
                to[c] = (int16_t)(CLAMP((from[c] + half) >> shift, -limit, limit) + offset);
        }
    }
}

CLONES void deepfgs_halves(const int32_t *restrict latents, int32_t channels, int32_t count, int16_t *restrict high,
                           int16_t *restrict low, ptrdiff_t stride)
{
    for (int32_t i = 0; i < count; i++)
        for (int32_t c = 0; c < channels; c++) {
            high[i * stride + c] = (int16_t)(latents[i * channels + c] >> 8);
            low[i * stride + c] = (int16_t)(latents[i * channels + c] & 255);
        }
}

CLONES void deepfgs_enter_latents(const int32_t *restrict latents, const float *restrict enter, int32_t channels,
                                  int32_t count, int32_t offset, int32_t size, void *restrict output,
                                  ptrdiff_t position)
{
    for (int32_t i = 0; i < count; i++) {
        const int32_t *from = latents + i * channels;
        if (size == 1) {
            uint8_t *to = (uint8_t *)output + i * position;
            for (int32_t c = 0; c < channels; c++)
                to[c] = (uint8_t)(rounded(CLAMP((float)from[c] * enter[c], -127.0f, 127.0f)) + offset);
        } else {
            int16_t *to = (int16_t *)((char *)output + i * position);
            for (int32_t c = 0; c < channels; c++)
                to[c] = (int16_t)(rounded(CLAMP((float)from[c] * enter[c], -127.0f, 127.0f)) + offset);
        }
    }
}

CLONES void deepfgs_means(const int32_t *restrict parameters, ptrdiff_t parameter_stride, const int32_t *restrict high,
                          const int32_t *restrict low, ptrdiff_t linear_stride, int32_t channels, int32_t count,
                          DeepFGSColumns columns, int32_t mean_limit, int32_t scale_limit, int32_t scale_shift,
                          int16_t *restrict means, uint8_t *restrict scales, ptrdiff_t plane)
{
    for (int32_t i = columns.first; i < count; i += columns.step) {
        const int32_t *from = parameters + i * parameter_stride;
        int16_t *to = means + i * channels;
        if (high) {
            const int32_t *h = high + i * linear_stride, *l = low + i * linear_stride;
            for (int32_t c = 0; c < channels; c++) {
                // (256 h + l + 128) >> 8, which may exceed 32 bits on the way.
                const int32_t mean = from[c] + h[c] + ((l[c] + 128) >> 8);
                to[c] = (int16_t)CLAMP(mean, -mean_limit, mean_limit);
            }
        } else {
            for (int32_t c = 0; c < channels; c++)
                to[c] = (int16_t)CLAMP(from[c], -mean_limit, mean_limit);
        }
    }
    for (int32_t start = 0; start < count; start += 32) {
        const int32_t end = MIN(start + 32, count);
        for (int32_t c = 0; c < channels; c++) {
            const int32_t *from = parameters + channels + c;
            uint8_t *to = scales + c * plane;
            for (int32_t i = start + columns.first; i < end; i += columns.step) {
                const int32_t scale = CLAMP(from[i * parameter_stride], 0, scale_limit) + scale_shift;
                to[i] = (uint8_t)CLAMP(scale, 0, scale_limit);
            }
        }
    }
}

CLONES void deepfgs_quantise(const int16_t *restrict values, ptrdiff_t stride, const int16_t *restrict means,
                             int32_t channels, int32_t count, DeepFGSColumns columns, int32_t step, float rounding,
                             int32_t most, int16_t *restrict symbols, ptrdiff_t plane)
{
    // The numerator is an integer below 2^24 where `rounding` is 0, and no quotient lies so near under an integer that
    // its rounding could reach it: exact.
    const float divisor = (float)(16 * step), half = (float)(8 * step) + rounding * divisor;
    enum { Block = 16, Channels = 64 };
    int16_t found[Block * Channels];
    for (int32_t first = 0; first < channels; first += Channels) {
        const int32_t width = MIN(channels - first, Channels);
        for (int32_t start = 0; start < count; start += Block) {
            const int32_t end = MIN(start + Block, count);
            for (int32_t i = start; i < end; i++) {
                const int16_t *value = values + i * stride + first, *mean = means + i * channels + first;
                for (int32_t c = 0; c < width; c++) {
                    const int32_t distance = value[c] - 16 * mean[c];
                    const int32_t magnitude = distance < 0 ? -distance : distance;
                    const int32_t floor = (int32_t)(((float)magnitude + half) / divisor);
                    const int32_t symbol = MIN(floor, most);
                    found[(i - start) * Channels + c] = (int16_t)(distance < 0 ? -symbol : distance > 0 ? symbol : 0);
                }
            }
            for (int32_t c = 0; c < width; c++) {
                int16_t *to = symbols + (first + c) * plane;
                for (int32_t i = start + columns.first; i < end; i += columns.step)
                    to[i] = found[(i - start) * Channels + c];
            }
        }
    }
}
