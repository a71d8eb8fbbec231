/* deepfgsadapt: the way of packets through it. The sink pad's thread takes them in; the source pad's own thread sends,
 * drops and waits as the adaptive sender says. */
#include <gst/rtp/rtp.h>

#include "adapt.h"
#include "rtp/framemarking.h"

#define GST_CAT_DEFAULT deepfgsadapt_debug

/* Waits for a change of state, or until a time where it is positive. Lock held. */
static void wait_change(GstDeepFGSAdapt *self, gint64 until)
{
    if (until > 0)
        g_cond_wait_until(&self->change, &self->lock, (until + 999) / 1000);
    else
        g_cond_wait(&self->change, &self->lock);
}

/* The last packet that is sent of a frame is the last in its layer too. */
static void mark_end(GstRTPBuffer *rtp, guint8 id)
{
    gpointer data = NULL;
    guint size = 0;
    guint8 bits;
    gboolean found = id < 15 && gst_rtp_buffer_get_extension_onebyte_header(rtp, id, 0, &data, &size);
    if (!found)
        found = gst_rtp_buffer_get_extension_twobytes_header(rtp, &bits, id, 0, &data, &size);
    if (found && size)
        *(guint8 *)data |= DEEPFGS_FRAME_MARKING_END >> 8;
}

/* A packet that may be changed. A copy has its own bytes: memory that the branches of a tee share counts its buffers in
 * one list, on which a hundred branches wait for each other. */
static GstBuffer *make_own(GstBuffer *buffer)
{
    if (gst_buffer_is_writable(buffer))
        return buffer;
    GstBuffer *copy = gst_buffer_copy_deep(buffer);
    gst_buffer_unref(buffer);
    return copy;
}

/* The packet as it leaves: shortened, renumbered, marked. Its decoding time is the pipeline's latency before its
 * presentation time, which is over: a sink that synchronises would else hold all packets of a frame back to its end. */
static GstBuffer *finish_packet(GstDeepFGSAdapt *self, GstBuffer *buffer, const DeepFGSStep *step,
                                GstClockTime earliest, GstClockTime latency)
{
    GstRTPBuffer rtp = GST_RTP_BUFFER_INIT;
    buffer = make_own(buffer);
    if (!gst_rtp_buffer_map(buffer, GST_MAP_READWRITE, &rtp))
        return buffer;
    gst_rtp_buffer_set_seq(&rtp, step->sequence_number);
    gst_rtp_buffer_set_marker(&rtp, step->marker);
    gst_rtp_buffer_set_padding(&rtp, FALSE);
    if (step->marker && self->marking_id)
        mark_end(&rtp, self->marking_id);
    gsize size = gst_rtp_buffer_get_header_len(&rtp) + step->payload_size;
    gst_rtp_buffer_unmap(&rtp);
    if (size < gst_buffer_get_size(buffer))
        gst_buffer_set_size(buffer, (gssize)size);
    if (step->marker)
        GST_BUFFER_FLAG_SET(buffer, GST_BUFFER_FLAG_MARKER);
    else
        GST_BUFFER_FLAG_UNSET(buffer, GST_BUFFER_FLAG_MARKER);
    GstClockTime pts = GST_BUFFER_PTS(buffer);
    if (latency && GST_CLOCK_TIME_IS_VALID(pts))
        GST_BUFFER_DTS(buffer) = pts > earliest + latency ? pts - latency : MIN(pts, earliest);
    return buffer;
}

void deepfgs_adapt_discard(GstDeepFGSAdapt *self)
{
    DeepFGSStep step;
    DeepFGSFrameReport report;
    deepfgs_adaptive_sender_flush(self->sender);
    while ((step = deepfgs_adaptive_sender_next(self->sender, deepfgs_adapt_now())).kind == DEEPFGS_STEP_DROP)
        gst_buffer_unref((GstBuffer *)(guintptr)step.token);
    while (deepfgs_adaptive_sender_report(self->sender, &report))
        ;
    self->idle = TRUE;
    g_cond_broadcast(&self->change);
}

void deepfgs_adapt_loop(GstPad *pad)
{
    GstDeepFGSAdapt *self = GST_DEEPFGS_ADAPT(GST_PAD_PARENT(pad));
    GstFlowReturn flow = GST_FLOW_FLUSHING;
    gint64 time = deepfgs_adapt_now();
    if (self->mode == DEEPFGS_ADAPT_AUTO) {
        deepfgs_adapt_look_for_reports(self, time);
        deepfgs_adapt_notify(self, time);
    }
    deepfgs_adapt_ask(self);
    g_mutex_lock(&self->lock);
    if (!self->flushing) {
        DeepFGSStep step = deepfgs_adaptive_sender_next(self->sender, deepfgs_adapt_now());
        GstStructure *message = deepfgs_adapt_report(self);
        flow = GST_FLOW_OK;
        self->idle = step.is_empty && (step.kind == DEEPFGS_STEP_IDLE || step.kind == DEEPFGS_STEP_WAIT);
        if (self->idle)
            g_cond_broadcast(&self->change);
        GstClockTime takes = (GstClockTime)deepfgs_adaptive_sender_latency(self->sender);
        gboolean tells = 10 * takes > 11 * self->announced || 2 * takes < self->announced;
        if (tells)
            self->announced = takes;
        if (message || tells) {
            /* Whoever listens may read properties: not with the lock held. The step follows. */
            g_mutex_unlock(&self->lock);
            if (message)
                gst_element_post_message(GST_ELEMENT(self), gst_message_new_element(GST_OBJECT(self), message));
            if (tells)
                gst_element_post_message(GST_ELEMENT(self), gst_message_new_latency(GST_OBJECT(self)));
            g_mutex_lock(&self->lock);
        } else if (step.kind == DEEPFGS_STEP_IDLE || step.kind == DEEPFGS_STEP_WAIT) {
            wait_change(self, step.kind == DEEPFGS_STEP_WAIT ? step.until : 0);
        }
        if (step.kind == DEEPFGS_STEP_DROP) {
            gst_buffer_unref((GstBuffer *)(guintptr)step.token);
        } else if (step.kind == DEEPFGS_STEP_SEND) {
            GstClockTime earliest = self->segment.start, latency = self->latency;
            g_mutex_unlock(&self->lock);
            flow = gst_pad_push(pad, finish_packet(self, (GstBuffer *)(guintptr)step.token, &step, earliest, latency));
            g_mutex_lock(&self->lock);
        }
        if (flow != GST_FLOW_OK) {
            self->flow = flow;
            deepfgs_adapt_discard(self);
        }
    }
    g_mutex_unlock(&self->lock);
    if (flow != GST_FLOW_OK) {
        GST_DEBUG_OBJECT(self, "pausing: %s", gst_flow_get_name(flow));
        gst_pad_pause_task(pad);
    }
}

/* Holds a frame of a source that is not live until its time. Before that, one frame after another passes until a sink
 * has prerolled, which holds the next one back: the first need not give it a picture. Lock held. */
static void wait_for_time(GstDeepFGSAdapt *self, GstClockTime pts)
{
    GstClockTime time = GST_CLOCK_TIME_NONE;
    if (self->segment.format == GST_FORMAT_TIME)
        time = gst_segment_to_running_time(&self->segment, GST_FORMAT_TIME, pts);
    if (self->live || !GST_CLOCK_TIME_IS_VALID(time) || pts == self->last_pts)
        return;
    self->last_pts = pts;
    while (self->flow == GST_FLOW_OK && self->pacing) {
        if (!self->playing) {
            if (self->idle)
                return;
            deepfgs_adapt_announce(self);
            wait_change(self, 0);
            continue;
        }
        GstClock *clock = gst_element_get_clock(GST_ELEMENT(self));
        if (!clock)
            return;
        deepfgs_adapt_announce(self);
        GstClockTimeDiff ahead = GST_CLOCK_DIFF(gst_clock_get_time(clock), self->base_time + time);
        gst_object_unref(clock);
        if (ahead <= 0)
            return;
        wait_change(self, deepfgs_adapt_now() + ahead);
    }
}

GstFlowReturn deepfgs_adapt_take(GstDeepFGSAdapt *self, GstBuffer *buffer)
{
    GstRTPBuffer rtp = GST_RTP_BUFFER_INIT;
    wait_for_time(self, GST_BUFFER_PTS(buffer));
    if (self->flow != GST_FLOW_OK || !gst_rtp_buffer_map(buffer, GST_MAP_READ, &rtp)) {
        gst_buffer_unref(buffer);
        return self->flow;
    }
    static const guint8 nothing[1];
    const guint8 *payload = gst_rtp_buffer_get_payload(&rtp);
    DeepFGSIncomingPacket packet = {
        .token = (guint64)(guintptr)buffer,
        .payload = payload ? payload : nothing,
        .payload_size = payload ? gst_rtp_buffer_get_payload_len(&rtp) : 0,
        .rtp_header_size = gst_rtp_buffer_get_header_len(&rtp),
        .timestamp = gst_rtp_buffer_get_timestamp(&rtp),
        .sequence_number = gst_rtp_buffer_get_seq(&rtp),
        .marker = gst_rtp_buffer_get_marker(&rtp),
    };
    gboolean taken = deepfgs_adaptive_sender_take(self->sender, &packet, deepfgs_adapt_now());
    gst_rtp_buffer_unmap(&rtp);
    if (!taken) {
        GST_DEBUG_OBJECT(self, "malformed packet dropped");
        gst_buffer_unref(buffer);
        return GST_FLOW_OK;
    }
    /* While packets wait for their times, more of the same frame change none of these: who is woken for each packet of
     * each of a hundred receivers does little else. */
    if (self->idle || packet.timestamp != self->newest)
        self->taken = TRUE;
    self->newest = packet.timestamp;
    self->idle = FALSE;
    return GST_FLOW_OK;
}

void deepfgs_adapt_announce(GstDeepFGSAdapt *self)
{
    if (self->taken)
        g_cond_broadcast(&self->change);
    self->taken = FALSE;
}

GstFlowReturn deepfgs_adapt_drain(GstDeepFGSAdapt *self)
{
    while (self->flow == GST_FLOW_OK && !self->idle)
        wait_change(self, 0);
    return self->flow;
}
