/* Pictures in memory, and how the networks compute. */
#include "pixels.h"

DeepFGSRawPicture deepfgs_raw_picture(const GstVideoFrame *frame)
{
    const GstVideoInfo *info = &frame->info;
    DeepFGSRawPicture picture = {
        .width = GST_VIDEO_INFO_WIDTH(info),
        .height = GST_VIDEO_INFO_HEIGHT(info),
        .is_yuv = GST_VIDEO_INFO_IS_YUV(info),
        .halves_rows = GST_VIDEO_FORMAT_INFO_H_SUB(info->finfo, 1) == 1,
        .is_cosited = (info->chroma_site & GST_VIDEO_CHROMA_SITE_H_COSITED) != 0,
        .full_range = info->colorimetry.range == GST_VIDEO_COLOR_RANGE_0_255,
        .matrix = gst_video_color_matrix_to_iso(info->colorimetry.matrix),
    };
    for (guint i = 0; i < 3; i++) {
        guint plane = GST_VIDEO_FORMAT_INFO_PLANE(info->finfo, i);
        /* Planes have memories of their own only where metadata says where they are. */
        const GstMapInfo *map = &frame->map[frame->meta ? plane : 0];
        guint8 *samples = frame->data[plane];
        picture.components[i] = (DeepFGSComponent){
            .samples = samples,
            .size = map->size - (samples - map->data),
            .stride = MAX(GST_VIDEO_FRAME_PLANE_STRIDE(frame, plane), 0),
            .step = GST_VIDEO_FORMAT_INFO_PSTRIDE(info->finfo, i),
            .offset = GST_VIDEO_FORMAT_INFO_POFFSET(info->finfo, i),
        };
    }
    if (GST_VIDEO_INFO_HAS_ALPHA(info)) {
        /* In the one plane that these formats have. */
        picture.has_alpha = TRUE;
        picture.alpha = picture.components[0];
        picture.alpha.offset = GST_VIDEO_FORMAT_INFO_POFFSET(info->finfo, GST_VIDEO_COMP_A);
    }
    return picture;
}

DeepFGSColour deepfgs_colour_of(const GstCaps *caps, const GstVideoInfo *info)
{
    const GstVideoColorimetry *colorimetry = &info->colorimetry;
    DeepFGSColour colour = {.known = FALSE};
    /* What the caps leave out is a guess. */
    if (!gst_structure_has_field(gst_caps_get_structure(caps, 0), "colorimetry") ||
        colorimetry->primaries == GST_VIDEO_COLOR_PRIMARIES_UNKNOWN ||
        colorimetry->transfer == GST_VIDEO_TRANSFER_UNKNOWN ||
        gst_video_colorimetry_matches(colorimetry, GST_VIDEO_COLORIMETRY_SRGB))
        return colour;
    colour.known = TRUE;
    colour.full_range = GST_VIDEO_INFO_IS_YUV(info) || colorimetry->range != GST_VIDEO_COLOR_RANGE_16_235;
    colour.primaries = gst_video_color_primaries_to_iso(colorimetry->primaries);
    colour.transfer = gst_video_transfer_function_to_iso(colorimetry->transfer);
    colour.matrix =
        gst_video_color_matrix_to_iso(GST_VIDEO_INFO_IS_YUV(info) ? GST_VIDEO_COLOR_MATRIX_RGB : colorimetry->matrix);
    return colour;
}

gboolean deepfgs_colour_equal(const DeepFGSColour *one, const DeepFGSColour *other)
{
    return one->known == other->known &&
           (!one->known || (one->full_range == other->full_range && one->primaries == other->primaries &&
                            one->transfer == other->transfer && one->matrix == other->matrix));
}

static GstVideoColorimetry deepfgs_rgb_colorimetry(const DeepFGSColour *colour)
{
    GstVideoColorimetry colorimetry;
    gst_video_colorimetry_from_string(&colorimetry, GST_VIDEO_COLORIMETRY_SRGB);
    if (colour->known) {
        colorimetry.range = colour->full_range ? GST_VIDEO_COLOR_RANGE_0_255 : GST_VIDEO_COLOR_RANGE_16_235;
        colorimetry.primaries = gst_video_color_primaries_from_iso(colour->primaries);
        colorimetry.transfer = gst_video_transfer_function_from_iso(colour->transfer);
        colorimetry.matrix = gst_video_color_matrix_from_iso(colour->matrix);
    }
    return colorimetry;
}

/* The matrix that goes with primaries; UNKNOWN where none does. */
static GstVideoColorMatrix deepfgs_matrix_of(GstVideoColorPrimaries primaries)
{
    switch (primaries) {
    case GST_VIDEO_COLOR_PRIMARIES_BT709:
        return GST_VIDEO_COLOR_MATRIX_BT709;
    case GST_VIDEO_COLOR_PRIMARIES_BT470BG:
    case GST_VIDEO_COLOR_PRIMARIES_SMPTE170M:
        return GST_VIDEO_COLOR_MATRIX_BT601;
    case GST_VIDEO_COLOR_PRIMARIES_SMPTE240M:
        return GST_VIDEO_COLOR_MATRIX_SMPTE240M;
    case GST_VIDEO_COLOR_PRIMARIES_BT2020:
        return GST_VIDEO_COLOR_MATRIX_BT2020;
    default:
        return GST_VIDEO_COLOR_MATRIX_UNKNOWN;
    }
}

void deepfgs_set_colorimetry(GstVideoInfo *info, const DeepFGSColour *colour, const GstStructure *wanted)
{
    if (!GST_VIDEO_INFO_IS_YUV(info)) {
        info->colorimetry = deepfgs_rgb_colorimetry(colour);
        return;
    }
    /* GStreamer's own choice by the picture's size stands where nobody knows better. */
    GstVideoInfo plain;
    gst_video_info_set_format(&plain, GST_VIDEO_INFO_FORMAT(info), GST_VIDEO_INFO_WIDTH(info),
                              GST_VIDEO_INFO_HEIGHT(info));
    info->colorimetry = plain.colorimetry;
    info->chroma_site = plain.chroma_site;
    const gchar *words = wanted ? gst_structure_get_string(wanted, "colorimetry") : NULL;
    GstVideoColorimetry asked;
    gboolean is_asked = words && gst_video_colorimetry_from_string(&asked, words) &&
                        asked.matrix != GST_VIDEO_COLOR_MATRIX_UNKNOWN && asked.matrix != GST_VIDEO_COLOR_MATRIX_RGB;
    if (is_asked)
        info->colorimetry = asked;
    if (colour->known) {
        info->colorimetry.primaries = gst_video_color_primaries_from_iso(colour->primaries);
        info->colorimetry.transfer = gst_video_transfer_function_from_iso(colour->transfer);
        GstVideoColorMatrix matrix = deepfgs_matrix_of(info->colorimetry.primaries);
        if (!is_asked && matrix != GST_VIDEO_COLOR_MATRIX_UNKNOWN)
            info->colorimetry.matrix = matrix;
    }
    const gchar *site = wanted ? gst_structure_get_string(wanted, "chroma-site") : NULL;
    if (site)
        info->chroma_site = gst_video_chroma_site_from_string(site);
}

GType deepfgs_precision_get_type(void)
{
    static gsize type;
    static const GEnumValue values[] = {
        {DEEPFGS_PRECISION_AUTO, "bfloat16 where the processor is faster with it, else float32", "auto"},
        {DEEPFGS_PRECISION_FLOAT32, "32-bit floating point", "float32"},
        {DEEPFGS_PRECISION_BFLOAT16, "bfloat16, slow where the processor has no instructions for it", "bfloat16"},
        {0, NULL, NULL},
    };
    if (g_once_init_enter(&type))
        g_once_init_leave(&type, g_enum_register_static("GstDeepFGSPrecision", values));
    return type;
}

void deepfgs_install_compute_properties(GObjectClass *object_class, guint threads, guint precision)
{
    g_object_class_install_property(
        object_class, threads,
        g_param_spec_uint("threads", "Threads",
                          "Threads that work on one picture; 0 means as many as the process may run on", 0, 1024, 0,
                          G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY));
    g_object_class_install_property(
        object_class, precision,
        g_param_spec_enum("precision", "Precision",
                          "Arithmetic of the networks between pixels and latents; the entropy coder's are exact",
                          DEEPFGS_TYPE_PRECISION, DEEPFGS_PRECISION_AUTO,
                          G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY));
    gst_type_mark_as_plugin_api(DEEPFGS_TYPE_PRECISION, 0);
}

gboolean deepfgs_set_compute_property(DeepFGSCompute *compute, const GValue *value, const GParamSpec *spec)
{
    if (g_str_equal(spec->name, "threads"))
        compute->threads = g_value_get_uint(value);
    else if (g_str_equal(spec->name, "precision"))
        compute->precision = g_value_get_enum(value);
    else
        return FALSE;
    return TRUE;
}

gboolean deepfgs_get_compute_property(const DeepFGSCompute *compute, GValue *value, const GParamSpec *spec)
{
    if (g_str_equal(spec->name, "threads"))
        g_value_set_uint(value, compute->threads);
    else if (g_str_equal(spec->name, "precision"))
        g_value_set_enum(value, compute->precision);
    else
        return FALSE;
    return TRUE;
}
