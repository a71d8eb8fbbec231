/*
 * Picture files through libvips and colour through Little CMS: what Swift cannot call itself, since it is variadic or
 * made of macros.
 *
 * Every function may be called from any thread; one reader is used by one thread at a time. Functions that can fail
 * return NULL or 0 and write the reason, in libvips' words, to `message`, always terminated.
 */
#ifndef CPICTURES_H
#define CPICTURES_H

#include <stddef.h>
#include <stdint.h>

/* What the samples mean; the value is the number of bands without alpha. */
enum { CPICTURES_GREY = 1, CPICTURES_RGB = 3, CPICTURES_CMYK = 4 };

/* What a decoder does with a damaged file: goes on where it can, or fails at the first thing that is not as it should. */
enum { CPICTURES_LENIENT = 0, CPICTURES_STRICT = 1 };

typedef struct {
    int32_t width, height; /* of one page, in pixels */
    int32_t colour;        /* one of CPICTURES_GREY, …_RGB, …_CMYK */
    int32_t bands;         /* samples a pixel; the one behind the colour is alpha, those behind that mean nothing */
    int32_t bits;          /* 8 or 16, in the machine's byte order */
    int32_t depth;         /* bits that a HEIF file's samples had, at the upper end of 16; else as bits */
    int32_t pages;         /* frames of an animation, or pages */
    int32_t orientation;   /* 1 to 8 as in TIFF */
} cpictures_info;

typedef struct cpictures_reader cpictures_reader;

/*
 * Opens a picture file in memory, which must stay there until the reader is closed. No pixels are decoded yet.
 *
 * loader: libvips' operation, such as "pngload_source". all_pages: whether all pages are read, one below the other,
 * for loaders that have pages.
 */
cpictures_reader *cpictures_open(const void *bytes, size_t length, const char *loader, int strictness, int all_pages,
                                 cpictures_info *info, char *message, size_t message_size);

/* The next rows of the picture, `bands` samples a pixel without gaps; must be asked for from top to bottom. */
int cpictures_read(cpictures_reader *reader, int32_t top, int32_t rows, void *samples, char *message,
                   size_t message_size);

/* The embedded colour profile; NULL where there is none. Valid as long as the reader. */
const void *cpictures_profile(cpictures_reader *reader, size_t *length);

/* How long each page is shown, in milliseconds; NULL where the file does not say. Valid as long as the reader. */
const int32_t *cpictures_delays(cpictures_reader *reader, int32_t *count);

void cpictures_close(cpictures_reader *reader);

/* A file format to write. */
enum { CPICTURES_PNG, CPICTURES_JPEG, CPICTURES_WEBP };

/*
 * Encodes 8-bit sRGB pixels. quality: 1 to 100 for JPEG and WebP. The result must be given to `cpictures_free`.
 */
void *cpictures_encode(const void *rgb, int32_t width, int32_t height, int format, int32_t quality, size_t *length,
                       char *message, size_t message_size);
void cpictures_free(void *file);

/* A conversion of samples to sRGB with the same number of bits. */
typedef struct cpictures_transform cpictures_transform;

/* From an ICC profile; NULL where it is damaged or is not one for such samples. Intent: perceptual. */
cpictures_transform *cpictures_transform_profile(const void *profile, size_t length, int32_t colour, int32_t bands,
                                                 int32_t bits);

/*
 * From a transfer function (an exponent; 0 for that of sRGB) and, for RGB, chromaticities (x and y of white, red,
 * green and blue); NULL where they make no sense.
 */
cpictures_transform *cpictures_transform_primaries(double exponent, const double chromaticities[8], int32_t colour,
                                                   int32_t bands, int32_t bits);

/* The largest change of a sample, in 255ths, over a grid of all colours. */
int32_t cpictures_transform_change(const cpictures_transform *transform);

/* `samples` has `bands` samples a pixel, `rgb` gets three. */
void cpictures_transform_apply(const cpictures_transform *transform, const void *samples, void *rgb, size_t pixels);

void cpictures_transform_free(cpictures_transform *transform);

#endif
