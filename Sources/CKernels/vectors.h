// Element-wise arithmetic in vectors of 16, which every instruction set compiles in its own way.
#ifndef DEEPFGS_VECTORS_H
#define DEEPFGS_VECTORS_H

#include "CKernels.h"

typedef int32_t v16i __attribute__((ext_vector_type(16)));
typedef float v16f __attribute__((ext_vector_type(16)));
typedef int16_t v16s __attribute__((ext_vector_type(16)));
typedef uint8_t v16b __attribute__((ext_vector_type(16)));
typedef v16i v16i_unaligned __attribute__((aligned(4)));
typedef v16f v16f_unaligned __attribute__((aligned(4)));
typedef v16s v16s_unaligned __attribute__((aligned(2)));
typedef v16b v16b_unaligned __attribute__((aligned(1)));
// Four bytes or two words of input, which begin at any byte or word.
typedef int32_t int32_unaligned __attribute__((aligned(1), may_alias));

// Vectors are arguments of inlined functions only: no calling convention is concerned.
#pragma clang diagnostic ignored "-Wpsabi"

// One product, never fused with what follows.
#pragma clang fp contract(off)

#define SCALED(value, factor) (__builtin_convertvector(value, v16f) * (factor))

// The limits are integers, so that clamping before rounding is the same as after it.
#define CLAMPED(value, low, high)                                                                                      \
    ({                                                                                                                 \
        const v16f low_ = (v16f)(low), high_ = (v16f)(high);                                                           \
        v16f value_ = value;                                                                                           \
        value_ = value_ > low_ ? value_ : low_;                                                                        \
        value_ < high_ ? value_ : high_;                                                                               \
    })

// To the nearest even integer, for magnitudes below 2^22: the last bit of the sum is worth 1.
#define ROUNDED(value)                                                                                                 \
    ({                                                                                                                 \
        const v16f sum_ = (value) + 0x1.8p23f;                                                                         \
        (v16i) sum_ - 0x4B400000;                                                                                      \
    })

#define STORE_ACTIVATIONS(type, target, value)                                                                         \
    do {                                                                                                               \
        if (sizeof(type) == 1)                                                                                         \
            *(v16b_unaligned *)(target) = __builtin_convertvector(value, v16b);                                        \
        else                                                                                                           \
            *(v16s_unaligned *)(target) = __builtin_convertvector(value, v16s);                                        \
    } while (0)

// Where 16 or 32 outputs of a position go: the position, and the channel there.
typedef struct {
    ptrdiff_t row, column;
    int32_t channel;
} DeepFGSPlace;

static inline __attribute__((always_inline)) DeepFGSPlace deepfgs_place(const DeepFGSConvolution *c, int32_t output,
                                                                        int32_t row, int32_t column)
{
    if (!c->shuffles)
        return (DeepFGSPlace){row, column, output};
    const int32_t channels = c->outputs / 4, place = output / channels;
    return (DeepFGSPlace){2 * row + place / 2, 2 * column + place % 2, output - place * channels};
}

#endif
