#include "sets.h"

#if defined(__x86_64__)
#define SET avx512
#define TARGET __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx2,fma")))
#define INPUT int16_t
#define TALL 5
#define DOT(s, a, w) _mm512_add_epi32(s, _mm512_madd_epi16(a, w))

#include "avx512.h"
#include "depthwise.h"

DEFINE_KERNELS("avx512")
DEFINE_CEILING(24)
#endif
