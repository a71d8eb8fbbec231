/* The picture libraries, and small functions in place of the macros that Swift cannot import. */
#ifndef CIMAGEFORMATS_SHIM_H
#define CIMAGEFORMATS_SHIM_H

#include <png.h>
#include <string.h>
#include <turbojpeg.h>
#include <webp/decode.h>

/* A zeroed control structure of libpng's simplified interface, ready to read or write 8-bit sRGB. */
static inline png_image png_rgb_image(void)
{
    png_image image;
    memset(&image, 0, sizeof image);
    image.version = PNG_IMAGE_VERSION;
    image.format = PNG_FORMAT_RGB;
    image.flags = PNG_IMAGE_FLAG_16BIT_sRGB;
    return image;
}

/* Whether the last call failed; warnings do not count. */
static inline int png_rgb_failed(const png_image *image) { return PNG_IMAGE_FAILED(*image); }

/* What libpng said last; valid as long as the structure. */
static inline const char *png_rgb_message(const png_image *image) { return image->message; }

/* Upper bound in bytes of the PNG file of a picture. */
static inline size_t png_rgb_size_bound(const png_image *image) { return PNG_IMAGE_PNG_SIZE_MAX(*image); }

#endif
