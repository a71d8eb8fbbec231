#include "CPictures.h"

#include <lcms2.h>
#include <stdlib.h>

struct cpictures_transform {
    cmsHTRANSFORM pixels; /* of the picture */
    cmsHTRANSFORM bytes;  /* the same without alpha and with 8 bits, to find out what it does */
    int32_t colour;
};

static cmsUInt32Number type(int32_t colour, int32_t bands, int32_t bits)
{
    int space = colour == CPICTURES_GREY ? PT_GRAY : colour == CPICTURES_CMYK ? PT_CMYK : PT_RGB;
    return COLORSPACE_SH(space) | CHANNELS_SH(colour) | EXTRA_SH(bands - colour) | BYTES_SH(bits / 8);
}

/* Takes the profile. */
static cpictures_transform *transform(cmsHPROFILE from, int32_t colour, int32_t bands, int32_t bits)
{
    cpictures_transform *result = calloc(1, sizeof *result);
    cmsHPROFILE to = cmsCreate_sRGBProfile();
    cmsColorSpaceSignature space = colour == CPICTURES_GREY   ? cmsSigGrayData
                                   : colour == CPICTURES_CMYK ? cmsSigCmykData
                                                              : cmsSigRgbData;
    if (result != NULL && from != NULL && to != NULL && cmsGetColorSpace(from) == space && bands - colour < 8) {
        result->colour = colour;
        result->pixels = cmsCreateTransform(from, type(colour, bands, bits), to, type(CPICTURES_RGB, 3, bits),
                                            INTENT_PERCEPTUAL, cmsFLAGS_NOCACHE);
        result->bytes = cmsCreateTransform(from, type(colour, colour, 8), to, type(CPICTURES_RGB, 3, 8),
                                           INTENT_PERCEPTUAL, cmsFLAGS_NOCACHE);
    }
    if (from != NULL)
        cmsCloseProfile(from);
    if (to != NULL)
        cmsCloseProfile(to);
    if (result != NULL && (result->pixels == NULL || result->bytes == NULL)) {
        cpictures_transform_free(result);
        return NULL;
    }
    return result;
}

cpictures_transform *cpictures_transform_profile(const void *profile, size_t length, int32_t colour, int32_t bands,
                                                 int32_t bits)
{
    if (length > UINT32_MAX)
        return NULL;
    return transform(cmsOpenProfileFromMem(profile, (cmsUInt32Number)length), colour, bands, bits);
}

cpictures_transform *cpictures_transform_primaries(double exponent, const double chromaticities[8], int32_t colour,
                                                   int32_t bands, int32_t bits)
{
    /* IEC 61966-2-1. */
    cmsFloat64Number srgb[5] = {2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045};
    cmsToneCurve *curve = exponent > 0 ? cmsBuildGamma(NULL, exponent) : cmsBuildParametricToneCurve(NULL, 4, srgb);
    if (curve == NULL)
        return NULL;
    cmsCIExyY white = {chromaticities[0], chromaticities[1], 1};
    cmsCIExyYTRIPLE primaries = {
        {chromaticities[2], chromaticities[3], 1},
        {chromaticities[4], chromaticities[5], 1},
        {chromaticities[6], chromaticities[7], 1},
    };
    cmsToneCurve *curves[3] = {curve, curve, curve};
    cmsHPROFILE from = colour == CPICTURES_GREY ? cmsCreateGrayProfile(&white, curve)
                                                : cmsCreateRGBProfile(&white, &primaries, curves);
    cmsFreeToneCurve(curve);
    return transform(from, colour, bands, bits);
}

int32_t cpictures_transform_change(const cpictures_transform *transform)
{
    int32_t largest = 0;
    if (transform->colour == CPICTURES_CMYK)
        return 255;
    /* All greys, or a grid of 18 steps an axis. */
    int grey = transform->colour == CPICTURES_GREY, steps = grey ? 256 : 18, step = grey ? 1 : 15;
    for (int r = 0; r < steps; r++)
        for (int g = 0; g < (grey ? 1 : steps); g++)
            for (int b = 0; b < (grey ? 1 : steps); b++) {
                uint8_t in[3] = {(uint8_t)(r * step), (uint8_t)(g * step), (uint8_t)(b * step)}, out[3];
                cmsDoTransform(transform->bytes, in, out, 1);
                for (int band = 0; band < 3; band++) {
                    int32_t change = abs(out[band] - in[grey ? 0 : band]);
                    largest = change > largest ? change : largest;
                }
            }
    return largest;
}

void cpictures_transform_apply(const cpictures_transform *transform, const void *samples, void *rgb, size_t pixels)
{
    cmsDoTransform(transform->pixels, samples, rgb, (cmsUInt32Number)pixels);
}

void cpictures_transform_free(cpictures_transform *transform)
{
    if (transform->pixels != NULL)
        cmsDeleteTransform(transform->pixels);
    if (transform->bytes != NULL)
        cmsDeleteTransform(transform->bytes);
    free(transform);
}
