// Arithmetic that compilers leave to a library.
#if defined(__wasm__)
#include <stdint.h>

typedef union {
    __int128 all;
    struct {
        uint64_t low, high;
    } half;
} Wide;

// The product of two numbers of 128 bits.
__int128 __multi3(__int128 first, __int128 second)
{
    const Wide a = {.all = first}, b = {.all = second};
    const uint64_t mask = 0xFFFFFFFF;
    const uint64_t a0 = a.half.low & mask, a1 = a.half.low >> 32, b0 = b.half.low & mask, b1 = b.half.low >> 32;
    const uint64_t low = a0 * b0, middle = a1 * b0 + (low >> 32), other = a0 * b1 + (middle & mask);
    Wide result;
    result.half.low = other << 32 | (low & mask);
    result.half.high = a1 * b1 + (middle >> 32) + (other >> 32) + a.half.low * b.half.high + a.half.high * b.half.low;
    return result.all;
}

// A number of 16 bits, IEEE binary16, as one of 32.
float __extendhfsf2(uint16_t half)
{
    const uint32_t sign = (uint32_t)(half & 0x8000) << 16, exponent = half >> 10 & 31, fraction = half & 1023;
    union {
        uint32_t bits;
        float number;
    } result;
    if (exponent == 0) {
        result.number = (float)fraction * 0x1p-24f;
        result.bits |= sign;
    } else {
        result.bits = sign | (exponent == 31 ? 255 : exponent + 112) << 23 | fraction << 13;
    }
    return result.number;
}

// A decimal number, as model files have them; what Swift's Double reads from a text. Exact for whole numbers below 2^53;
// others are within a few units of the last place, and no decoder computes with them.
const char *_swift_stdlib_strtod_clocale(const char *text, double *result)
{
    const char *at = text;
    const int negative = *at == '-';
    if (*at == '-' || *at == '+')
        at++;
    double number = 0;
    int32_t digits = 0, exponent = 0;
    for (; *at >= '0' && *at <= '9'; at++, digits++)
        number = 10 * number + (*at - '0');
    if (*at == '.')
        for (at++; *at >= '0' && *at <= '9'; at++, digits++, exponent--)
            number = 10 * number + (*at - '0');
    if (digits == 0)
        return text;
    if (*at == 'e' || *at == 'E') {
        const char *mark = at++;
        const int down = *at == '-';
        if (*at == '-' || *at == '+')
            at++;
        int32_t power = 0;
        const char *first = at;
        for (; *at >= '0' && *at <= '9'; at++)
            power = power < 1000 ? 10 * power + (*at - '0') : power;
        exponent += down ? -power : power;
        if (at == first)
            at = mark;
    }
    for (; exponent > 0 && number < __builtin_inf(); exponent--)
        number *= 10;
    for (; exponent < 0 && number != 0; exponent++)
        number /= 10;
    *result = negative ? -number : number;
    return at;
}
#endif
