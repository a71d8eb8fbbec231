#include "CPictures.h"

#include "internal.h"

#include <vips/vips.h>

static int save(VipsImage *image, int format, int quality, void **file, size_t *length)
{
    switch (format) {
    case CPICTURES_PNG:
        return vips_pngsave_buffer(image, file, length, "strip", TRUE, NULL);
    case CPICTURES_JPEG:
        return vips_jpegsave_buffer(image, file, length, "Q", quality, "optimize_coding", TRUE, "subsample_mode",
                                    VIPS_FOREIGN_SUBSAMPLE_OFF, "strip", TRUE, NULL);
    case CPICTURES_WEBP:
        return vips_webpsave_buffer(image, file, length, "Q", quality, "smart_subsample", TRUE, "strip", TRUE, NULL);
    default:
        vips_error("picture", "no such format");
        return -1;
    }
}

void *cpictures_encode(const void *rgb, int32_t width, int32_t height, int format, int32_t quality, size_t *length,
                       char *message, size_t message_size)
{
    void *file = NULL;
    if (cpictures_begin()) {
        VipsImage *plain =
            vips_image_new_from_memory(rgb, (size_t)width * (size_t)height * 3, width, height, 3, VIPS_FORMAT_UCHAR);
        VipsImage *image = NULL;
        if (plain != NULL && vips_copy(plain, &image, "interpretation", VIPS_INTERPRETATION_sRGB, NULL) == 0 &&
            save(image, format, quality, &file, length) != 0)
            file = NULL;
        if (image != NULL)
            g_object_unref(image);
        if (plain != NULL)
            g_object_unref(plain);
    }
    cpictures_end(message, message_size);
    return file;
}

void cpictures_free(void *file) { g_free(file); }
