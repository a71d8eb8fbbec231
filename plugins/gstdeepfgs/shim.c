/* What crosses the border, in GStreamer's terms: errors, statistics. */
#include "shim.h"

GQuark deepfgs_error_domain(DeepFGSStatus status)
{
    switch (status) {
    case DEEPFGS_ERROR_NOT_FOUND:
    case DEEPFGS_ERROR_SETTINGS:
        return GST_RESOURCE_ERROR;
    case DEEPFGS_ERROR_FORMAT:
    case DEEPFGS_ERROR_DAMAGED:
        return GST_STREAM_ERROR;
    default:
        return GST_LIBRARY_ERROR;
    }
}

gint deepfgs_error_code(DeepFGSStatus status)
{
    switch (status) {
    case DEEPFGS_ERROR_NOT_FOUND:
        return GST_RESOURCE_ERROR_NOT_FOUND;
    case DEEPFGS_ERROR_SETTINGS:
        return GST_RESOURCE_ERROR_SETTINGS;
    case DEEPFGS_ERROR_FORMAT:
        return GST_STREAM_ERROR_FORMAT;
    case DEEPFGS_ERROR_DAMAGED:
        return GST_STREAM_ERROR_DECODE;
    default:
        return GST_LIBRARY_ERROR_FAILED;
    }
}

GstStructure *deepfgs_structure_of(const gchar *name, const DeepFGSStatistic *fields, gsize count)
{
    GstStructure *out = gst_structure_new_empty(name);
    for (gsize i = 0; i < count; i++) {
        const DeepFGSStatistic *field = &fields[i];
        switch (field->type) {
        case DEEPFGS_VALUE_UINT64:
            gst_structure_set(out, field->name, G_TYPE_UINT64, (guint64)field->uint64, NULL);
            break;
        case DEEPFGS_VALUE_INT64:
            gst_structure_set(out, field->name, G_TYPE_INT64, (gint64)field->int64, NULL);
            break;
        case DEEPFGS_VALUE_DOUBLE:
            gst_structure_set(out, field->name, G_TYPE_DOUBLE, field->real, NULL);
            break;
        case DEEPFGS_VALUE_STRING:
            gst_structure_set(out, field->name, G_TYPE_STRING, field->text, NULL);
            break;
        }
    }
    return out;
}
