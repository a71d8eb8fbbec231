// Depthwise 3x3 convolutions of words, with the arithmetic of vectors.h. Products fit 16 bits: 255 times 127.
TARGET static void NAME(depthwise)(const DeepFGSDepthwise *d)
{
    for (int32_t row = 0; row < d->rows; row++) {
        for (int32_t channel = 0; channel < d->channels; channel += 16) {
            const int16_t *weights = (const int16_t *)d->weights + 12 * channel;
            const v16f multiplier = *(const v16f_unaligned *)(d->multiplier + channel);
            const v16i bias = *(const v16i_unaligned *)(d->bias + channel);
            for (int32_t column = 0; column < d->columns; column++) {
                const char *from = (const char *)d->input + row * d->input_row + column * d->input_position;
                v16i sum = bias;
                for (int32_t y = 0; y < 3; y++)
                    for (int32_t x = 0; x < 3; x++) {
                        const v16s value = *(
                            const v16s_unaligned *)((const int16_t *)(from + y * d->input_row + x * d->input_position) +
                                                    channel);
                        const v16s weight = *(const v16s_unaligned *)(weights + 16 * (3 * y + x));
                        sum += __builtin_convertvector(value * weight, v16i);
                    }
                char *to = (char *)d->output + row * d->output_row + column * d->output_position;
                STORE_ACTIVATIONS(int16_t, (int16_t *)to + channel,
                                  ROUNDED(CLAMPED(SCALED(sum, multiplier), -127.0f, 127.0f)) + d->offset);
            }
        }
    }
}

static void NAME(pack_depthwise)(const int16_t *weights, int32_t channels, void *packed)
{
    int16_t *to = packed;
    for (int32_t channel = 0; channel < channels; channel++)
        for (int32_t tap = 0; tap < 9; tap++)
            to[12 * (channel / 16 * 16) + 16 * tap + channel % 16] = weights[9 * channel + tap];
}

static void NAME(arrange_depthwise)(const uint32_t *numbers, int32_t channels, uint32_t *arranged)
{
    for (int32_t channel = 0; channel < channels; channel++)
        arranged[channel] = numbers[channel];
}
