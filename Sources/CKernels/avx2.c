#include "sets.h"

#if defined(__x86_64__)
#define SET avx2
#define TARGET __attribute__((target("avx2,fma")))
#define INPUT int16_t
typedef struct {
    __m256i low, high;
} Sums;
#define VECTOR Sums
#define WIDE 1
#define TALL 5
#define LOAD(p)                                                                                                        \
    (Sums) { _mm256_loadu_si256((const __m256i *)(p)), _mm256_loadu_si256((const __m256i *)(p) + 1) }
#define BROADCAST(p)                                                                                                   \
    ({                                                                                                                 \
        const __m256i all_ = _mm256_set1_epi32(*(const int32_unaligned *)(p));                                         \
        (Sums){all_, all_};                                                                                            \
    })
#define DOT(s, a, w)                                                                                                   \
    (Sums)                                                                                                             \
    {                                                                                                                  \
        _mm256_add_epi32((s).low, _mm256_madd_epi16((a).low, (w).low)),                                                \
            _mm256_add_epi32((s).high, _mm256_madd_epi16((a).high, (w).high))                                          \
    }
#define SUMS(v) IN_ONE(v)
#define KEEP(v) __asm__ volatile("" : "+x"((v).low), "+x"((v).high))
#define PAIR 0

#include "finish.h"
#include "convolve.h"
#include "depthwise.h"

DEFINE_KERNELS("avx2")
DEFINE_CEILING(6)
#endif
