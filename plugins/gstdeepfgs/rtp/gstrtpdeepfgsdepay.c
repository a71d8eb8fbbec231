/**
 * SECTION:element-rtpdeepfgsdepay
 * @title: rtpdeepfgsdepay
 * @see_also: rtpdeepfgspay, deepfgsdec, rtpjitterbuffer
 *
 * Puts DeepFGS frames together from RTP packets, as docs/30-rtp-payload.md specifies.
 *
 * Of each frame the longest prefix without a gap is passed on; every prefix that holds the base decodes, so a frame
 * that was cut on the way, or lost its tail, is a good frame of lower quality and not an error. A frame ends with the
 * RTP marker, with the first packet of the next frame, or when the jitterbuffer says that a packet is lost
 * (`rtpjitterbuffer do-lost=true`, as rtpbin sets with its own `do-lost`): nothing waits for a late tail.
 *
 * Lost packets of a base are made up for by repair packets, where the sender has added them (`base-protection` of
 * rtpdeepfgspay): a base of K packets is whole with any K of its own and of its repair packets. A frame with a gap in its
 * base therefore ends with its marker or the next frame's first packet.
 *
 * A frame whose base is incomplete, or of which nothing came, is not passed on. A gap event flagged
 * %GST_GAP_FLAG_MISSING_DATA takes its place, from which deepfgsdec conceals it, and an element message
 * `deepfgs-frame-lost` says so:
 *
 * * `frames`, uint: how many frames in a row are lost
 * * `reason`, string: `base-lost` where some of the frame came, `nothing-received` where none did
 * * `running-time`, uint64: nanoseconds, of the packet that told
 *
 * ## Example pipeline
 * |[
 * gst-launch-1.0 udpsrc port=5004 caps="application/x-rtp,media=video,clock-rate=90000,encoding-name=X-DEEPFGS" ! rtpjitterbuffer latency=100 do-lost=true ! rtpdeepfgsdepay ! deepfgsdec ! videoconvert ! autovideosink
 * ]| Receives what the example of rtpdeepfgspay sends.
 *
 * Since: 0.1
 */
#include <gst/rtp/rtp.h>

#include "shim.h"

GST_DEBUG_CATEGORY_STATIC(rtpdeepfgsdepay_debug);
#define GST_CAT_DEFAULT rtpdeepfgsdepay_debug

enum { PROP_0, PROP_FRAME_STATS, PROP_FRAME_MESSAGES };

typedef struct {
    GstRTPBaseDepayload parent;

    /* Under the object lock, since properties read it too. */
    DeepFGSDepacketiser *depacketiser;
    gboolean frame_messages;

    /* Streaming thread. */
    guint width, height, pixel_width, pixel_height;
    gchar model[17];
    gdouble rate;
    GstClockTime last_pts;
} GstRTPDeepFGSDepay;

typedef GstRTPBaseDepayloadClass GstRTPDeepFGSDepayClass;

GType gst_rtp_deepfgs_depay_get_type(void);
#define GST_RTP_DEEPFGS_DEPAY(object) ((GstRTPDeepFGSDepay *)(object))
G_DEFINE_TYPE(GstRTPDeepFGSDepay, gst_rtp_deepfgs_depay, GST_TYPE_RTP_BASE_DEPAYLOAD)

static GstStaticPadTemplate sink_template =
    GST_STATIC_PAD_TEMPLATE("sink", GST_PAD_SINK, GST_PAD_ALWAYS,
                            GST_STATIC_CAPS("application/x-rtp, media = (string) video, clock-rate = (int) 90000, "
                                            "encoding-name = (string) " DEEPFGS_RTP_ENCODING_NAME));

static GstStaticPadTemplate src_template =
    GST_STATIC_PAD_TEMPLATE("src", GST_PAD_SRC, GST_PAD_ALWAYS,
                            GST_STATIC_CAPS(DEEPFGS_MEDIA_TYPE ", width = (int) [ 1, 65535 ], "
                                                               "height = (int) [ 1, 65535 ], "
                                                               "alignment = (string) frame, parsed = (boolean) true"));

static const gchar *const end_names[] = {"complete", "cut", "tail-lost", "base-lost"};

static void post(GstRTPDeepFGSDepay *self, GstStructure *structure)
{
    gst_element_post_message(GST_ELEMENT(self), gst_message_new_element(GST_OBJECT(self), structure));
}

/* Says what the next frame is. Where downstream refuses, the push that follows fails, and says why. */
static void update_caps(GstRTPDeepFGSDepay *self, const DeepFGSReceivedFrame *frame)
{
    if (frame->width == self->width && frame->height == self->height && frame->pixel_width == self->pixel_width &&
        frame->pixel_height == self->pixel_height && g_str_equal(frame->model, self->model))
        return;
    GstCaps *caps = gst_caps_new_simple(DEEPFGS_MEDIA_TYPE, "width", G_TYPE_INT, (gint)frame->width, "height",
                                        G_TYPE_INT, (gint)frame->height, "model", G_TYPE_STRING, frame->model,
                                        "alignment", G_TYPE_STRING, "frame", "parsed", G_TYPE_BOOLEAN, TRUE, NULL);
    if (self->rate > 0) {
        gint numerator, denominator;
        gst_util_double_to_fraction(self->rate, &numerator, &denominator);
        gst_caps_set_simple(caps, "framerate", GST_TYPE_FRACTION, numerator, denominator, NULL);
    }
    if (frame->pixel_width)
        gst_caps_set_simple(caps, "pixel-aspect-ratio", GST_TYPE_FRACTION, (gint)frame->pixel_width,
                            (gint)frame->pixel_height, NULL);
    if (gst_pad_set_caps(GST_RTP_BASE_DEPAYLOAD_SRCPAD(self), caps)) {
        self->width = frame->width;
        self->height = frame->height;
        self->pixel_width = frame->pixel_width;
        self->pixel_height = frame->pixel_height;
        g_strlcpy(self->model, frame->model, sizeof self->model);
    }
    gst_caps_unref(caps);
}

/* Says that frames are lost: to the decoder by a gap, to the application by a message. */
static void report_lost(GstRTPDeepFGSDepay *self, guint frames, const gchar *reason, GstClockTime pts)
{
    GstRTPBaseDepayload *base = GST_RTP_BASE_DEPAYLOAD(self);
    GstClockTime running = gst_segment_to_running_time(&base->segment, GST_FORMAT_TIME, pts);
    GST_INFO_OBJECT(self, "%u frames lost (%s) near %" GST_TIME_FORMAT, frames, reason, GST_TIME_ARGS(pts));
    post(self, gst_structure_new("deepfgs-frame-lost", "frames", G_TYPE_UINT, frames, "reason", G_TYPE_STRING, reason,
                                 "running-time", G_TYPE_UINT64, running, NULL));
    /* Before the first frame there is nothing to conceal with, and no segment to place a gap in. */
    if (!self->width || !GST_CLOCK_TIME_IS_VALID(pts))
        return;
    GstClockTime interval = self->rate > 0 ? (GstClockTime)(GST_SECOND / self->rate) : GST_CLOCK_TIME_NONE;
    GstClockTime duration = GST_CLOCK_TIME_IS_VALID(interval) ? frames * interval : GST_CLOCK_TIME_NONE;
    GstEvent *gap = gst_event_new_gap(pts, duration);
    gst_event_set_gap_flags(gap, GST_GAP_FLAG_MISSING_DATA);
    gst_pad_push_event(GST_RTP_BASE_DEPAYLOAD_SRCPAD(self), gap);
}

/* Hands on what has ended. */
static GstFlowReturn push_frames(GstRTPDeepFGSDepay *self)
{
    GstFlowReturn flow = GST_FLOW_OK;
    for (;;) {
        DeepFGSReceivedFrame frame;
        GstBuffer *buffer = NULL;
        GST_OBJECT_LOCK(self);
        gboolean more = deepfgs_depacketiser_next(self->depacketiser, &frame);
        if (more && frame.size) {
            GstMapInfo map;
            buffer = gst_buffer_new_allocate(NULL, frame.size, NULL);
            if (buffer && gst_buffer_map(buffer, &map, GST_MAP_WRITE)) {
                deepfgs_depacketiser_read(self->depacketiser, map.data, map.size);
                gst_buffer_unmap(buffer, &map);
            }
        }
        gboolean messages = self->frame_messages;
        GST_OBJECT_UNLOCK(self);
        if (!more)
            return flow;

        GstClockTime pts = frame.mark;
        if (frame.lost_before) {
            GstClockTime from = pts;
            if (GST_CLOCK_TIME_IS_VALID(self->last_pts) && GST_CLOCK_TIME_IS_VALID(pts) && pts > self->last_pts)
                from = self->last_pts + (pts - self->last_pts) / (frame.lost_before + 1);
            report_lost(self, frame.lost_before, "nothing-received", from);
        }
        if (messages)
            post(self,
                 gst_structure_new("deepfgs-frame-received", "frame", G_TYPE_UINT, (guint)frame.frame_number,
                                   "rtp-timestamp", G_TYPE_UINT, frame.timestamp, "bytes", G_TYPE_UINT64,
                                   (guint64)frame.size, "bytes-before-cut", G_TYPE_UINT64, (guint64)frame.frame_length,
                                   "end", G_TYPE_STRING, end_names[frame.end], "recovered-packets", G_TYPE_UINT,
                                   (guint)frame.recovered_packets, "pts", G_TYPE_UINT64, pts, NULL));
        self->last_pts = pts;
        if (!buffer) {
            report_lost(self, 1, "base-lost", pts);
            continue;
        }
        GST_LOG_OBJECT(self, "frame %u: %zu of %zu bytes, %s", frame.frame_number, frame.size, frame.frame_length,
                       end_names[frame.end]);
        GST_BUFFER_PTS(buffer) = pts;
        if (flow != GST_FLOW_OK) {
            gst_buffer_unref(buffer);
            continue;
        }
        update_caps(self, &frame);
        /* The base class notes what a push returns, and answers the packet with it. */
        flow = gst_rtp_base_depayload_push(GST_RTP_BASE_DEPAYLOAD(self), buffer);
    }
}

static gboolean gst_rtp_deepfgs_depay_set_caps(GstRTPBaseDepayload *base, GstCaps *caps)
{
    GstRTPDeepFGSDepay *self = GST_RTP_DEEPFGS_DEPAY(base);
    const GstStructure *fields = gst_caps_get_structure(caps, 0);
    const gchar *rate = gst_structure_get_string(fields, "a-framerate");
    base->clock_rate = 90000;
    self->rate = rate ? g_ascii_strtod(rate, NULL) : 0;
    if (!(self->rate > 0 && self->rate <= 1000))
        self->rate = 0;
    return TRUE;
}

static GstBuffer *gst_rtp_deepfgs_depay_process(GstRTPBaseDepayload *base, GstRTPBuffer *rtp)
{
    GstRTPDeepFGSDepay *self = GST_RTP_DEEPFGS_DEPAY(base);
    const guint8 *payload = gst_rtp_buffer_get_payload(rtp);
    if (!payload)
        return NULL;
    GST_OBJECT_LOCK(self);
    deepfgs_depacketiser_receive(self->depacketiser, payload, gst_rtp_buffer_get_payload_len(rtp),
                                 gst_rtp_buffer_get_seq(rtp), gst_rtp_buffer_get_timestamp(rtp),
                                 gst_rtp_buffer_get_marker(rtp), GST_BUFFER_PTS(rtp->buffer));
    GST_OBJECT_UNLOCK(self);
    push_frames(self);
    return NULL;
}

/* The base class would send a gap for each lost packet; a frame that lost its tail has none. */
static gboolean gst_rtp_deepfgs_depay_packet_lost(GstRTPBaseDepayload *base, GstEvent *event)
{
    GstRTPDeepFGSDepay *self = GST_RTP_DEEPFGS_DEPAY(base);
    (void)event;
    GST_OBJECT_LOCK(self);
    deepfgs_depacketiser_lost(self->depacketiser);
    GST_OBJECT_UNLOCK(self);
    return push_frames(self) == GST_FLOW_OK;
}

static gboolean gst_rtp_deepfgs_depay_handle_event(GstRTPBaseDepayload *base, GstEvent *event)
{
    GstRTPDeepFGSDepay *self = GST_RTP_DEEPFGS_DEPAY(base);
    if (GST_EVENT_TYPE(event) == GST_EVENT_EOS) {
        GST_OBJECT_LOCK(self);
        deepfgs_depacketiser_finish(self->depacketiser);
        GST_OBJECT_UNLOCK(self);
        push_frames(self);
    } else if (GST_EVENT_TYPE(event) == GST_EVENT_FLUSH_STOP) {
        GST_OBJECT_LOCK(self);
        deepfgs_depacketiser_reset(self->depacketiser);
        GST_OBJECT_UNLOCK(self);
        self->last_pts = GST_CLOCK_TIME_NONE;
    }
    return GST_RTP_BASE_DEPAYLOAD_CLASS(gst_rtp_deepfgs_depay_parent_class)->handle_event(base, event);
}

static GstStateChangeReturn gst_rtp_deepfgs_depay_change_state(GstElement *element, GstStateChange transition)
{
    GstRTPDeepFGSDepay *self = GST_RTP_DEEPFGS_DEPAY(element);
    if (transition == GST_STATE_CHANGE_READY_TO_PAUSED) {
        GST_OBJECT_LOCK(self);
        deepfgs_depacketiser_free(self->depacketiser);
        self->depacketiser = deepfgs_depacketiser_new();
        GST_OBJECT_UNLOCK(self);
        self->width = self->height = 0;
        self->model[0] = 0;
        self->last_pts = GST_CLOCK_TIME_NONE;
    }
    return GST_ELEMENT_CLASS(gst_rtp_deepfgs_depay_parent_class)->change_state(element, transition);
}

static GstStructure *frame_stats(GstRTPDeepFGSDepay *self)
{
    DeepFGSStatistic fields[DEEPFGS_MOST_STATISTICS];
    GST_OBJECT_LOCK(self);
    gsize count = deepfgs_depacketiser_statistics(self->depacketiser, fields, G_N_ELEMENTS(fields));
    GST_OBJECT_UNLOCK(self);
    return deepfgs_structure_of("application/x-rtp-deepfgs-depay-stats", fields, MIN(count, G_N_ELEMENTS(fields)));
}

static void gst_rtp_deepfgs_depay_set_property(GObject *object, guint id, const GValue *value, GParamSpec *spec)
{
    switch (id) {
    case PROP_FRAME_MESSAGES:
        GST_OBJECT_LOCK(object);
        GST_RTP_DEEPFGS_DEPAY(object)->frame_messages = g_value_get_boolean(value);
        GST_OBJECT_UNLOCK(object);
        break;
    default:
        G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
    }
}

static void gst_rtp_deepfgs_depay_get_property(GObject *object, guint id, GValue *value, GParamSpec *spec)
{
    switch (id) {
    case PROP_FRAME_STATS:
        g_value_take_boxed(value, frame_stats(GST_RTP_DEEPFGS_DEPAY(object)));
        break;
    case PROP_FRAME_MESSAGES:
        GST_OBJECT_LOCK(object);
        g_value_set_boolean(value, GST_RTP_DEEPFGS_DEPAY(object)->frame_messages);
        GST_OBJECT_UNLOCK(object);
        break;
    default:
        G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
    }
}

static void gst_rtp_deepfgs_depay_finalize(GObject *object)
{
    deepfgs_depacketiser_free(GST_RTP_DEEPFGS_DEPAY(object)->depacketiser);
    G_OBJECT_CLASS(gst_rtp_deepfgs_depay_parent_class)->finalize(object);
}

static void gst_rtp_deepfgs_depay_class_init(GstRTPDeepFGSDepayClass *klass)
{
    GObjectClass *object = G_OBJECT_CLASS(klass);
    GstElementClass *element = GST_ELEMENT_CLASS(klass);
    GST_DEBUG_CATEGORY_INIT(rtpdeepfgsdepay_debug, "rtpdeepfgsdepay", 0, "DeepFGS RTP depayloader");
    object->set_property = gst_rtp_deepfgs_depay_set_property;
    object->get_property = gst_rtp_deepfgs_depay_get_property;
    object->finalize = gst_rtp_deepfgs_depay_finalize;
    element->change_state = gst_rtp_deepfgs_depay_change_state;
    klass->set_caps = gst_rtp_deepfgs_depay_set_caps;
    klass->process_rtp_packet = gst_rtp_deepfgs_depay_process;
    klass->packet_lost = gst_rtp_deepfgs_depay_packet_lost;
    klass->handle_event = gst_rtp_deepfgs_depay_handle_event;

    /**
     * GstRTPDeepFGSDepay:frame-stats:
     *
     * Counts since the element went to PAUSED, all uint64; docs/50-loss.md has the table of its fields.
     */
    g_object_class_install_property(object, PROP_FRAME_STATS,
                                    g_param_spec_boxed("frame-stats", "Frame statistics",
                                                       "Counts of frames and packets since PAUSED", GST_TYPE_STRUCTURE,
                                                       G_PARAM_READABLE | G_PARAM_STATIC_STRINGS));
    /**
     * GstRTPDeepFGSDepay:frame-messages:
     *
     * Posts an element message `deepfgs-frame-received` for each frame: `frame` (uint, number modulo 65536),
     * `rtp-timestamp` (uint), `bytes` and `bytes-before-cut` (uint64), `end` (string: complete, cut, tail-lost,
     * base-lost), `recovered-packets` (uint, lost packets of its base that repair packets gave back), `pts` (uint64,
     * nanoseconds).
     */
    g_object_class_install_property(
        object, PROP_FRAME_MESSAGES,
        g_param_spec_boolean("frame-messages", "Frame messages", "Post an element message for each frame", FALSE,
                             G_PARAM_READWRITE | GST_PARAM_MUTABLE_PLAYING | G_PARAM_STATIC_STRINGS));

    gst_element_class_add_static_pad_template(element, &sink_template);
    gst_element_class_add_static_pad_template(element, &src_template);
    gst_element_class_set_static_metadata(element, "DeepFGS RTP depayloader", "Codec/Depayloader/Network/RTP",
                                          "Puts DeepFGS frames together from RTP packets: of each the longest prefix",
                                          DEEPFGS_AUTHOR);
}

static void gst_rtp_deepfgs_depay_init(GstRTPDeepFGSDepay *self)
{
    self->depacketiser = deepfgs_depacketiser_new();
    self->last_pts = GST_CLOCK_TIME_NONE;
}

GST_ELEMENT_REGISTER_DEFINE(rtpdeepfgsdepay, "rtpdeepfgsdepay", GST_RANK_SECONDARY, gst_rtp_deepfgs_depay_get_type());
