// What becomes of 32 sums on AVX-512: NAME(finish_pair).
//
// Two vectors are narrowed together by an instruction that works on quarters of 128 bits; their outputs are dealt out so
// that the result comes in order: the vectors hold, in each quarter, the first and the second four of eight outputs.
// Conversion rounds to the nearest even integer; what is over 2^31 would become negative, hence the one limit before it.

#define SCALED_INTEGERS(sum, factors)                                                                                  \
    _mm512_cvtps_epi32(                                                                                                \
        _mm512_min_ps(_mm512_mul_ps(_mm512_cvtepi32_ps(sum), _mm512_loadu_ps(factors)), _mm512_set1_ps(0x1p30f)))

TARGET static inline __attribute__((always_inline)) void NAME(store_words)(__m512i words, int32_t offset, INPUT *target)
{
    if (sizeof(INPUT) == 1)
        // 0 to 255, or -127 to 127 raised by 128: the low bytes are the activations.
        _mm256_storeu_si256((__m256i *)target,
                            _mm512_cvtepi16_epi8(_mm512_add_epi16(words, _mm512_set1_epi16((int16_t)offset))));
    else
        _mm512_storeu_si512(target, _mm512_add_epi16(words, _mm512_set1_epi16((int16_t)offset)));
}

TARGET static inline __attribute__((always_inline)) void NAME(finish_pair)(const DeepFGSConvolution *c,
                                                                           DeepFGSResultKind kind, __m512i first,
                                                                           __m512i second, int32_t output, int32_t row,
                                                                           int32_t column)
{
    const DeepFGSPlace at = deepfgs_place(c, output, row, column);
    char *target = (char *)c->output + at.row * c->output_row + at.column * c->output_position;
    if (kind == DEEPFGS_RESULT_SUM || kind == DEEPFGS_RESULT_WIDE) {
        if (kind == DEEPFGS_RESULT_WIDE) {
            const v16f low = c->low, high = c->high;
            const v16f *factors = (const v16f *)(c->multiplier + output);
            first = (__m512i)ROUNDED(CLAMPED(SCALED((v16i)first, ((const v16f_unaligned *)factors)[0]), low, high));
            second = (__m512i)ROUNDED(CLAMPED(SCALED((v16i)second, ((const v16f_unaligned *)factors)[1]), low, high));
        }
        int32_t *to = (int32_t *)target + at.channel;
        const __m512i even = _mm512_set_epi64(11, 10, 3, 2, 9, 8, 1, 0),
                      odd = _mm512_set_epi64(15, 14, 7, 6, 13, 12, 5, 4);
        _mm512_storeu_si512(to, _mm512_permutex2var_epi64(first, even, second));
        _mm512_storeu_si512(to + 16, _mm512_permutex2var_epi64(first, odd, second));
        return;
    }
    first = SCALED_INTEGERS(first, c->multiplier + output);
    second = SCALED_INTEGERS(second, c->multiplier + output + 16);
    const __m512i least = _mm512_set1_epi16(-32767);
    __m512i words = _mm512_packs_epi32(first, second);
    if (kind == DEEPFGS_RESULT_ACTIVATION) {
        words = _mm512_max_epi16(words, _mm512_set1_epi16((int16_t)c->low));
        words = _mm512_min_epi16(words, _mm512_set1_epi16((int16_t)c->high));
        NAME(store_words)(words, c->offset, (INPUT *)target + at.channel);
        return;
    }
    int16_t *stream =
        (int16_t *)((char *)c->stream + at.row * c->stream_row + at.column * c->stream_position) + at.channel;
    words = _mm512_max_epi16(words, least);
    if (c->adds)
        words = _mm512_max_epi16(_mm512_adds_epi16(words, _mm512_loadu_si512(stream)), least);
    _mm512_storeu_si512(stream, words);
    if (!c->enter)
        return;
    first = _mm512_srai_epi32(_mm512_unpacklo_epi16(words, words), 16);
    second = _mm512_srai_epi32(_mm512_unpackhi_epi16(words, words), 16);
    first = SCALED_INTEGERS(first, c->enter + at.channel);
    second = SCALED_INTEGERS(second, c->enter + at.channel + 16);
    words = _mm512_packs_epi32(first, second);
    words = _mm512_min_epi16(_mm512_max_epi16(words, _mm512_set1_epi16(-127)), _mm512_set1_epi16(127));
    NAME(store_words)(words, c->offset, (INPUT *)target + at.channel);
}
#undef SCALED_INTEGERS
