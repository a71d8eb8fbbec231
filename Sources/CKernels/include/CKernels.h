// Convolutions over integers and the passes between them, exact on every processor.
//
// Every function computes what clauses 7 and 9 of the specification say: sums of products of integers, one float32
// product, rounding to the nearest even integer, a clamp. The sums stay below 2^24 (the reader of a model checks it), so
// that no order, width or instruction set can change a result. `PlainKernels.swift` computes the same in plain loops.
//
// Channels are the innermost dimension of every buffer; the outputs of a convolution are a multiple of 16, those of a
// stream a multiple of 32 (layers are padded with zero weights). No function allocates, throws or keeps anything.
#ifndef DEEPFGS_CKERNELS_H
#define DEEPFGS_CKERNELS_H

// Most pointers may be null; what may not says so.
#pragma clang diagnostic ignored "-Wnullability-completeness"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// What becomes of the sums of a convolution.
typedef enum {
    // `clamp(rint(sum * multiplier), low, high) + offset`: an activation.
    DEEPFGS_RESULT_ACTIVATION,
    // `clamp(rint(sum * multiplier), -32767, 32767)`, written to or added to a stream (and clamped again); then, where
    // there is an `enter`, `clamp(rint(stream * enter), -127, 127) + offset`: the activation that the next layer reads.
    DEEPFGS_RESULT_STREAM,
    // `clamp(rint(sum * multiplier), low, high)` in 32 bits.
    DEEPFGS_RESULT_WIDE,
    // The sums themselves, in 32 bits.
    DEEPFGS_RESULT_SUM,
} DeepFGSResultKind;

// One convolution over a rectangle of positions. All strides are bytes.
//
// A position's inputs are `runs` runs of `run_length` activations (filling a multiple of 4 bytes), `run_stride` apart: a
// 1x1 kernel has one run of its channels, a 2x2 kernel two runs of twice as many, a 3x3 kernel three of three times as
// many.
typedef struct {
    const void *input;
    ptrdiff_t input_row, input_position, run_stride;
    int32_t runs, run_length;
    int32_t rows, columns;
    // As `pack` and `arrange` of the same kernels made them.
    const void *weights;
    const int32_t *bias;
    const float *multiplier;
    int32_t outputs;
    // The outputs are four groups (dy, dx, channel) that go to the positions (2 row + dy, 2 column + dx); the channels
    // are a multiple of 32 then.
    bool shuffles;

    DeepFGSResultKind kind;
    float low, high;
    int32_t offset;
    // Activations, or 32-bit results.
    void *output;
    ptrdiff_t output_row, output_position;
    int16_t *stream;
    ptrdiff_t stream_row, stream_position;
    bool adds;
    // As `arrange` made it, or NULL.
    const float *enter;
} DeepFGSConvolution;

// A depthwise 3x3 convolution of unsigned 8-bit numbers; `input` is the position above and left of the first one.
//
// The result is `clamp(rint(sum * multiplier), -127, 127) + offset`.
typedef struct {
    const void *input;
    ptrdiff_t input_row, input_position;
    int32_t rows, columns, channels;
    // As `pack_depthwise` and `arrange_depthwise` made them.
    const void *weights;
    const int32_t *bias;
    const float *multiplier;
    int32_t offset;
    void *output;
    ptrdiff_t output_row, output_position;
} DeepFGSDepthwise;

// The functions of one instruction set and one width of activations.
//
// Activations of 8 bits are unsigned; a signed one is raised by 128, which the bias takes back. Those of 16 bits are
// signed.
typedef struct {
    const char *name;
    // 1 or 2.
    int32_t activation_size;
    // `weights` are `[outputs][inputs]`, inputs in the order of the runs; `packed` has as many numbers.
    void (*_Nonnull pack)(const int16_t *_Nullable weights, int32_t outputs, int32_t inputs, void *_Nullable packed);
    // Brings one number for each output into the order in which the sums leave the registers.
    void (*_Nonnull arrange)(const uint32_t *_Nullable numbers, int32_t outputs, uint32_t *_Nullable arranged);
    void (*_Nonnull convolve)(const DeepFGSConvolution *_Nonnull);
    // `weights` are `[channels][3][3]`; `packed` has `12 * roundup(channels, 64)` numbers.
    void (*_Nonnull pack_depthwise)(const int16_t *_Nullable weights, int32_t channels, void *_Nullable packed);
    // `arranged` has `roundup(channels, 64)` numbers.
    void (*_Nonnull arrange_depthwise)(const uint32_t *_Nullable numbers, int32_t channels,
                                       uint32_t *_Nullable arranged);
    void (*_Nonnull depthwise)(const DeepFGSDepthwise *_Nonnull);
    // `clamp(rint(stream * enter), -127, 127) + offset` of `count` positions; `enter` is not arranged.
    void (*_Nonnull enter)(const int16_t *_Nonnull stream, ptrdiff_t stream_position, const float *_Nonnull enter,
                           int32_t channels, int32_t count, int32_t offset, void *_Nonnull output,
                           ptrdiff_t output_position);
} DeepFGSKernels;

typedef enum {
    DEEPFGS_ISA_SSE2,
    DEEPFGS_ISA_AVX2,
    DEEPFGS_ISA_AVX512,
    DEEPFGS_ISA_VNNI,
    DEEPFGS_ISA_SIMD128
} DeepFGSISA;

// The kernels of an instruction set, or NULL where this processor does not have it, or none for activations of this size
// (8 bits need VNNI).
const DeepFGSKernels *_Nullable deepfgs_kernels(DeepFGSISA isa, int32_t activation_size);

// Tells the processor that this thread only waits.
static inline void deepfgs_pause(void)
{
#if defined(__x86_64__)
    __builtin_ia32_pause();
#endif
}

// Processors that the process may run on, at least 1.
int32_t deepfgs_processors(void);

// Seconds of a clock that only goes forward.
double deepfgs_seconds(void);

// Products that one core does in `rounds` rounds of independent instructions with nothing else to do: the ceiling of
// `convolve`. 0 where the kernels are missing.
int64_t deepfgs_ceiling(DeepFGSISA isa, int32_t activation_size, int64_t rounds);

#endif
