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
