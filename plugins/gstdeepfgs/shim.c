/* Errors that cross the border, in GStreamer's terms. */
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
