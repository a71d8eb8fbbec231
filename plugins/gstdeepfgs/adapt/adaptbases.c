/* deepfgsadapt: what it asks of the encoder before it, so that bases fit. */
#include "adapt.h"

#define GST_CAT_DEFAULT deepfgsadapt_debug

/* A request that names this element; without a bitrate, that it asks for nothing any more. */
static GstEvent *base_request(GstDeepFGSAdapt *self, const DeepFGSBaseRequest *request)
{
    GstStructure *fields = gst_structure_new(DEEPFGS_BASE_REQUEST, "sender", G_TYPE_UINT64, (guint64)(guintptr)self,
                                             "bitrate", G_TYPE_UINT64, request ? (guint64)request->bitrate : 0, NULL);
    if (request)
        gst_structure_set(fields, "packet-overhead", G_TYPE_UINT, request->packet_overhead, "packet-bytes", G_TYPE_UINT,
                          request->packet_bytes, NULL);
    return gst_event_new_custom(GST_EVENT_CUSTOM_UPSTREAM, fields);
}

void deepfgs_adapt_ask(GstDeepFGSAdapt *self)
{
    DeepFGSBaseRequest request;
    g_mutex_lock(&self->lock);
    gboolean asks = self->request_bases;
    gboolean changed = asks && deepfgs_adaptive_sender_base_request(self->sender, deepfgs_adapt_now(), &request);
    gboolean lets_go = self->has_asked && !asks;
    self->has_asked = asks && (self->has_asked || changed);
    g_mutex_unlock(&self->lock);
    /* Whether anything hears it or not: behind a file or a network nobody does. */
    if (changed || lets_go)
        gst_pad_push_event(self->sink, base_request(self, changed ? &request : NULL));
}

void deepfgs_adapt_let_go(GstDeepFGSAdapt *self)
{
    g_mutex_lock(&self->lock);
    gboolean has_asked = self->has_asked;
    self->has_asked = FALSE;
    g_mutex_unlock(&self->lock);
    if (has_asked)
        gst_pad_push_event(self->sink, base_request(self, NULL));
}
