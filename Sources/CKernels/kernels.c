#include "sets.h"

const DeepFGSKernels *deepfgs_kernels(DeepFGSISA isa, int32_t activation_size)
{
#if defined(__x86_64__)
    __builtin_cpu_init();
    const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    const bool avx512 = avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                        __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq");
    const bool vnni = avx512 && __builtin_cpu_supports("avx512vnni");
    if (activation_size == 1)
        return isa == DEEPFGS_ISA_VNNI && vnni ? &deepfgs_kernels_vnni_bytes : NULL;
    switch (isa) {
    case DEEPFGS_ISA_VNNI:
        return vnni ? &deepfgs_kernels_vnni_words : NULL;
    case DEEPFGS_ISA_AVX512:
        return avx512 ? &deepfgs_kernels_avx512 : NULL;
    case DEEPFGS_ISA_AVX2:
        return avx2 ? &deepfgs_kernels_avx2 : NULL;
    case DEEPFGS_ISA_SSE2:
        return &deepfgs_kernels_sse2;
    case DEEPFGS_ISA_SIMD128:
        return NULL;
    }
#elif defined(__wasm_simd128__)
    if (isa == DEEPFGS_ISA_SIMD128 && activation_size == 2)
        return &deepfgs_kernels_simd128;
#endif
    (void)isa;
    (void)activation_size;
    return NULL;
}

int64_t deepfgs_ceiling(DeepFGSISA isa, int32_t activation_size, int64_t rounds)
{
    if (!deepfgs_kernels(isa, activation_size))
        return 0;
#if defined(__x86_64__)
    if (activation_size == 1)
        return deepfgs_ceiling_vnni_bytes(rounds);
    switch (isa) {
    case DEEPFGS_ISA_VNNI:
        return deepfgs_ceiling_vnni_words(rounds);
    case DEEPFGS_ISA_AVX512:
        return deepfgs_ceiling_avx512(rounds);
    case DEEPFGS_ISA_AVX2:
        return deepfgs_ceiling_avx2(rounds);
    case DEEPFGS_ISA_SSE2:
        return deepfgs_ceiling_sse2(rounds);
    case DEEPFGS_ISA_SIMD128:
        return 0;
    }
#elif defined(__wasm_simd128__)
    return deepfgs_ceiling_simd128(rounds);
#endif
    (void)rounds;
    return 0;
}
