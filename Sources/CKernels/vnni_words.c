#include "sets.h"

#if defined(__x86_64__)
#define SET vnni_words
#define TARGET __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx512vnni,avx2,fma")))
#define INPUT int16_t
#define TALL 6
#define DOT(s, a, w) _mm512_dpwssd_epi32(s, a, w)

#include "avx512.h"
#include "depthwise.h"

DEFINE_KERNELS("vnni")
DEFINE_CEILING(24)
#endif
