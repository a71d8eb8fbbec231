#include "sets.h"

#if defined(__wasm_simd128__)
#define SET simd128
#define TARGET
#define INPUT int16_t
#define PART v128_t
#include "quarters.h"
#define WIDE 1
#define TALL 2
// Engines look at their interrupts in every round of a loop.
#define UNROLL _Pragma("clang loop unroll_count(4)")
#define LOAD(p) QUARTERS(wasm_v128_load((const v128_t *)(p) + i))
#define BROADCAST(p)                                                                                                   \
    ({                                                                                                                 \
        const v128_t one_ = wasm_v128_load32_splat(p);                                                                 \
        (Quarters){{one_, one_, one_, one_}};                                                                          \
    })
// Each sum is made in its turn: in another order there are more numbers at work than registers.
#define DOT(s, a, w)                                                                                                   \
    QUARTERS(({                                                                                                        \
        v128_t sum_ = wasm_i32x4_add((s).part[i], wasm_i32x4_dot_i16x8((a).part[i], (w).part[i]));                     \
        __asm__ volatile("" : "+r"(sum_));                                                                             \
        sum_;                                                                                                          \
    }))
#define KEEP(v) __asm__ volatile("" : "+r"((v).part[0]), "+r"((v).part[1]), "+r"((v).part[2]), "+r"((v).part[3]))
#define PAIR 0

#include "finish.h"
#include "convolve.h"
#include "depthwise.h"

DEFINE_KERNELS("simd128")
DEFINE_CEILING(3)
#endif
