// What becomes of 16 sums, with the arithmetic of vectors.h: NAME(finish).
TARGET static inline __attribute__((always_inline)) void
NAME(finish)(const DeepFGSConvolution *c, DeepFGSResultKind kind, v16i sum, int32_t output, int32_t row, int32_t column)
{
    const DeepFGSPlace at = deepfgs_place(c, output, row, column);
    char *target = (char *)c->output + at.row * c->output_row + at.column * c->output_position;
    if (kind == DEEPFGS_RESULT_SUM) {
        ((v16i_unaligned *)((int32_t *)target + at.channel))[0] = sum;
        return;
    }
    const v16f multiplier = *(const v16f_unaligned *)(c->multiplier + output);
    if (kind == DEEPFGS_RESULT_WIDE) {
        ((v16i_unaligned *)((int32_t *)target + at.channel))[0] =
            ROUNDED(CLAMPED(SCALED(sum, multiplier), c->low, c->high));
    } else if (kind == DEEPFGS_RESULT_ACTIVATION) {
        STORE_ACTIVATIONS(INPUT, (INPUT *)target + at.channel,
                          ROUNDED(CLAMPED(SCALED(sum, multiplier), c->low, c->high)) + c->offset);
    } else {
        int16_t *stream =
            (int16_t *)((char *)c->stream + at.row * c->stream_row + at.column * c->stream_position) + at.channel;
        v16i value = ROUNDED(CLAMPED(SCALED(sum, multiplier), -32767.0f, 32767.0f));
        if (c->adds) {
            value += __builtin_convertvector(*(const v16s_unaligned *)stream, v16i);
            value = value < -32767 ? (v16i)-32767 : value;
            value = value > 32767 ? (v16i)32767 : value;
        }
        *(v16s_unaligned *)stream = __builtin_convertvector(value, v16s);
        if (c->enter) {
            const v16f enter = *(const v16f_unaligned *)(c->enter + at.channel);
            STORE_ACTIVATIONS(INPUT, (INPUT *)target + at.channel,
                              ROUNDED(CLAMPED(SCALED(value, enter), -127.0f, 127.0f)) + c->offset);
        }
    }
}

TARGET static void NAME(enter)(const int16_t *stream, ptrdiff_t stream_position, const float *enter, int32_t channels,
                               int32_t count, int32_t offset, void *output, ptrdiff_t output_position)
{
    for (int32_t position = 0; position < count; position++) {
        const int16_t *from = (const int16_t *)((const char *)stream + position * stream_position);
        INPUT *to = (INPUT *)((char *)output + position * output_position);
        for (int32_t channel = 0; channel < channels; channel += 16) {
            const v16i value = __builtin_convertvector(*(const v16s_unaligned *)(from + channel), v16i);
            const v16f factor = *(const v16f_unaligned *)(enter + channel);
            STORE_ACTIVATIONS(INPUT, to + channel, ROUNDED(CLAMPED(SCALED(value, factor), -127.0f, 127.0f)) + offset);
        }
    }
}
