// What the sets of 512-bit vectors share: the accumulators, and how they are loaded and finished.
#define VECTOR __m512i
#define WIDE 4
#define LOAD(p) _mm512_loadu_si512(p)
#define BROADCAST(p) _mm512_set1_epi32(*(const int32_unaligned *)(p))
#define SUMS(v) (v16i)(v)
#define KEEP(v) __asm__ volatile("" : "+v"(v))
#define PAIR 1

#include "finish.h"
#include "finish_avx512.h"

#include "convolve.h"
