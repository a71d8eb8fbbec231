// The kernels of each instruction set, and what their files share.
#ifndef DEEPFGS_SETS_H
#define DEEPFGS_SETS_H

#include "CKernels.h"

#if defined(__x86_64__) || defined(__wasm_simd128__)
#include "vectors.h"

#if defined(__wasm_simd128__)
#include <wasm_simd128.h>

extern const DeepFGSKernels deepfgs_kernels_simd128;
int64_t deepfgs_ceiling_simd128(int64_t rounds);
#else
#include <immintrin.h>

extern const DeepFGSKernels deepfgs_kernels_sse2, deepfgs_kernels_avx2, deepfgs_kernels_avx512;
extern const DeepFGSKernels deepfgs_kernels_vnni_bytes, deepfgs_kernels_vnni_words;
int64_t deepfgs_ceiling_sse2(int64_t rounds);
int64_t deepfgs_ceiling_avx2(int64_t rounds);
int64_t deepfgs_ceiling_avx512(int64_t rounds);
int64_t deepfgs_ceiling_vnni_bytes(int64_t rounds);
int64_t deepfgs_ceiling_vnni_words(int64_t rounds);
#endif

// A structure of 64 bytes as one vector, for sets whose own vectors are shorter.
#define IN_ONE(v)                                                                                                      \
    ({                                                                                                                 \
        __auto_type v_ = v;                                                                                            \
        v16i all_;                                                                                                     \
        __builtin_memcpy(&all_, &v_, 64);                                                                              \
        all_;                                                                                                          \
    })
#define JOIN_(a, b) a##b
#define JOIN(a, b) JOIN_(a, b)
#define NAME(x) JOIN(JOIN(SET, _), x)
#define FINISH(c, kind, sum, output, row, column) NAME(finish)(c, kind, SUMS(sum), output, row, column)
// A set that finishes two vectors at a time defines PAIR as 1 and has NAME(finish_pair).
#define FINISH_PAIR(c, kind, first, second, output, row, column)                                                       \
    JOIN(FINISH_PAIR_, PAIR)(c, kind, first, second, output, row, column)
#define FINISH_PAIR_1(c, kind, first, second, output, row, column)                                                     \
    NAME(finish_pair)(c, kind, first, second, output, row, column)
#define FINISH_PAIR_0(c, kind, first, second, output, row, column) (void)0

#define DEFINE_KERNELS(text)                                                                                           \
    const DeepFGSKernels JOIN(deepfgs_kernels_, SET) = {                                                               \
        .name = text,                                                                                                  \
        .activation_size = sizeof(INPUT),                                                                              \
        .pack = NAME(pack),                                                                                            \
        .arrange = NAME(arrange),                                                                                      \
        .convolve = NAME(convolve),                                                                                    \
        .pack_depthwise = NAME(pack_depthwise),                                                                        \
        .arrange_depthwise = NAME(arrange_depthwise),                                                                  \
        .depthwise = NAME(depthwise),                                                                                  \
        .enter = NAME(enter),                                                                                          \
    };

// As many independent instructions as keep the multipliers busy, and nothing else.
#define DEFINE_CEILING(CHAINS)                                                                                         \
    TARGET int64_t JOIN(deepfgs_ceiling_, SET)(int64_t rounds)                                                         \
    {                                                                                                                  \
        const int32_t one = 0x01010101;                                                                                \
        VECTOR a = BROADCAST(&one);                                                                                    \
        const VECTOR w = BROADCAST(&one);                                                                              \
        VECTOR sum[CHAINS];                                                                                            \
        _Pragma("unroll") for (int i = 0; i < CHAINS; i++) sum[i] = a;                                                 \
        for (int64_t round = 0; round < rounds; round++)                                                               \
            _Pragma("unroll") for (int i = 0; i < CHAINS; i++)                                                         \
            {                                                                                                          \
                /* Without these the compiler takes the product out of the loop. */                                    \
                KEEP(a);                                                                                               \
                sum[i] = DOT(sum[i], a, w);                                                                            \
                KEEP(sum[i]);                                                                                          \
            }                                                                                                          \
        return rounds * CHAINS * 64 / (int64_t)sizeof(INPUT);                                                          \
    }
#endif
#endif
