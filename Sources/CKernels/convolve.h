// Convolutions, included once for each instruction set and width of activations.
//
//   NAME(x)             the name of a function
//   TARGET              the attribute that allows the instructions
//   INPUT               type of an activation; a group of them fills 32 bits
//   VECTOR              16 sums of 32 bits
//   WIDE, TALL          vectors across (outputs) and down (positions) whose sums are kept in registers
//   BROADCAST(p)        a vector whose lanes all hold the group of activations at p
//   LOAD(p)             a vector from p
//   DOT(s, a, w)        s + the sums of the products of a and w, lane by lane
//   UNROLL              what stands before the innermost loop, for compilers that shall unroll it; nothing by default
//   PAIR                whether vectors are finished two at a time, the outputs of such a pair dealt out in fours
//   FINISH_PAIR, FINISH what becomes of two vectors, or one

#ifndef UNROLL
#define UNROLL
#endif

// The sums of HIGH positions and ACROSS vectors of outputs, and what becomes of them.
#define DEFINE_TILE(HIGH, ACROSS)                                                                                      \
    TARGET static inline __attribute__((always_inline)) void NAME(tile_##HIGH##_##ACROSS)(                             \
        const DeepFGSConvolution *c, DeepFGSResultKind kind, const char *input, const char *weights, int32_t output,   \
        int32_t row, int32_t column)                                                                                   \
    {                                                                                                                  \
        VECTOR sum[HIGH][ACROSS];                                                                                      \
        const ptrdiff_t position = c->input_position;                                                                  \
        const int32_t groups = c->run_length * (int32_t)sizeof(INPUT) / 4;                                             \
        _Pragma("unroll") for (int m = 0; m < HIGH; m++) _Pragma("unroll") for (int n = 0; n < ACROSS; n++)            \
            sum[m][n] = LOAD(c->bias + output + 16 * n);                                                               \
        for (int32_t run = 0; run < c->runs; run++) {                                                                  \
            const char *from = input + run * c->run_stride;                                                            \
            UNROLL for (int32_t group = 0; group < groups; group++)                                                    \
            {                                                                                                          \
                VECTOR w[ACROSS];                                                                                      \
                _Pragma("unroll") for (int n = 0; n < ACROSS; n++) w[n] = LOAD(weights + 64 * n);                      \
                _Pragma("unroll") for (int m = 0; m < HIGH; m++)                                                       \
                {                                                                                                      \
                    const VECTOR a = BROADCAST(from + m * position);                                                   \
                    _Pragma("unroll") for (int n = 0; n < ACROSS; n++) sum[m][n] = DOT(sum[m][n], a, w[n]);            \
                }                                                                                                      \
                from += 4;                                                                                             \
                weights += 64 * ACROSS;                                                                                \
            }                                                                                                          \
        }                                                                                                              \
        _Pragma("unroll") for (int m = 0; m < HIGH; m++)                                                               \
        {                                                                                                              \
            int n = 0;                                                                                                 \
            _Pragma("unroll") for (; PAIR && n + 2 <= ACROSS; n += 2)                                                  \
                FINISH_PAIR(c, kind, sum[m][n], sum[m][n + 1], output + 16 * n, row, column + m);                      \
            _Pragma("unroll") for (; n < ACROSS; n++) FINISH(c, kind, sum[m][n], output + 16 * n, row, column + m);    \
        }                                                                                                              \
    }
#define DEFINE_TILES(HIGH, ACROSS) DEFINE_TILE(HIGH, ACROSS) DEFINE_TILE(1, ACROSS)
#define TILE_NAME_(HIGH, ACROSS) tile_##HIGH##_##ACROSS
#define TILE_NAME(HIGH, ACROSS) TILE_NAME_(HIGH, ACROSS)

#define DEFINE_SWEEP_(HIGH, ACROSS)                                                                                    \
    DEFINE_TILES(HIGH, ACROSS)                                                                                         \
    TARGET static inline __attribute__((always_inline)) void NAME(sweep_##ACROSS)(                                     \
        const DeepFGSConvolution *c, DeepFGSResultKind kind, const char *weights, int32_t output)                      \
    {                                                                                                                  \
        for (int32_t row = 0; row < c->rows; row++) {                                                                  \
            const char *input = (const char *)c->input + row * c->input_row;                                           \
            int32_t column = 0;                                                                                        \
            for (; column + HIGH <= c->columns; column += HIGH, input += HIGH * c->input_position)                     \
                NAME(tile_##HIGH##_##ACROSS)(c, kind, input, weights, output, row, column);                            \
            for (; column < c->columns; column++, input += c->input_position)                                          \
                NAME(tile_1_##ACROSS)(c, kind, input, weights, output, row, column);                                   \
        }                                                                                                              \
    }
#define DEFINE_SWEEP(HIGH, ACROSS) DEFINE_SWEEP_(HIGH, ACROSS)

DEFINE_SWEEP(TALL, 1)
#if WIDE >= 2
DEFINE_SWEEP(TALL, 2)
#endif
#if WIDE >= 4
DEFINE_SWEEP(TALL, 4)
#endif

// All outputs, in blocks whose weights stay in the first-level cache while all positions pass.
TARGET static inline __attribute__((always_inline)) void NAME(convolve_to)(const DeepFGSConvolution *c,
                                                                           DeepFGSResultKind kind)
{
    const ptrdiff_t row = (ptrdiff_t)c->runs * c->run_length * (ptrdiff_t)sizeof(INPUT);
    int32_t output = 0;
#if WIDE >= 4
    for (; output + 64 <= c->outputs; output += 64)
        NAME(sweep_4)(c, kind, (const char *)c->weights + output * row, output);
#endif
#if WIDE >= 2
    for (; output + 32 <= c->outputs; output += 32)
        NAME(sweep_2)(c, kind, (const char *)c->weights + output * row, output);
#endif
    for (; output < c->outputs; output += 16)
        NAME(sweep_1)(c, kind, (const char *)c->weights + output * row, output);
}

TARGET static void NAME(convolve)(const DeepFGSConvolution *c)
{
    switch (c->kind) {
    case DEEPFGS_RESULT_ACTIVATION:
        NAME(convolve_to)(c, DEEPFGS_RESULT_ACTIVATION);
        break;
    case DEEPFGS_RESULT_STREAM:
        NAME(convolve_to)(c, DEEPFGS_RESULT_STREAM);
        break;
    case DEEPFGS_RESULT_WIDE:
        NAME(convolve_to)(c, DEEPFGS_RESULT_WIDE);
        break;
    case DEEPFGS_RESULT_SUM:
        NAME(convolve_to)(c, DEEPFGS_RESULT_SUM);
        break;
    }
}

// Where output i of a block of `across` vectors stands among the block's sums.
static inline int32_t NAME(place)(int32_t i, int32_t across)
{
    if (!PAIR || across == 1)
        return i;
    const int32_t pair = i / 32, inside = i % 32;
    return 32 * pair + 16 * (inside / 4 % 2) + 4 * (inside / 8) + inside % 4;
}

static inline int32_t NAME(across)(int32_t output, int32_t outputs)
{
    const int32_t left = (outputs - output) / 16;
    return WIDE >= 4 && left >= 4 ? 4 : WIDE >= 2 && left >= 2 ? 2 : 1;
}

static void NAME(pack)(const int16_t *weights, int32_t outputs, int32_t inputs, void *packed)
{
    const int32_t group = 4 / (int32_t)sizeof(INPUT);
    for (int32_t first = 0; first < outputs;) {
        const int32_t across = NAME(across)(first, outputs);
        INPUT *block = (INPUT *)packed + (ptrdiff_t)first * inputs;
        for (int32_t i = 0; i < 16 * across; i++)
            for (int32_t k = 0; k < inputs; k++)
                block[((k / group) * 16 * across + NAME(place)(i, across)) * group + k % group] =
                    (INPUT)weights[(ptrdiff_t)(first + i) * inputs + k];
        first += 16 * across;
    }
}

static void NAME(arrange)(const uint32_t *numbers, int32_t outputs, uint32_t *arranged)
{
    for (int32_t first = 0; first < outputs;) {
        const int32_t across = NAME(across)(first, outputs);
        for (int32_t i = 0; i < 16 * across; i++)
            arranged[first + NAME(place)(i, across)] = numbers[first + i];
        first += 16 * across;
    }
}

#undef DEFINE_TILE
#undef DEFINE_TILES
#undef DEFINE_SWEEP
#undef DEFINE_SWEEP_
#undef TILE_NAME
#undef TILE_NAME_
