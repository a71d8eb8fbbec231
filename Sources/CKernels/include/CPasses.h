// Element-wise passes between the convolutions, the entropy coder and the pixels: exact on every processor, like the
// convolutions. Each is compiled for several instruction sets, and the fastest is taken when the program is loaded.
#ifndef DEEPFGS_CPASSES_H
#define DEEPFGS_CPASSES_H

#include <stddef.h>
#include <stdint.h>

// Columns of a row that a pass is about: from `first` on every `step`-th; `step` is 1 or 2.
typedef struct {
    int32_t first, step;
} DeepFGSColumns;

// `Y = step * clamp(q, -most, most) + M`: `symbols` is planar, a plane every `plane` numbers; `means` and `latents` are
// `[count][channels]`. Positions that `columns` leaves out are not read and become 0.
void deepfgs_latents(const int16_t *symbols, ptrdiff_t plane, const int16_t *means, int32_t channels, int32_t count,
                     DeepFGSColumns columns, int32_t step, int32_t most, int32_t *latents);

// `clamp((Y + half) >> shift, -limit, limit) + offset` into activations of `size` bytes, a position every `position`
// bytes; `half` is 1 << (shift - 1), or 0.
void deepfgs_context_inputs(const int32_t *latents, int32_t channels, int32_t count, int32_t shift, int32_t limit,
                            int32_t offset, int32_t size, void *output, ptrdiff_t position);

// `Y >> 8` and `Y & 255`, a position every `stride` numbers.
void deepfgs_halves(const int32_t *latents, int32_t channels, int32_t count, int16_t *high, int16_t *low,
                    ptrdiff_t stride);

// `clamp(rint(Y * enter), -127, 127) + offset` into activations of `size` bytes, a position every `position` bytes.
void deepfgs_enter_latents(const int32_t *latents, const float *enter, int32_t channels, int32_t count, int32_t offset,
                           int32_t size, void *output, ptrdiff_t position);

// Means and scale indices of a slice (specification, clause 7).
//
// `parameters` is `[count][parameter_stride]`, means then scales; `high` and `low` are the sums over the two halves of
// the latents before, `[count][linear_stride]`, or NULL. `means` is `[count][channels]`, `scales` planar. Positions that
// `columns` leaves out stay as they are.
void deepfgs_means(const int32_t *parameters, ptrdiff_t parameter_stride, const int32_t *high, const int32_t *low,
                   ptrdiff_t linear_stride, int32_t channels, int32_t count, DeepFGSColumns columns, int32_t mean_limit,
                   int32_t scale_limit, int32_t scale_shift, int16_t *means, uint8_t *scales, ptrdiff_t plane);

// `sign(v) floor(|v| + 1/2 + rounding)`, at most `most` in magnitude, of `v = (T - 16 M) / (16 step)`: `values` are T, a
// position every `stride` numbers; `means` is `[count][channels]`; `symbols` is planar. Positions that `columns` leaves
// out stay as they are.
void deepfgs_quantise(const int16_t *values, ptrdiff_t stride, const int16_t *means, int32_t channels, int32_t count,
                      DeepFGSColumns columns, int32_t step, float rounding, int32_t most, int16_t *symbols,
                      ptrdiff_t plane);

#endif
