/* deepfgsenc: bases that fit what senders behind it have room for. */
#include "enc.h"

GST_DEBUG_CATEGORY_EXTERN(deepfgsenc_debug);
#define GST_CAT_DEFAULT deepfgsenc_debug

void deepfgs_enc_take_request(GstDeepFGSEnc *self, const GstStructure *fields)
{
    guint64 sender = 0, bitrate = 0;
    DeepFGSBaseRequest request = {0};
    gst_structure_get_uint64(fields, "sender", &sender);
    gst_structure_get_uint64(fields, "bitrate", &bitrate);
    gst_structure_get_uint(fields, "packet-overhead", &request.packet_overhead);
    if (!gst_structure_get_uint(fields, "packet-bytes", &request.packet_bytes))
        request.packet_bytes = G_MAXUINT16;
    request.bitrate = (gdouble)bitrate;
    GST_LOG_OBJECT(self, "bases may take %" G_GUINT64_FORMAT " bit/s", bitrate);
    GST_OBJECT_LOCK(self);
    if (self->bases)
        deepfgs_base_control_take(self->bases, sender, bitrate ? &request : NULL, deepfgs_enc_now());
    GST_OBJECT_UNLOCK(self);
}

gboolean deepfgs_enc_admit(GstDeepFGSEnc *self, GstClockTime time)
{
    gint64 when = GST_CLOCK_TIME_IS_VALID(time) && time < G_MAXINT64 ? (gint64)time : 0;
    GST_OBJECT_LOCK(self);
    DeepFGSBaseLimits limits = {
        .step = self->base_step,
        .coarsest = self->max_base_step,
        .longest_gap = self->min_framerate > 1e-9 ? (gint64)(GST_SECOND / self->min_framerate) : G_MAXINT64,
    };
    guint step =
        deepfgs_base_control_admit(self->bases, when, (gint64)deepfgs_enc_interval(self), limits, deepfgs_enc_now());
    if (step)
        self->used_step = step;
    else
        self->counts.skipped++;
    GST_OBJECT_UNLOCK(self);
    return step > 0;
}
