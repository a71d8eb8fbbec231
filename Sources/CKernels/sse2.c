#include "sets.h"

#if defined(__x86_64__)
#define SET sse2
#define TARGET
#define INPUT int16_t
#define PART __m128i
#include "quarters.h"
#define WIDE 1
#define TALL 2
#define LOAD(p) QUARTERS(_mm_loadu_si128((const __m128i *)(p) + i))
#define BROADCAST(p) QUARTERS(_mm_set1_epi32(*(const int32_unaligned *)(p)))
#define DOT(s, a, w) QUARTERS(_mm_add_epi32((s).part[i], _mm_madd_epi16((a).part[i], (w).part[i])))
#define KEEP(v) __asm__ volatile("" : "+x"((v).part[0]), "+x"((v).part[1]), "+x"((v).part[2]), "+x"((v).part[3]))
#define PAIR 0

#include "finish.h"
#include "convolve.h"
#include "depthwise.h"

DEFINE_KERNELS("sse2")
DEFINE_CEILING(3)
#endif
