#include "CPictures.h"

#include "internal.h"

#include <vips/vips.h>

struct cpictures_reader {
    VipsSource *source;
    VipsImage *image;
};

/* libvips keeps its errors in one buffer for all threads: one call at a time, so that each gets its own. */
static GMutex calls;

static void silent(const gchar *domain, GLogLevelFlags level, const gchar *text, gpointer data)
{
    (void)domain, (void)level, (void)text, (void)data;
}

static gpointer start(gpointer unused)
{
    (void)unused;
    /* Warnings come as failures of the strict reading instead, which name the file. */
    g_log_set_handler("VIPS", G_LOG_LEVEL_MASK | G_LOG_FLAG_FATAL | G_LOG_FLAG_RECURSION, silent, NULL);
    g_log_set_handler("GLib-GObject", G_LOG_LEVEL_WARNING, silent, NULL);
    if (vips_init("deepfgs") != 0)
        return NULL;
    vips_concurrency_set(1);
    /* The cache holds loaders by the address of their bytes, which is used again for other files. */
    vips_cache_set_max(0);
    return GINT_TO_POINTER(1);
}

int cpictures_begin(void)
{
    static GOnce once = G_ONCE_INIT;
    g_mutex_lock(&calls);
    if (g_once(&once, start, NULL) != NULL) {
        vips_error_clear();
        return 1;
    }
    return 0;
}

void cpictures_end(char *message, size_t size)
{
    if (message != NULL && size > 0)
        g_strlcpy(message, vips_error_buffer(), size);
    vips_error_clear();
    g_mutex_unlock(&calls);
}

/* The image as samples of 8 or 16 bits of grey, RGB or CMYK; NULL where it is neither. */
static VipsImage *plain(VipsImage *image, int *colour)
{
    VipsImage *converted = NULL;
    switch (vips_image_get_interpretation(image)) {
    case VIPS_INTERPRETATION_B_W:
    case VIPS_INTERPRETATION_GREY16:
        *colour = CPICTURES_GREY;
        break;
    case VIPS_INTERPRETATION_sRGB:
    case VIPS_INTERPRETATION_RGB:
    case VIPS_INTERPRETATION_RGB16:
        *colour = CPICTURES_RGB;
        break;
    case VIPS_INTERPRETATION_CMYK:
        *colour = CPICTURES_CMYK;
        break;
    case VIPS_INTERPRETATION_MULTIBAND:
        *colour = vips_image_get_bands(image) < 3 ? CPICTURES_GREY : CPICTURES_RGB;
        break;
    case VIPS_INTERPRETATION_LAB:
    case VIPS_INTERPRETATION_LABS:
    case VIPS_INTERPRETATION_XYZ:
    case VIPS_INTERPRETATION_scRGB:
        *colour = CPICTURES_RGB;
        if (vips_colourspace(image, &converted, VIPS_INTERPRETATION_sRGB, NULL) != 0)
            return NULL;
        vips_image_remove(converted, VIPS_META_ICC_NAME);
        break;
    default:
        vips_error("picture", "a colour space that is not supported");
        return NULL;
    }
    if (converted == NULL)
        g_object_ref(converted = image);
    VipsBandFormat format = vips_image_get_format(converted);
    if (vips_image_get_bands(converted) < *colour || vips_image_get_coding(converted) != VIPS_CODING_NONE ||
        (format != VIPS_FORMAT_UCHAR && format != VIPS_FORMAT_USHORT)) {
        vips_error("picture", "samples of a kind that is not supported (8 and 16 bits are)");
        g_object_unref(converted);
        return NULL;
    }
    return converted;
}

static int load(cpictures_reader *reader, const void *bytes, size_t length, const char *loader, int strictness,
                int all_pages)
{
    VipsFailOn fail_on = strictness == CPICTURES_STRICT ? VIPS_FAIL_ON_WARNING : VIPS_FAIL_ON_TRUNCATED;
    /* Only ImageMagick's loader has no variant for sources. */
    if (g_str_has_suffix(loader, "_buffer")) {
        VipsBlob *blob = vips_blob_new(NULL, bytes, length);
        int result = vips_call(loader, blob, &reader->image, "fail_on", fail_on, NULL);
        vips_area_unref(VIPS_AREA(blob));
        return result;
    }
    reader->source = vips_source_new_from_memory(bytes, length);
    if (reader->source == NULL)
        return -1;
    if (all_pages)
        return vips_call(loader, reader->source, &reader->image, "access", VIPS_ACCESS_SEQUENTIAL, "fail_on", fail_on,
                         "n", -1, NULL);
    return vips_call(loader, reader->source, &reader->image, "access", VIPS_ACCESS_SEQUENTIAL, "fail_on", fail_on,
                     NULL);
}

static void release(cpictures_reader *reader)
{
    if (reader->image != NULL)
        g_object_unref(reader->image);
    if (reader->source != NULL)
        g_object_unref(reader->source);
    g_free(reader);
}

static int integer(VipsImage *image, const char *name, int otherwise)
{
    int value;
    return vips_image_get_typeof(image, name) == G_TYPE_INT && vips_image_get_int(image, name, &value) == 0 ? value
                                                                                                            : otherwise;
}

cpictures_reader *cpictures_open(const void *bytes, size_t length, const char *loader, int strictness, int all_pages,
                                 cpictures_info *info, char *message, size_t message_size)
{
    cpictures_reader *reader = NULL;
    if (cpictures_begin()) {
        reader = g_new0(cpictures_reader, 1);
        VipsImage *image = NULL;
        int colour = CPICTURES_RGB;
        if (load(reader, bytes, length, loader, strictness, all_pages) == 0)
            image = plain(reader->image, &colour);
        if (image != NULL) {
            g_object_unref(reader->image);
            reader->image = image;
            info->width = vips_image_get_width(image);
            info->height = all_pages ? vips_image_get_page_height(image) : vips_image_get_height(image);
            info->colour = colour;
            info->bands = vips_image_get_bands(image);
            info->bits = vips_image_get_format(image) == VIPS_FORMAT_USHORT ? 16 : 8;
            info->depth = integer(image, "heif-bitdepth", info->bits);
            info->pages = integer(image, VIPS_META_N_PAGES, 1);
            info->orientation = integer(image, VIPS_META_ORIENTATION, 1);
        } else {
            release(reader);
            reader = NULL;
        }
    }
    cpictures_end(message, message_size);
    return reader;
}

int cpictures_read(cpictures_reader *reader, int32_t top, int32_t rows, void *samples, char *message,
                   size_t message_size)
{
    int done = 0;
    if (cpictures_begin()) {
        VipsRegion *region = vips_region_new(reader->image);
        VipsRect area = {0, top, vips_image_get_width(reader->image), rows};
        size_t line = VIPS_IMAGE_SIZEOF_PEL(reader->image) * (size_t)area.width;
        if (region != NULL && top >= 0 && rows > 0 && rows <= vips_image_get_height(reader->image) - top &&
            vips_region_prepare(region, &area) == 0) {
            for (int row = 0; row < rows; row++)
                memcpy((char *)samples + line * (size_t)row, VIPS_REGION_ADDR(region, 0, top + row), line);
            done = 1;
        }
        if (region != NULL)
            g_object_unref(region);
    }
    cpictures_end(message, message_size);
    return done;
}

const void *cpictures_profile(cpictures_reader *reader, size_t *length)
{
    const void *profile = NULL;
    if (cpictures_begin() && vips_image_get_typeof(reader->image, VIPS_META_ICC_NAME) == VIPS_TYPE_BLOB &&
        vips_image_get_blob(reader->image, VIPS_META_ICC_NAME, &profile, length) != 0)
        profile = NULL;
    cpictures_end(NULL, 0);
    return profile;
}

const int32_t *cpictures_delays(cpictures_reader *reader, int32_t *count)
{
    int *delays = NULL;
    *count = 0;
    if (cpictures_begin() && vips_image_get_typeof(reader->image, "delay") == VIPS_TYPE_ARRAY_INT &&
        vips_image_get_array_int(reader->image, "delay", &delays, count) != 0)
        delays = NULL;
    cpictures_end(NULL, 0);
    return delays;
}

void cpictures_close(cpictures_reader *reader)
{
    cpictures_begin();
    release(reader);
    cpictures_end(NULL, 0);
}
