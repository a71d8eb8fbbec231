/**
 * SECTION:element-deepfgsadapt
 * @title: deepfgsadapt
 * @see_also: rtpdeepfgspay, rtpdeepfgsdepay, rtpbin
 *
 * Keeps an RTP stream of DeepFGS frames to a bitrate by leaving out the tails of its frames: nothing is encoded anew.
 * Stands between rtpdeepfgspay and rtpbin, or a network sink; or takes packets from the network, as a relay.
 *
 * Of each frame a prefix is sent; the last packet of it may be shortened, carries the RTP marker, and the sequence
 * numbers have no gaps. Packets leave evenly, at the target, and no two at once, from a thread of the element's own; a
 * frame's tail goes on until the next frame comes, so the target is used and never exceeded however irregular the source
 * is: the bytes sent in any two seconds stay within 2 % under it while the frames are large enough (and a packet is
 * less than 1 % of them). A base is always sent whole; where one takes longer than its frame's time, the frames that
 * come meanwhile are left out, but for the newest. A change of the target takes effect with the next packet.
 *
 * The bitrate counts bytes on the wire: each RTP packet with its header extensions, and
 * #deepfgsadapt:packet-overhead for IP and UDP. What elements behind this one add (forward error correction,
 * retransmission, SRTP, RTCP) is not counted.
 *
 * This takes up to one frame interval, which is reported as latency. Behind a source that is not live the element takes
 * frames in at their presentation times. A network sink that synchronises sends at once what this element lets go, for
 * it sets decoding times that are over. Without #deepfgsadapt:pacing each frame's budget, the bitrate times its
 * duration by RTP timestamps, leaves at once: for files, and for tests.
 *
 * ## Messages
 *
 * `deepfgs-frames-skipped` is posted at most once a second when whole frames were left out: `frames` (uint), `reason`
 * (string, of the last). With #deepfgsadapt:frame-messages, `deepfgs-frame-sent` is posted for each frame: `frame`
 * (uint, number modulo 65536), `rtp-timestamp` (uint), `bytes` and `bytes-sent` (uint64, of the frame), `wire-bytes`
 * (uint64, sent, packet headers and all), `packets` (uint, sent), `target-bitrate` (uint64, bit/s), `reason` (string,
 * why it was cut: none, budget, deadline, queue, fixed-cut or gap).
 *
 * ## Example pipelines
 * |[
 * gst-launch-1.0 videotestsrc is-live=true ! video/x-raw,width=640,height=480,framerate=15/1 ! videoconvert ! deepfgsenc ! rtpdeepfgspay ! deepfgsadapt target-bitrate=1000000 ! udpsink host=127.0.0.1 port=5004 sync=false
 * ]| Sends a test picture at 1 Mbit/s; the example of rtpdeepfgsdepay receives it.
 *
 * Since: 0.1
 */
#include <gst/rtp/rtp.h>

#include "adapt.h"

GST_DEBUG_CATEGORY(deepfgsadapt_debug);
#define GST_CAT_DEFAULT deepfgsadapt_debug

G_DEFINE_TYPE(GstDeepFGSAdapt, gst_deepfgs_adapt, GST_TYPE_ELEMENT)

#define RTP_CAPS                                                                                                       \
    "application/x-rtp, media = (string) video, clock-rate = (int) 90000, "                                           \
    "encoding-name = (string) " DEEPFGS_RTP_ENCODING_NAME
static GstStaticPadTemplate sink_template =
    GST_STATIC_PAD_TEMPLATE("sink", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS(RTP_CAPS));
static GstStaticPadTemplate src_template =
    GST_STATIC_PAD_TEMPLATE("src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS(RTP_CAPS));

/* Nanoseconds of the clock that paces; the pipeline's clock only places frames of sources that are not live. */
static gint64 now(void) { return g_get_monotonic_time() * 1000; }

/* Waits for a change of state, or until a time where it is positive. Lock held. */
static void wait_change(GstDeepFGSAdapt *self, gint64 until)
{
    if (until > 0)
        g_cond_wait_until(&self->change, &self->lock, (until + 999) / 1000);
    else
        g_cond_wait(&self->change, &self->lock);
}

/* --- Out: the source pad's thread ------------------------------------------------------------------------------- */

/* The packet as it leaves: shortened, renumbered, marked. Its decoding time is the pipeline's latency before its
 * presentation time, which is over: a sink that synchronises would else hold all packets of a frame back to its end. */
static GstBuffer *finish_packet(GstBuffer *buffer, const DeepFGSStep *step, GstClockTime earliest, GstClockTime latency)
{
    GstRTPBuffer rtp = GST_RTP_BUFFER_INIT;
    buffer = gst_buffer_make_writable(buffer);
    if (!gst_rtp_buffer_map(buffer, GST_MAP_READWRITE, &rtp))
        return buffer;
    gst_rtp_buffer_set_seq(&rtp, step->sequence_number);
    gst_rtp_buffer_set_marker(&rtp, step->marker);
    gst_rtp_buffer_set_padding(&rtp, FALSE);
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

/* Gives every packet back that waits. Lock held. */
static void discard(GstDeepFGSAdapt *self)
{
    DeepFGSStep step;
    DeepFGSFrameReport report;
    deepfgs_cutter_flush(self->cutter);
    while ((step = deepfgs_cutter_next(self->cutter, now())).kind == DEEPFGS_STEP_DROP)
        gst_buffer_unref((GstBuffer *)(guintptr)step.token);
    while (deepfgs_cutter_report(self->cutter, &report))
        ;
    self->idle = TRUE;
    g_cond_broadcast(&self->change);
}

/* One step: send, drop or wait. */
static void gst_deepfgs_adapt_loop(GstPad *pad)
{
    GstDeepFGSAdapt *self = GST_DEEPFGS_ADAPT(GST_PAD_PARENT(pad));
    GstFlowReturn flow = GST_FLOW_FLUSHING;
    g_mutex_lock(&self->lock);
    if (!self->flushing) {
        DeepFGSStep step = deepfgs_cutter_next(self->cutter, now());
        GstStructure *message = deepfgs_adapt_report(self);
        flow = GST_FLOW_OK;
        self->idle = step.is_empty && (step.kind == DEEPFGS_STEP_IDLE || step.kind == DEEPFGS_STEP_WAIT);
        if (self->idle)
            g_cond_broadcast(&self->change);
        if (message) {
            /* Whoever listens may read properties: not with the lock held. The step follows. */
            g_mutex_unlock(&self->lock);
            gst_element_post_message(GST_ELEMENT(self), gst_message_new_element(GST_OBJECT(self), message));
            g_mutex_lock(&self->lock);
        } else if (step.kind == DEEPFGS_STEP_IDLE || step.kind == DEEPFGS_STEP_WAIT) {
            wait_change(self, step.kind == DEEPFGS_STEP_WAIT ? step.until : 0);
        }
        if (step.kind == DEEPFGS_STEP_DROP) {
            gst_buffer_unref((GstBuffer *)(guintptr)step.token);
        } else if (step.kind == DEEPFGS_STEP_SEND) {
            GstClockTime earliest = self->segment.start, latency = self->latency;
            g_mutex_unlock(&self->lock);
            flow = gst_pad_push(pad, finish_packet((GstBuffer *)(guintptr)step.token, &step, earliest, latency));
            g_mutex_lock(&self->lock);
        }
        if (flow != GST_FLOW_OK) {
            self->flow = flow;
            discard(self);
        }
    }
    g_mutex_unlock(&self->lock);
    if (flow != GST_FLOW_OK) {
        GST_DEBUG_OBJECT(self, "pausing: %s", gst_flow_get_name(flow));
        gst_pad_pause_task(pad);
    }
}

/* Starts (with nothing waiting) or stops the thread. */
static gboolean set_running(GstDeepFGSAdapt *self, gboolean running)
{
    g_mutex_lock(&self->lock);
    self->flushing = !running;
    self->flow = running ? GST_FLOW_OK : GST_FLOW_FLUSHING;
    g_cond_broadcast(&self->change);
    g_mutex_unlock(&self->lock);
    if (running)
        return gst_pad_start_task(self->src, (GstTaskFunction)gst_deepfgs_adapt_loop, self->src, NULL);
    return TRUE;
}

static gboolean gst_deepfgs_adapt_src_activate_mode(GstPad *pad, GstObject *parent, GstPadMode mode, gboolean active)
{
    GstDeepFGSAdapt *self = GST_DEEPFGS_ADAPT(parent);
    if (mode != GST_PAD_MODE_PUSH)
        return FALSE;
    gboolean done = set_running(self, active);
    if (!active) {
        done = gst_pad_stop_task(pad);
        g_mutex_lock(&self->lock);
        discard(self);
        g_mutex_unlock(&self->lock);
    }
    return done;
}

/* --- In: the sink pad's thread ---------------------------------------------------------------------------------- */

/* Holds a frame of a source that is not live until its time; its first frame passes, for sinks to preroll. Lock held. */
static void wait_for_time(GstDeepFGSAdapt *self, GstClockTime pts)
{
    GstClockTime time = GST_CLOCK_TIME_NONE;
    if (self->segment.format == GST_FORMAT_TIME)
        time = gst_segment_to_running_time(&self->segment, GST_FORMAT_TIME, pts);
    if (self->live || !GST_CLOCK_TIME_IS_VALID(time) || pts == self->last_pts)
        return;
    gboolean first = !GST_CLOCK_TIME_IS_VALID(self->last_pts);
    self->last_pts = pts;
    while (self->flow == GST_FLOW_OK && self->pacing) {
        if (!self->playing) {
            if (first)
                return;
            wait_change(self, 0);
            continue;
        }
        GstClock *clock = gst_element_get_clock(GST_ELEMENT(self));
        if (!clock)
            return;
        GstClockTimeDiff ahead = GST_CLOCK_DIFF(gst_clock_get_time(clock), self->base_time + time);
        gst_object_unref(clock);
        if (ahead <= 0)
            return;
        wait_change(self, now() + ahead);
    }
}

/* Takes a packet in. Lock held. */
static GstFlowReturn take(GstDeepFGSAdapt *self, GstBuffer *buffer)
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
    gboolean taken = deepfgs_cutter_take(self->cutter, &packet, now());
    gst_rtp_buffer_unmap(&rtp);
    if (!taken) {
        GST_DEBUG_OBJECT(self, "malformed packet dropped");
        gst_buffer_unref(buffer);
        return GST_FLOW_OK;
    }
    self->idle = FALSE;
    g_cond_broadcast(&self->change);
    return GST_FLOW_OK;
}

/* Waits until all that was taken in has left. Lock held. */
static GstFlowReturn drain(GstDeepFGSAdapt *self)
{
    while (self->flow == GST_FLOW_OK && !self->idle)
        wait_change(self, 0);
    return self->flow;
}

/* Whether upstream delivers by itself, at its own times. */
static void find_out_whether_live(GstDeepFGSAdapt *self)
{
    GstQuery *query = gst_query_new_latency();
    gboolean live = FALSE;
    if (gst_pad_peer_query(self->sink, query))
        gst_query_parse_latency(query, &live, NULL, NULL);
    gst_query_unref(query);
    g_mutex_lock(&self->lock);
    self->live = live;
    self->live_known = TRUE;
    g_mutex_unlock(&self->lock);
}

static GstFlowReturn gst_deepfgs_adapt_chain_list(GstPad *pad, GstObject *parent, GstBufferList *list)
{
    GstDeepFGSAdapt *self = GST_DEEPFGS_ADAPT(parent);
    GstFlowReturn flow = GST_FLOW_OK;
    (void)pad;
    if (!self->live_known)
        find_out_whether_live(self);
    g_mutex_lock(&self->lock);
    for (guint i = 0; i < gst_buffer_list_length(list) && flow == GST_FLOW_OK; i++)
        flow = take(self, gst_buffer_ref(gst_buffer_list_get(list, i)));
    if (flow == GST_FLOW_OK && !self->pacing)
        flow = drain(self);
    g_mutex_unlock(&self->lock);
    gst_buffer_list_unref(list);
    return flow;
}

static GstFlowReturn gst_deepfgs_adapt_chain(GstPad *pad, GstObject *parent, GstBuffer *buffer)
{
    GstBufferList *list = gst_buffer_list_new_sized(1);
    gst_buffer_list_add(list, buffer);
    return gst_deepfgs_adapt_chain_list(pad, parent, list);
}

static void take_caps(GstDeepFGSAdapt *self, GstCaps *caps)
{
    const gchar *text = gst_structure_get_string(gst_caps_get_structure(caps, 0), "a-framerate");
    gdouble rate = text ? g_ascii_strtod(text, NULL) : 0;
    if (!(rate > 0.001 && rate < 10000))
        return;
    g_mutex_lock(&self->lock);
    deepfgs_cutter_set_interval(self->cutter, (gint64)(GST_SECOND / rate));
    g_mutex_unlock(&self->lock);
    gst_element_post_message(GST_ELEMENT(self), gst_message_new_latency(GST_OBJECT(self)));
}

static gboolean gst_deepfgs_adapt_sink_event(GstPad *pad, GstObject *parent, GstEvent *event)
{
    GstDeepFGSAdapt *self = GST_DEEPFGS_ADAPT(parent);
    gboolean done;
    GstCaps *caps;
    switch (GST_EVENT_TYPE(event)) {
    case GST_EVENT_FLUSH_START:
        done = gst_pad_push_event(self->src, event);
        set_running(self, FALSE);
        gst_pad_pause_task(self->src);
        return done;
    case GST_EVENT_FLUSH_STOP:
        done = gst_pad_push_event(self->src, event);
        g_mutex_lock(&self->lock);
        discard(self);
        gst_segment_init(&self->segment, GST_FORMAT_TIME);
        self->last_pts = GST_CLOCK_TIME_NONE;
        g_mutex_unlock(&self->lock);
        return set_running(self, TRUE) && done;
    case GST_EVENT_STREAM_START:
    case GST_EVENT_CAPS:
    case GST_EVENT_SEGMENT:
    case GST_EVENT_EOS:
        /* What came before leaves before. */
        g_mutex_lock(&self->lock);
        deepfgs_cutter_finish(self->cutter, now());
        g_cond_broadcast(&self->change);
        drain(self);
        if (GST_EVENT_TYPE(event) == GST_EVENT_SEGMENT)
            gst_event_copy_segment(event, &self->segment);
        g_mutex_unlock(&self->lock);
        if (GST_EVENT_TYPE(event) == GST_EVENT_CAPS) {
            gst_event_parse_caps(event, &caps);
            take_caps(self, caps);
        }
        return gst_pad_event_default(pad, parent, event);
    default:
        return gst_pad_event_default(pad, parent, event);
    }
}

static gboolean gst_deepfgs_adapt_src_event(GstPad *pad, GstObject *parent, GstEvent *event)
{
    /* Feedback on the packets that this element sent: upstream of it means nothing to anyone else. */
    if (gst_event_has_name(event, "RTPTWCCPackets")) {
        gst_event_unref(event);
        return TRUE;
    }
    if (GST_EVENT_TYPE(event) == GST_EVENT_LATENCY) {
        GstDeepFGSAdapt *self = GST_DEEPFGS_ADAPT(parent);
        g_mutex_lock(&self->lock);
        gst_event_parse_latency(event, &self->latency);
        g_mutex_unlock(&self->lock);
    }
    return gst_pad_event_default(pad, parent, event);
}

static gboolean gst_deepfgs_adapt_src_query(GstPad *pad, GstObject *parent, GstQuery *query)
{
    GstDeepFGSAdapt *self = GST_DEEPFGS_ADAPT(parent);
    gboolean live;
    GstClockTime least, most;
    if (GST_QUERY_TYPE(query) != GST_QUERY_LATENCY)
        return gst_pad_query_default(pad, parent, query);
    if (!gst_pad_peer_query(self->sink, query))
        return FALSE;
    gst_query_parse_latency(query, &live, &least, &most);
    g_mutex_lock(&self->lock);
    GstClockTime own = self->pacing ? (GstClockTime)deepfgs_cutter_statistics(self->cutter, now()).interval : 0;
    g_mutex_unlock(&self->lock);
    gst_query_set_latency(query, live, least + own, GST_CLOCK_TIME_IS_VALID(most) ? most + own : most);
    return TRUE;
}

/* --- The element ------------------------------------------------------------------------------------------------ */

static GstStateChangeReturn gst_deepfgs_adapt_change_state(GstElement *element, GstStateChange transition)
{
    GstDeepFGSAdapt *self = GST_DEEPFGS_ADAPT(element);
    g_mutex_lock(&self->lock);
    if (transition == GST_STATE_CHANGE_READY_TO_PAUSED) {
        deepfgs_cutter_free(self->cutter);
        self->cutter = deepfgs_cutter_new();
        deepfgs_adapt_apply(self);
        gst_segment_init(&self->segment, GST_FORMAT_TIME);
        self->last_pts = GST_CLOCK_TIME_NONE;
        self->live_known = FALSE;
        self->skipped = 0;
        self->latency = 0;
    }
    self->playing = transition == GST_STATE_CHANGE_PAUSED_TO_PLAYING;
    self->base_time = gst_element_get_base_time(element);
    g_cond_broadcast(&self->change);
    g_mutex_unlock(&self->lock);
    return GST_ELEMENT_CLASS(gst_deepfgs_adapt_parent_class)->change_state(element, transition);
}

static void gst_deepfgs_adapt_finalize(GObject *object)
{
    GstDeepFGSAdapt *self = GST_DEEPFGS_ADAPT(object);
    deepfgs_cutter_free(self->cutter);
    g_mutex_clear(&self->lock);
    g_cond_clear(&self->change);
    G_OBJECT_CLASS(gst_deepfgs_adapt_parent_class)->finalize(object);
}

static void gst_deepfgs_adapt_class_init(GstDeepFGSAdaptClass *klass)
{
    GstElementClass *element = GST_ELEMENT_CLASS(klass);
    GST_DEBUG_CATEGORY_INIT(deepfgsadapt_debug, "deepfgsadapt", 0, "DeepFGS network-adaptive sender");
    G_OBJECT_CLASS(klass)->finalize = gst_deepfgs_adapt_finalize;
    element->change_state = gst_deepfgs_adapt_change_state;
    deepfgs_adapt_install_properties(G_OBJECT_CLASS(klass));
    gst_element_class_add_static_pad_template(element, &sink_template);
    gst_element_class_add_static_pad_template(element, &src_template);
    gst_element_class_set_static_metadata(
        element, "DeepFGS network-adaptive sender", "Network/RTP/Filter",
        "Keeps an RTP stream of DeepFGS frames to a bitrate by leaving out the tails of its frames", DEEPFGS_AUTHOR);
}

static void gst_deepfgs_adapt_init(GstDeepFGSAdapt *self)
{
    g_mutex_init(&self->lock);
    g_cond_init(&self->change);
    self->cutter = deepfgs_cutter_new();
    deepfgs_adapt_init_properties(self);
    self->flushing = TRUE;
    self->idle = TRUE;
    self->flow = GST_FLOW_FLUSHING;
    self->last_pts = GST_CLOCK_TIME_NONE;
    gst_segment_init(&self->segment, GST_FORMAT_TIME);

    self->sink = gst_pad_new_from_static_template(&sink_template, "sink");
    gst_pad_set_chain_function(self->sink, gst_deepfgs_adapt_chain);
    gst_pad_set_chain_list_function(self->sink, gst_deepfgs_adapt_chain_list);
    gst_pad_set_event_function(self->sink, gst_deepfgs_adapt_sink_event);
    GST_PAD_SET_PROXY_CAPS(self->sink);
    GST_PAD_SET_PROXY_ALLOCATION(self->sink);
    gst_element_add_pad(GST_ELEMENT(self), self->sink);

    self->src = gst_pad_new_from_static_template(&src_template, "src");
    gst_pad_set_activatemode_function(self->src, gst_deepfgs_adapt_src_activate_mode);
    gst_pad_set_event_function(self->src, gst_deepfgs_adapt_src_event);
    gst_pad_set_query_function(self->src, gst_deepfgs_adapt_src_query);
    GST_PAD_SET_PROXY_CAPS(self->src);
    gst_element_add_pad(GST_ELEMENT(self), self->src);
}

GST_ELEMENT_REGISTER_DEFINE(deepfgsadapt, "deepfgsadapt", GST_RANK_NONE, gst_deepfgs_adapt_get_type());
