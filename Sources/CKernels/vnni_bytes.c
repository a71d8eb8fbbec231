#include "sets.h"

#if defined(__x86_64__)
#define SET vnni_bytes
#define TARGET __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx512vnni,avx2,fma")))
#define INPUT uint8_t
#define VECTOR __m512i
#define WIDE 4
#define TALL 6
#define LOAD(p) _mm512_loadu_si512(p)
#define BROADCAST(p) _mm512_set1_epi32(*(const int32_t *)(p))
#define DOT(s, a, w) _mm512_dpbusd_epi32(s, a, w)
#define SUMS(v) (v16i)(v)
#define KEEP(v) __asm__ volatile("" : "+v"(v))
#define PAIR 1

#include "finish.h"
#include "finish_avx512.h"
#include "convolve.h"
#include "depthwise_vnni.h"

DEFINE_KERNELS("vnni")
DEFINE_CEILING(24)
#endif
