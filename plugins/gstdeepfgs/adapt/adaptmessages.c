/* deepfgsadapt: what it tells of the frames and of the estimate. */
#include "adapt.h"

#define GST_CAT_DEFAULT deepfgsadapt_debug

/* The estimate is told of when it has moved by so much, and no more often than this. */
#define TELL_CHANGE 0.01
#define TELL_INTERVAL (100 * GST_MSECOND)

/* What the bitrate follows from now on, where that has changed; else NULL. Lock held. */
static GstStructure *feedback_news(GstDeepFGSAdapt *self, gint64 now)
{
    DeepFGSFeedbackState state = deepfgs_adaptive_sender_feedback_state(self->sender, now);
    if (state == self->feedback_told)
        return NULL;
    self->feedback_told = state;
    if (state == DEEPFGS_FEEDBACK_AWAITED)
        return NULL;
    const gchar *name = deepfgs_feedback_state_name(state);
    guint64 target = (guint64)deepfgs_adaptive_sender_target_bitrate(self->sender, now);
    GST_INFO_OBJECT(self, "feedback: %s, %" G_GUINT64_FORMAT " bit/s", name, target);
    return gst_structure_new("deepfgs-feedback", "feedback", G_TYPE_STRING, name, "target-bitrate", G_TYPE_UINT64,
                             target, NULL);
}

GstStructure *deepfgs_adapt_report(GstDeepFGSAdapt *self)
{
    DeepFGSFrameReport report;
    gint64 now = deepfgs_adapt_now();
    GstStructure *news = feedback_news(self, now);
    if (news)
        return news;
    while (deepfgs_adaptive_sender_report(self->sender, &report)) {
        const gchar *reason = deepfgs_drop_reason_name(report.reason);
        GST_LOG_OBJECT(self, "frame %u: %" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT " bytes, %s", report.frame_number,
                       report.bytes_sent, report.bytes, reason);
        if (!report.packets_sent)
            self->skipped++;
        if (self->frame_messages)
            return gst_structure_new(
                "deepfgs-frame-sent", "frame", G_TYPE_UINT, (guint)report.frame_number, "rtp-timestamp", G_TYPE_UINT,
                report.timestamp, "bytes", G_TYPE_UINT64, report.bytes, "bytes-sent", G_TYPE_UINT64, report.bytes_sent,
                "wire-bytes", G_TYPE_UINT64, report.wire_bytes, "packets", G_TYPE_UINT, (guint)report.packets_sent,
                "repair-packets", G_TYPE_UINT, (guint)report.repair_packets_sent, "target-bitrate", G_TYPE_UINT64,
                (guint64)deepfgs_adaptive_sender_target_bitrate(self->sender, now), "reason", G_TYPE_STRING, reason,
                NULL);
        if (self->skipped && now - self->skipped_told >= GST_SECOND) {
            GstStructure *message = gst_structure_new("deepfgs-frames-skipped", "frames", G_TYPE_UINT, self->skipped,
                                                      "reason", G_TYPE_STRING, reason, NULL);
            self->skipped = 0;
            self->skipped_told = now;
            return message;
        }
    }
    return NULL;
}

void deepfgs_adapt_notify(GstDeepFGSAdapt *self, gint64 now)
{
    if (now - self->estimate_told_at < (gint64)TELL_INTERVAL)
        return;
    g_mutex_lock(&self->lock);
    gdouble estimate = deepfgs_adaptive_sender_estimated_bitrate(self->sender);
    g_mutex_unlock(&self->lock);
    if (ABS(estimate - self->estimate_told) <= TELL_CHANGE * self->estimate_told)
        return;
    self->estimate_told = estimate;
    self->estimate_told_at = now;
    g_object_notify(G_OBJECT(self), "estimated-bitrate");
}
