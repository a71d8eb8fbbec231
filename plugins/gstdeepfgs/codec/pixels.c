/* Pictures in memory, and how the networks compute. */
#include "pixels.h"

gsize deepfgs_frame_layout(const GstVideoFrame *frame, DeepFGSLayout *layout)
{
    gint stride = GST_VIDEO_FRAME_PLANE_STRIDE(frame, 0);
    if (!GST_VIDEO_INFO_IS_RGB(&frame->info) || GST_VIDEO_FRAME_N_PLANES(frame) != 1 || stride <= 0)
        return 0;
    layout->width = GST_VIDEO_FRAME_WIDTH(frame);
    layout->height = GST_VIDEO_FRAME_HEIGHT(frame);
    layout->stride = stride;
    layout->pixel_stride = GST_VIDEO_FRAME_COMP_PSTRIDE(frame, GST_VIDEO_COMP_R);
    layout->red = GST_VIDEO_FRAME_COMP_POFFSET(frame, GST_VIDEO_COMP_R);
    layout->green = GST_VIDEO_FRAME_COMP_POFFSET(frame, GST_VIDEO_COMP_G);
    layout->blue = GST_VIDEO_FRAME_COMP_POFFSET(frame, GST_VIDEO_COMP_B);
    return frame->map[0].size - ((const guint8 *)GST_VIDEO_FRAME_PLANE_DATA(frame, 0) - frame->map[0].data);
}

DeepFGSColour deepfgs_colour_of(const GstVideoColorimetry *colorimetry)
{
    DeepFGSColour colour = {.known = FALSE};
    if (colorimetry->primaries == GST_VIDEO_COLOR_PRIMARIES_UNKNOWN ||
        colorimetry->transfer == GST_VIDEO_TRANSFER_UNKNOWN ||
        gst_video_colorimetry_matches(colorimetry, GST_VIDEO_COLORIMETRY_SRGB))
        return colour;
    colour.known = TRUE;
    colour.full_range = colorimetry->range != GST_VIDEO_COLOR_RANGE_16_235;
    colour.primaries = gst_video_color_primaries_to_iso(colorimetry->primaries);
    colour.transfer = gst_video_transfer_function_to_iso(colorimetry->transfer);
    colour.matrix = gst_video_color_matrix_to_iso(colorimetry->matrix);
    return colour;
}

GstVideoColorimetry deepfgs_colorimetry_of(const DeepFGSColour *colour)
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

GType deepfgs_precision_get_type(void)
{
    static gsize type;
    static const GEnumValue values[] = {
        {DEEPFGS_PRECISION_AUTO, "bfloat16 where the processor has instructions for it, else float32", "auto"},
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

gboolean deepfgs_set_compute_property(DeepFGSCompute *compute, gboolean running, GObject *object, const GValue *value,
                                      const GParamSpec *spec)
{
    if (g_str_equal(spec->name, "threads"))
        compute->threads = g_value_get_uint(value);
    else if (g_str_equal(spec->name, "precision"))
        compute->precision = g_value_get_enum(value);
    else
        return FALSE;
    if (running)
        g_warning("%s: %s counts when the element starts anew, in READY", GST_OBJECT_NAME(object), spec->name);
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
