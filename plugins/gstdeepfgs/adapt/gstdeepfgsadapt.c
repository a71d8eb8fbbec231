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
 * Repair packets, with which rtpdeepfgspay protects the base, count into the bitrate and are sent with it, as many as
 * #deepfgsadapt:base-protection allows; what else comes of them is left out, which is no cut of the frame.
 *
 * The bitrate counts bytes on the wire: each RTP packet with its header extensions, and
 * #deepfgsadapt:packet-overhead for IP and UDP. What elements behind this one add (forward error correction,
 * retransmission, SRTP, RTCP) is not counted.
 *
 * This takes up to one frame interval. What it takes for most frames (95 %) and a quarter more is reported as latency, one
 * interval until some were sent. Behind a source that is not live the element takes
 * frames in at their presentation times. A network sink that synchronises sends at once what this element lets go, for
 * it sets decoding times that are over. Without #deepfgsadapt:pacing each frame's budget, the bitrate times its
 * duration by RTP timestamps, leaves at once: for files, and for tests.
 *
 * ## Messages
 *
 * `deepfgs-frames-skipped` is posted at most once a second when whole frames were left out: `frames` (uint), `reason`
 * (string, of the last). With #deepfgsadapt:frame-messages, `deepfgs-frame-sent` is posted for each frame: `frame`
 * (uint, number modulo 65536), `rtp-timestamp` (uint), `bytes` and `bytes-sent` (uint64, of the frame), `wire-bytes`
 * (uint64, sent, packet headers and all), `packets`, `repair-packets` (uint, sent, and repair packets among these),
 * `target-bitrate` (uint64, bit/s), `reason` (string,
 * why it was cut: none, budget, deadline, blocked, queue, fixed-cut or gap).
 *
 * `deepfgs-feedback` is posted in auto mode when what the bitrate follows has changed: `feedback` (string: transport-wide,
 * receiver-reports; `none`, where none has come for five seconds and #deepfgsadapt:target-bitrate counts; `stopped`, where
 * none comes any more and the estimate falls to #deepfgsadapt:min-bitrate), `target-bitrate` (uint64, bit/s, then).
 *
 * ## Example pipelines
 * |[
 * gst-launch-1.0 videotestsrc is-live=true ! video/x-raw,width=640,height=480,framerate=15/1 ! videoconvert ! deepfgsenc ! rtpdeepfgspay ! deepfgsadapt target-bitrate=1000000 ! udpsink host=127.0.0.1 port=5004 sync=false
 * ]| Sends a test picture at 1 Mbit/s; the example of rtpdeepfgsdepay receives it.
 * |[
 * gst-launch-1.0 rtpbin name=rtp rtp-profile=avpf videotestsrc is-live=true ! video/x-raw,width=640,height=480,framerate=15/1 ! videoconvert ! deepfgsenc ! rtpdeepfgspay ! "application/x-rtp,extmap-3=(string)http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01" ! deepfgsadapt mode=auto ! rtp.send_rtp_sink_0 rtp.send_rtp_src_0 ! udpsink host=127.0.0.1 port=5004 sync=false async=false rtp.send_rtcp_src_0 ! udpsink host=127.0.0.1 port=5005 sync=false async=false udpsrc port=5009 ! rtp.recv_rtcp_sink_0
 * ]| Follows the path.
 * |[
 * gst-launch-1.0 rtpbin name=rtp rtp-profile=avpf rtpsession0::bandwidth=4000000 udpsrc port=5004 caps="application/x-rtp,media=video,clock-rate=90000,encoding-name=X-DEEPFGS,payload=96,extmap-3=(string)http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01" ! rtp.recv_rtp_sink_0 rtp. ! rtpdeepfgsdepay ! deepfgsdec ! videoconvert ! autovideosink udpsrc port=5005 ! rtp.recv_rtcp_sink_0 rtp.send_rtcp_src_0 ! udpsink host=127.0.0.1 port=5009 sync=false async=false
 * ]| Receives it, and tells what arrives. With rtpsession0::bandwidth, of which feedback may take 5 %, it does so for every
 * frame from the first on; without, rtpsession takes 64 kbit/s for it until it has measured the stream, and feedback comes
 * in bunches 0.4 s apart for the first four seconds, in which the bitrate cannot grow.
 *
 * Since: 0.1
 */
#include "adapt.h"
#include "rtp/framemarking.h"

GST_DEBUG_CATEGORY(deepfgsadapt_debug);
#define GST_CAT_DEFAULT deepfgsadapt_debug

G_DEFINE_TYPE(GstDeepFGSAdapt, gst_deepfgs_adapt, GST_TYPE_ELEMENT)

#define RTP_CAPS                                                                                                       \
    "application/x-rtp, media = (string) video, clock-rate = (int) 90000, "                                            \
    "encoding-name = (string) " DEEPFGS_RTP_ENCODING_NAME
static GstStaticPadTemplate sink_template =
    GST_STATIC_PAD_TEMPLATE("sink", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS(RTP_CAPS));
static GstStaticPadTemplate src_template =
    GST_STATIC_PAD_TEMPLATE("src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS(RTP_CAPS));

/* --- Out -------------------------------------------------------------------------------------------------------- */

/* Starts (with nothing waiting) or stops the thread. */
static gboolean set_running(GstDeepFGSAdapt *self, gboolean running)
{
    g_mutex_lock(&self->lock);
    self->flushing = !running;
    self->flow = running ? GST_FLOW_OK : GST_FLOW_FLUSHING;
    g_cond_broadcast(&self->change);
    g_mutex_unlock(&self->lock);
    if (running)
        return gst_pad_start_task(self->src, (GstTaskFunction)deepfgs_adapt_loop, self->src, NULL);
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
        deepfgs_adapt_discard(self);
        g_mutex_unlock(&self->lock);
    }
    return done;
}

/* --- In --------------------------------------------------------------------------------------------------------- */

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

/* A list that is being taken in. */
typedef struct {
    GstDeepFGSAdapt *self;
    GstFlowReturn flow;
} Intake;

/* Takes a buffer out of its list: what the list held on to while the packet leaves would have to be copied. */
static gboolean take_from_list(GstBuffer **buffer, guint index, gpointer data)
{
    Intake *intake = data;
    (void)index;
    intake->flow = deepfgs_adapt_take(intake->self, *buffer);
    *buffer = NULL;
    return intake->flow == GST_FLOW_OK;
}

static GstFlowReturn gst_deepfgs_adapt_chain_list(GstPad *pad, GstObject *parent, GstBufferList *list)
{
    GstDeepFGSAdapt *self = GST_DEEPFGS_ADAPT(parent);
    Intake intake = {.self = self, .flow = GST_FLOW_OK};
    (void)pad;
    if (!self->live_known)
        find_out_whether_live(self);
    list = gst_buffer_list_make_writable(list);
    g_mutex_lock(&self->lock);
    gst_buffer_list_foreach(list, take_from_list, &intake);
    deepfgs_adapt_announce(self);
    if (intake.flow == GST_FLOW_OK && !self->pacing)
        intake.flow = deepfgs_adapt_drain(self);
    g_mutex_unlock(&self->lock);
    gst_buffer_list_unref(list);
    return intake.flow;
}

static GstFlowReturn gst_deepfgs_adapt_chain(GstPad *pad, GstObject *parent, GstBuffer *buffer)
{
    GstBufferList *list = gst_buffer_list_new_sized(1);
    gst_buffer_list_add(list, buffer);
    return gst_deepfgs_adapt_chain_list(pad, parent, list);
}

/* The id under which the caps have the frame marking, 0 where they have none. */
static guint8 marking_id(const GstStructure *fields)
{
    for (guint id = 1; id < 256; id++) {
        gchar name[16];
        g_snprintf(name, sizeof name, "extmap-%u", id);
        const GValue *value = gst_structure_get_value(fields, name);
        if (value && GST_VALUE_HOLDS_ARRAY(value) && gst_value_array_get_size(value) > 1)
            value = gst_value_array_get_value(value, 1);
        if (value && G_VALUE_HOLDS_STRING(value) && !g_strcmp0(g_value_get_string(value), DEEPFGS_FRAME_MARKING_URI))
            return (guint8)id;
    }
    return 0;
}

static void take_caps(GstDeepFGSAdapt *self, GstCaps *caps)
{
    const GstStructure *fields = gst_caps_get_structure(caps, 0);
    const gchar *text = gst_structure_get_string(fields, "a-framerate");
    gdouble rate = text ? g_ascii_strtod(text, NULL) : 0;
    gboolean known = rate > 0.001 && rate < 10000;
    g_mutex_lock(&self->lock);
    self->marking_id = marking_id(fields);
    if (known)
        deepfgs_adaptive_sender_set_interval(self->sender, (gint64)(GST_SECOND / rate));
    g_mutex_unlock(&self->lock);
    if (known)
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
        deepfgs_adapt_discard(self);
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
        deepfgs_adaptive_sender_finish(self->sender, deepfgs_adapt_now());
        g_cond_broadcast(&self->change);
        deepfgs_adapt_drain(self);
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
    GstDeepFGSAdapt *self = GST_DEEPFGS_ADAPT(parent);
    /* Feedback on the packets that this element sent: to what is upstream it means nothing. */
    if (gst_event_has_name(event, "RTPTWCCPackets")) {
        deepfgs_adapt_take_feedback(self, gst_event_get_structure(event));
        gst_event_unref(event);
        return TRUE;
    }
    if (GST_EVENT_TYPE(event) == GST_EVENT_LATENCY) {
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
    GstClockTime own = self->announced = (GstClockTime)deepfgs_adaptive_sender_latency(self->sender);
    g_mutex_unlock(&self->lock);
    gst_query_set_latency(query, live, least + own, GST_CLOCK_TIME_IS_VALID(most) ? most + own : most);
    return TRUE;
}

/* --- The element ------------------------------------------------------------------------------------------------ */

static GstStateChangeReturn gst_deepfgs_adapt_change_state(GstElement *element, GstStateChange transition)
{
    GstDeepFGSAdapt *self = GST_DEEPFGS_ADAPT(element);
    if (transition == GST_STATE_CHANGE_PAUSED_TO_READY)
        deepfgs_adapt_let_go(self);
    if (transition == GST_STATE_CHANGE_READY_TO_PAUSED)
        deepfgs_adapt_check(self);
    g_mutex_lock(&self->lock);
    if (transition == GST_STATE_CHANGE_READY_TO_PAUSED) {
        deepfgs_adaptive_sender_free(self->sender);
        self->sender = deepfgs_adaptive_sender_new();
        deepfgs_adapt_apply(self);
        gst_segment_init(&self->segment, GST_FORMAT_TIME);
        self->last_pts = GST_CLOCK_TIME_NONE;
        self->live_known = FALSE;
        self->skipped = 0;
        self->latency = 0;
        self->feedback_told = DEEPFGS_FEEDBACK_AWAITED;
        self->has_asked = FALSE;
        self->last_report = 0;
        self->last_look = self->estimate_told_at = 0;
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
    deepfgs_adaptive_sender_free(self->sender);
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
    self->sender = deepfgs_adaptive_sender_new();
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
