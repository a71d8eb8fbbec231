#include "CPixels.h"

#include <string.h>

#include "clones.h"

// One product, never fused with what follows.
#pragma clang fp contract(off)

CLONES void deepfgs_gather(const uint8_t *restrict from, int32_t step, int32_t count, int32_t padded,
                           uint8_t *restrict to)
{
    // Constants, so that the compiler knows the shuffles.
    switch (step) {
    case 1:
        memcpy(to, from, (size_t)count);
        break;
    case 2:
        for (int32_t i = 0; i < count; i++)
            to[i] = from[2 * i];
        break;
    case 3:
        for (int32_t i = 0; i < count; i++)
            to[i] = from[3 * i];
        break;
    case 4:
        for (int32_t i = 0; i < count; i++)
            to[i] = from[4 * i];
        break;
    default:
        for (int32_t i = 0; i < count; i++)
            to[i] = from[(ptrdiff_t)step * i];
    }
    memset(to + count, to[count - 1], (size_t)(padded - count));
}

CLONES void deepfgs_scatter(const uint8_t *restrict from, int32_t count, int32_t step, uint8_t *restrict to)
{
    if (step == 1)
        memcpy(to, from, (size_t)count);
    else
        for (int32_t i = 0; i < count; i++)
            to[(ptrdiff_t)step * i] = from[i];
}

CLONES void deepfgs_interleave(const uint8_t *restrict first, const uint8_t *restrict second,
                               const uint8_t *restrict third, const uint8_t *restrict fourth, int32_t count,
                               int32_t step, uint8_t *restrict to)
{
    if (step == 3)
        for (int32_t i = 0; i < count; i++) {
            to[3 * i] = first[i];
            to[3 * i + 1] = second[i];
            to[3 * i + 2] = third[i];
        }
    else
        for (int32_t i = 0; i < count; i++) {
            to[4 * i] = first[i];
            to[4 * i + 1] = second[i];
            to[4 * i + 2] = third[i];
            to[4 * i + 3] = fourth[i];
        }
}

// Groups that are turned at a time: their activations stay in the first-level cache.
enum { Block = 64 };

CLONES void deepfgs_unshuffle(const uint8_t *restrict strip, ptrdiff_t stride, int32_t groups, int32_t size,
                              void *restrict output)
{
    uint8_t bytes[4 * Block];
    int16_t words[4 * Block];
    for (int32_t start = 0; start < groups; start += Block) {
        const int32_t count = MIN(groups - start, Block);
        for (int32_t row = 0; row < 12; row++) {
            const uint8_t *from = strip + row * stride + 4 * start;
            if (size == 1) {
                uint8_t *to = (uint8_t *)output + (ptrdiff_t)48 * start + 4 * row;
                for (int32_t i = 0; i < 4 * count; i++)
                    bytes[i] = MAX(from[i], 1);
                for (int32_t i = 0; i < count; i++)
                    memcpy(to + 48 * i, bytes + 4 * i, 4);
            } else {
                int16_t *to = (int16_t *)output + (ptrdiff_t)48 * start + 4 * row;
                for (int32_t i = 0; i < 4 * count; i++)
                    words[i] = (int16_t)(MAX(from[i], 1) - 128);
                for (int32_t i = 0; i < count; i++)
                    memcpy(to + 48 * i, words + 4 * i, 8);
            }
        }
    }
}

void deepfgs_unshuffle_values(const uint8_t *restrict strip, ptrdiff_t stride, int32_t groups,
                              const void *restrict values, int32_t size, void *restrict output)
{
    for (int32_t row = 0; row < 12; row++) {
        const uint8_t *from = strip + row * stride;
        if (size == 2) {
            uint16_t *to = (uint16_t *)output + 4 * row;
            for (int32_t i = 0; i < groups; i++)
                for (int32_t x = 0; x < 4; x++)
                    to[(ptrdiff_t)48 * i + x] = ((const uint16_t *)values)[from[4 * i + x]];
        } else {
            uint32_t *to = (uint32_t *)output + 4 * row;
            for (int32_t i = 0; i < groups; i++)
                for (int32_t x = 0; x < 4; x++)
                    to[(ptrdiff_t)48 * i + x] = ((const uint32_t *)values)[from[4 * i + x]];
        }
    }
}

CLONES void deepfgs_shuffle(const void *restrict input, int32_t size, int32_t groups, uint8_t *restrict strip,
                            ptrdiff_t stride)
{
    int16_t words[4 * Block];
    for (int32_t start = 0; start < groups; start += Block) {
        const int32_t count = MIN(groups - start, Block);
        for (int32_t row = 0; row < 12; row++) {
            uint8_t *to = strip + row * stride + 4 * start;
            if (size == 1) {
                const uint8_t *from = (const uint8_t *)input + (ptrdiff_t)48 * start + 4 * row;
                for (int32_t i = 0; i < count; i++)
                    memcpy(to + 4 * i, from + 48 * i, 4);
            } else {
                const int16_t *from = (const int16_t *)input + (ptrdiff_t)48 * start + 4 * row;
                for (int32_t i = 0; i < count; i++)
                    memcpy(words + 4 * i, from + 48 * i, 8);
                for (int32_t i = 0; i < 4 * count; i++)
                    to[i] = (uint8_t)words[i];
            }
        }
    }
}

CLONES void deepfgs_shuffle_floats(const float *restrict input, int32_t groups, uint8_t *restrict strip,
                                   ptrdiff_t stride)
{
    float numbers[4 * Block];
    for (int32_t start = 0; start < groups; start += Block) {
        const int32_t count = MIN(groups - start, Block);
        for (int32_t row = 0; row < 12; row++) {
            uint8_t *to = strip + row * stride + 4 * start;
            const float *from = input + (ptrdiff_t)48 * start + 4 * row;
            for (int32_t i = 0; i < count; i++)
                memcpy(numbers + 4 * i, from + 48 * i, 16);
            for (int32_t i = 0; i < 4 * count; i++) {
                const float shifted = numbers[i] + 0.5f;
                // In this order a value that is no number becomes 0.
                const float clamped = shifted > 0.0f ? (shifted < 1.0f ? shifted : 1.0f) : 0.0f;
                // To the nearest even integer.
                to[i] = (uint8_t)(int32_t)((clamped * 255.0f + 0x1.8p23f) - 0x1.8p23f);
            }
        }
    }
}

CLONES void deepfgs_upsample(const uint8_t *restrict near, const uint8_t *restrict far, int32_t count, bool cosited,
                             int16_t *restrict work, int16_t *restrict to)
{
    int16_t *middle = work + 1;
    for (int32_t i = 0; i < count; i++)
        middle[i] = (int16_t)(3 * near[i] + far[i] - 512);
    middle[-1] = middle[0];
    middle[count] = middle[count - 1];
    if (cosited)
        for (int32_t i = 0; i < count; i++) {
            to[2 * i] = (int16_t)(4 * middle[i]);
            to[2 * i + 1] = (int16_t)(2 * (middle[i] + middle[i + 1]));
        }
    else
        for (int32_t i = 0; i < count; i++) {
            to[2 * i] = (int16_t)(3 * middle[i] + middle[i - 1]);
            to[2 * i + 1] = (int16_t)(3 * middle[i] + middle[i + 1]);
        }
}

CLONES void deepfgs_rgb_of_yuv(const uint8_t *restrict luma, const int16_t *restrict blue, const int16_t *restrict red,
                               int32_t count, const DeepFGSMatrix *restrict matrix, uint8_t *restrict r,
                               uint8_t *restrict g, uint8_t *restrict b)
{
    const DeepFGSMatrix m = *matrix;
    for (int32_t i = 0; i < count; i++) {
        // A half, and 16 units of chroma to one of luma: all sums are below 2^31.
        const int32_t y = m.scale * (luma[i] - m.black) + (1 << 19);
        const int32_t cb = blue[i], cr = red[i];
        r[i] = (uint8_t)CLAMP((y + m.red_of_cr * cr) >> 20, 0, 255);
        g[i] = (uint8_t)CLAMP((y + m.green_of_cb * cb + m.green_of_cr * cr) >> 20, 0, 255);
        b[i] = (uint8_t)CLAMP((y + m.blue_of_cb * cb) >> 20, 0, 255);
    }
}

CLONES void deepfgs_luma_of_rgb(const uint8_t *restrict r, const uint8_t *restrict g, const uint8_t *restrict b,
                                int32_t count, const DeepFGSMatrix *restrict matrix, uint8_t *restrict luma)
{
    const DeepFGSMatrix m = *matrix;
    for (int32_t i = 0; i < count; i++)
        luma[i] = (uint8_t)(((m.luma[0] * r[i] + m.luma[1] * g[i] + m.luma[2] * b[i] + (1 << 19)) >> 20) + m.black);
}

CLONES void deepfgs_downsample(const uint8_t *restrict upper, const uint8_t *restrict lower, int32_t columns,
                               bool cosited, int16_t *restrict work, int16_t *restrict to)
{
    int16_t *middle = work + 1;
    for (int32_t i = 0; i < columns; i++)
        middle[i] = (int16_t)(upper[i] + lower[i]);
    middle[-1] = middle[0];
    middle[columns] = middle[columns + 1] = middle[columns - 1];
    const int32_t count = (columns + 1) / 2;
    if (cosited)
        for (int32_t i = 0; i < count; i++)
            to[i] = (int16_t)(middle[2 * i - 1] + 2 * middle[2 * i] + middle[2 * i + 1]);
    else
        for (int32_t i = 0; i < count; i++)
            to[i] = (int16_t)(2 * (middle[2 * i] + middle[2 * i + 1]));
}

CLONES void deepfgs_chroma_of_rgb(const int16_t *restrict r, const int16_t *restrict g, const int16_t *restrict b,
                                  int32_t count, const DeepFGSMatrix *restrict matrix, uint8_t *restrict blue,
                                  uint8_t *restrict red)
{
    const DeepFGSMatrix m = *matrix;
    for (int32_t i = 0; i < count; i++) {
        // Eight times the average: units of 2^-23.
        const int32_t cb = m.blue[0] * r[i] + m.blue[1] * g[i] + m.blue[2] * b[i] + (1 << 22);
        const int32_t cr = m.red[0] * r[i] + m.red[1] * g[i] + m.red[2] * b[i] + (1 << 22);
        blue[i] = (uint8_t)CLAMP((cb >> 23) + 128, 0, 255);
        red[i] = (uint8_t)CLAMP((cr >> 23) + 128, 0, 255);
    }
}
