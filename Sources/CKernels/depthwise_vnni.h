// Depthwise 3x3 convolutions of bytes on VNNI: the three rows of a column are interleaved once, four bytes for each
// channel (the fourth is 0), and serve the three outputs beside it.
TARGET static inline __attribute__((always_inline)) void NAME(column)(const DeepFGSDepthwise *d, const char *from,
                                                                      __mmask64 mask, __m512i column[4])
{
    const __m512i zero = _mm512_setzero_si512();
    const __m512i top = _mm512_maskz_loadu_epi8(mask, from),
                  middle = _mm512_maskz_loadu_epi8(mask, from + d->input_row),
                  bottom = _mm512_maskz_loadu_epi8(mask, from + 2 * d->input_row);
    const __m512i low = _mm512_unpacklo_epi8(top, middle), high = _mm512_unpackhi_epi8(top, middle);
    const __m512i low_bottom = _mm512_unpacklo_epi8(bottom, zero), high_bottom = _mm512_unpackhi_epi8(bottom, zero);
    column[0] = _mm512_unpacklo_epi16(low, low_bottom);
    column[1] = _mm512_unpackhi_epi16(low, low_bottom);
    column[2] = _mm512_unpacklo_epi16(high, high_bottom);
    column[3] = _mm512_unpackhi_epi16(high, high_bottom);
}

TARGET static void NAME(depthwise)(const DeepFGSDepthwise *d)
{
    for (int32_t channel = 0; channel < d->channels; channel += 64) {
        const __mmask64 mask = d->channels - channel >= 64 ? ~0ull : (1ull << (d->channels - channel)) - 1;
        const __m512i *weights = (const __m512i *)((const int8_t *)d->weights + 12 * channel);
        __m512i w[3][4], bias[4];
        __m512 multiplier[4];
        for (int n = 0; n < 4; n++) {
            for (int x = 0; x < 3; x++)
                w[x][n] = _mm512_loadu_si512(weights + 4 * x + n);
            bias[n] = _mm512_loadu_si512(d->bias + channel + 16 * n);
            multiplier[n] = _mm512_loadu_ps(d->multiplier + channel + 16 * n);
        }
        const __m512i raise = _mm512_set1_epi8((char)d->offset), least = _mm512_set1_epi8(-127);
        const __m512 most = _mm512_set1_ps(0x1p30f);
        for (int32_t row = 0; row < d->rows; row++) {
            const char *from = (const char *)d->input + row * d->input_row + channel;
            char *to = (char *)d->output + row * d->output_row + channel;
            __m512i left[4], middle[4], right[4];
            NAME(column)(d, from, mask, left);
            NAME(column)(d, from + d->input_position, mask, middle);
            for (int32_t column = 0; column < d->columns; column++) {
                NAME(column)(d, from + (column + 2) * d->input_position, mask, right);
                __m512i sum[4];
                _Pragma("unroll") for (int n = 0; n < 4; n++)
                {
                    sum[n] = _mm512_dpbusd_epi32(bias[n], left[n], w[0][n]);
                    sum[n] = _mm512_dpbusd_epi32(sum[n], middle[n], w[1][n]);
                    sum[n] = _mm512_dpbusd_epi32(sum[n], right[n], w[2][n]);
                    sum[n] = _mm512_cvtps_epi32(
                        _mm512_min_ps(_mm512_mul_ps(_mm512_cvtepi32_ps(sum[n]), multiplier[n]), most));
                    left[n] = middle[n];
                    middle[n] = right[n];
                }
                const __m512i bytes =
                    _mm512_packs_epi16(_mm512_packs_epi32(sum[0], sum[1]), _mm512_packs_epi32(sum[2], sum[3]));
                _mm512_mask_storeu_epi8(to + column * d->output_position, mask,
                                        _mm512_add_epi8(_mm512_max_epi8(bytes, least), raise));
            }
        }
    }
}

// Where a channel stands among the 64 of its block.
static inline int32_t NAME(depthwise_place)(int32_t channel)
{
    return 16 * (channel / 4 % 4) + 4 * (channel / 16) + channel % 4;
}

static void NAME(pack_depthwise)(const int16_t *weights, int32_t channels, void *packed)
{
    int8_t *to = packed;
    for (int32_t i = 0; i < 12 * ((channels + 63) / 64 * 64); i++)
        to[i] = 0;
    for (int32_t channel = 0; channel < channels; channel++)
        for (int32_t y = 0; y < 3; y++)
            for (int32_t x = 0; x < 3; x++)
                to[12 * (channel / 64 * 64) + 256 * x + 4 * NAME(depthwise_place)(channel % 64) + y] =
                    (int8_t)weights[9 * channel + 3 * y + x];
}

static void NAME(arrange_depthwise)(const uint32_t *numbers, int32_t channels, uint32_t *arranged)
{
    for (int32_t i = 0; i < (channels + 63) / 64 * 64; i++)
        arranged[i] = 0;
    for (int32_t channel = 0; channel < channels; channel++)
        arranged[channel / 64 * 64 + NAME(depthwise_place)(channel % 64)] = numbers[channel];
}
