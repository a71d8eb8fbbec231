/* deepfgsadapt: its properties, statistics and messages. */
#include "adapt.h"

#define DEFAULT_MODE DEEPFGS_ADAPT_FIXED
#define DEFAULT_TARGET_BITRATE 2000000
#define DEFAULT_MIN_BITRATE 100000
#define DEFAULT_MAX_BITRATE 20000000
#define DEFAULT_START_BITRATE 500000
#define DEFAULT_PACKET_OVERHEAD 28
#define DEFAULT_PACING TRUE
#define DEFAULT_BASE_PROTECTION DEEPFGS_PROTECTION_AUTO

enum {
    PROP_0,
    PROP_MODE,
    PROP_TARGET_BITRATE,
    PROP_MIN_BITRATE,
    PROP_MAX_BITRATE,
    PROP_START_BITRATE,
    PROP_ESTIMATED_BITRATE,
    PROP_PACKET_OVERHEAD,
    PROP_MAX_FRAME_BYTES,
    PROP_PACING,
    PROP_BASE_PROTECTION,
    PROP_FRAME_MESSAGES,
    PROP_STATS,
};

/* The estimate is told of when it has moved by so much, and no more often than this. */
#define TELL_CHANGE 0.01
#define TELL_INTERVAL (100 * GST_MSECOND)

static GParamSpec *estimated_bitrate;

#define TYPE_MODE (mode_get_type())
static GType mode_get_type(void)
{
    static const GEnumValue values[] = {
        {DEEPFGS_ADAPT_FIXED, "Keep to target-bitrate", "fixed"},
        {DEEPFGS_ADAPT_AUTO, "Follow what feedback says of the path, between min-bitrate and max-bitrate", "auto"},
        {0, NULL, NULL},
    };
    static gsize type;
    if (g_once_init_enter(&type))
        g_once_init_leave(&type, g_enum_register_static("GstDeepFGSAdaptMode", values));
    return type;
}

#define TYPE_PROTECTION (protection_get_type())
static GType protection_get_type(void)
{
    static const GEnumValue values[] = {
        {DEEPFGS_PROTECTION_ALL, "Pass every repair packet on", "all"},
        {DEEPFGS_PROTECTION_AUTO, "Pass on as many as the loss that feedback tells of calls for", "auto"},
        {DEEPFGS_PROTECTION_NONE, "Pass no repair packet on", "none"},
        {0, NULL, NULL},
    };
    static gsize type;
    if (g_once_init_enter(&type))
        g_once_init_leave(&type, g_enum_register_static("GstDeepFGSAdaptProtection", values));
    return type;
}

/* In the order of DeepFGSDropReason. */
static const gchar *const reasons[] = {"budget", "deadline", "queue", "fixed-cut", "gap", "protection"};
G_STATIC_ASSERT(G_N_ELEMENTS(reasons) == DEEPFGS_DROP_REASONS);

static const gchar *reason_name(DeepFGSDropReason reason)
{
    return reason >= 0 && reason < DEEPFGS_DROP_REASONS ? reasons[reason] : "none";
}

void deepfgs_adapt_init_properties(GstDeepFGSAdapt *self)
{
    self->mode = DEFAULT_MODE;
    self->settings.target_bitrate = DEFAULT_TARGET_BITRATE;
    self->settings.start_bitrate = DEFAULT_START_BITRATE;
    self->settings.min_bitrate = DEFAULT_MIN_BITRATE;
    self->settings.max_bitrate = DEFAULT_MAX_BITRATE;
    self->settings.network_overhead = DEFAULT_PACKET_OVERHEAD;
    self->pacing = DEFAULT_PACING;
    self->base_protection = DEFAULT_BASE_PROTECTION;
    deepfgs_adapt_apply(self);
}

void deepfgs_adapt_apply(GstDeepFGSAdapt *self)
{
    self->settings.pacing = self->pacing;
    self->settings.base_protection = self->base_protection;
    self->settings.is_automatic = self->mode == DEEPFGS_ADAPT_AUTO;
    deepfgs_cutter_set(self->cutter, &self->settings);
}

GstStructure *deepfgs_adapt_report(GstDeepFGSAdapt *self)
{
    DeepFGSFrameReport report;
    gint64 now = deepfgs_adapt_now();
    while (deepfgs_cutter_report(self->cutter, &report)) {
        const gchar *reason = reason_name(report.reason);
        GST_CAT_LOG_OBJECT(deepfgsadapt_debug, self,
                           "frame %u: %" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT " bytes, %s", report.frame_number,
                           report.bytes_sent, report.bytes, reason);
        if (!report.packets_sent)
            self->skipped++;
        if (self->frame_messages)
            return gst_structure_new(
                "deepfgs-frame-sent", "frame", G_TYPE_UINT, (guint)report.frame_number, "rtp-timestamp", G_TYPE_UINT,
                report.timestamp, "bytes", G_TYPE_UINT64, report.bytes, "bytes-sent", G_TYPE_UINT64, report.bytes_sent,
                "wire-bytes", G_TYPE_UINT64, report.wire_bytes, "packets", G_TYPE_UINT, (guint)report.packets_sent,
                "repair-packets", G_TYPE_UINT, (guint)report.repair_packets_sent,
                "target-bitrate", G_TYPE_UINT64,
                (guint64)deepfgs_cutter_statistics(self->cutter, now).target_bitrate, "reason", G_TYPE_STRING, reason,
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
    gdouble estimate = deepfgs_cutter_path(self->cutter).estimated_bitrate;
    g_mutex_unlock(&self->lock);
    if (ABS(estimate - self->estimate_told) <= TELL_CHANGE * self->estimate_told)
        return;
    self->estimate_told = estimate;
    self->estimate_told_at = now;
    g_object_notify_by_pspec(G_OBJECT(self), estimated_bitrate);
}

static GstStructure *statistics(GstDeepFGSAdapt *self)
{
    g_mutex_lock(&self->lock);
    DeepFGSCutterStatistics counts = deepfgs_cutter_statistics(self->cutter, deepfgs_adapt_now());
    DeepFGSPath path = deepfgs_cutter_path(self->cutter);
    g_mutex_unlock(&self->lock);
    GstStructure *out = gst_structure_new(
        "application/x-deepfgs-adapt-stats", "frames", G_TYPE_UINT64, counts.frames, "frames-whole", G_TYPE_UINT64,
        counts.frames_whole, "frames-cut", G_TYPE_UINT64, counts.frames_cut, "frames-skipped", G_TYPE_UINT64,
        counts.frames_skipped, "packets", G_TYPE_UINT64, counts.packets, "packets-sent", G_TYPE_UINT64,
        counts.packets_sent, "packets-malformed", G_TYPE_UINT64, counts.packets_malformed, "repair-packets",
        G_TYPE_UINT64, counts.repair_packets, "repair-packets-sent", G_TYPE_UINT64, counts.repair_packets_sent, "bytes", G_TYPE_UINT64,
        counts.bytes, "bytes-sent", G_TYPE_UINT64, counts.bytes_sent, "bytes-queued", G_TYPE_UINT64,
        counts.bytes_queued, "target-bitrate", G_TYPE_UINT64, (guint64)counts.target_bitrate, "sent-bitrate",
        G_TYPE_UINT64, (guint64)counts.sent_bitrate, "frame-interval", G_TYPE_UINT64, (guint64)counts.interval, NULL);
    gst_structure_set(out, "feedback", G_TYPE_STRING, path.feedback, "estimated-bitrate", G_TYPE_UINT64,
                      (guint64)path.estimated_bitrate, "estimate-state", G_TYPE_STRING, path.state, "estimate-reason",
                      G_TYPE_STRING, path.reason, "received-bitrate", G_TYPE_UINT64, (guint64)path.received_bitrate,
                      "loss", G_TYPE_DOUBLE, path.loss, "queue-delay", G_TYPE_INT64, path.queue_delay, "round-trip",
                      G_TYPE_INT64, path.round_trip, NULL);
    for (guint i = 0; i < DEEPFGS_DROP_REASONS; i++) {
        gchar *packets = g_strdup_printf("packets-dropped-%s", reasons[i]);
        gchar *bytes = g_strdup_printf("bytes-dropped-%s", reasons[i]);
        gst_structure_set(out, packets, G_TYPE_UINT64, counts.packets_dropped[i], bytes, G_TYPE_UINT64,
                          counts.bytes_dropped[i], NULL);
        g_free(packets);
        g_free(bytes);
    }
    return out;
}

static void set_property(GObject *object, guint id, const GValue *value, GParamSpec *spec)
{
    GstDeepFGSAdapt *self = GST_DEEPFGS_ADAPT(object);
    g_mutex_lock(&self->lock);
    switch (id) {
    case PROP_MODE:
        self->mode = g_value_get_enum(value);
        break;
    case PROP_TARGET_BITRATE:
        self->settings.target_bitrate = g_value_get_uint(value);
        break;
    case PROP_START_BITRATE:
        self->settings.start_bitrate = g_value_get_uint(value);
        break;
    case PROP_MIN_BITRATE:
        self->settings.min_bitrate = g_value_get_uint(value);
        break;
    case PROP_MAX_BITRATE:
        self->settings.max_bitrate = g_value_get_uint(value);
        break;
    case PROP_PACKET_OVERHEAD:
        self->settings.network_overhead = g_value_get_uint(value);
        break;
    case PROP_MAX_FRAME_BYTES:
        self->settings.max_frame_bytes = g_value_get_uint(value);
        break;
    case PROP_PACING:
        self->pacing = g_value_get_boolean(value);
        break;
    case PROP_BASE_PROTECTION:
        self->base_protection = g_value_get_enum(value);
        break;
    case PROP_FRAME_MESSAGES:
        self->frame_messages = g_value_get_boolean(value);
        break;
    default:
        G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
    }
    deepfgs_adapt_apply(self);
    g_cond_broadcast(&self->change);
    g_mutex_unlock(&self->lock);
}

static void get_property(GObject *object, guint id, GValue *value, GParamSpec *spec)
{
    GstDeepFGSAdapt *self = GST_DEEPFGS_ADAPT(object);
    if (id == PROP_STATS) {
        g_value_take_boxed(value, statistics(self));
        return;
    }
    g_mutex_lock(&self->lock);
    switch (id) {
    case PROP_MODE:
        g_value_set_enum(value, self->mode);
        break;
    case PROP_TARGET_BITRATE:
        g_value_set_uint(value, (guint)self->settings.target_bitrate);
        break;
    case PROP_START_BITRATE:
        g_value_set_uint(value, (guint)self->settings.start_bitrate);
        break;
    case PROP_ESTIMATED_BITRATE:
        g_value_set_uint(value, (guint)deepfgs_cutter_path(self->cutter).estimated_bitrate);
        break;
    case PROP_MIN_BITRATE:
        g_value_set_uint(value, (guint)self->settings.min_bitrate);
        break;
    case PROP_MAX_BITRATE:
        g_value_set_uint(value, (guint)self->settings.max_bitrate);
        break;
    case PROP_PACKET_OVERHEAD:
        g_value_set_uint(value, self->settings.network_overhead);
        break;
    case PROP_MAX_FRAME_BYTES:
        g_value_set_uint(value, self->settings.max_frame_bytes);
        break;
    case PROP_PACING:
        g_value_set_boolean(value, self->pacing);
        break;
    case PROP_BASE_PROTECTION:
        g_value_set_enum(value, self->base_protection);
        break;
    case PROP_FRAME_MESSAGES:
        g_value_set_boolean(value, self->frame_messages);
        break;
    default:
        G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
    }
    g_mutex_unlock(&self->lock);
}

void deepfgs_adapt_install_properties(GObjectClass *klass)
{
    const GParamFlags flags = G_PARAM_READWRITE | GST_PARAM_MUTABLE_PLAYING | G_PARAM_STATIC_STRINGS;
    klass->set_property = set_property;
    klass->get_property = get_property;
    /**
     * GstDeepFGSAdapt:mode:
     *
     * Where the bitrate comes from. In auto mode, transport-wide feedback (and without it receiver reports) tells;
     * where neither comes for five seconds, #deepfgsadapt:target-bitrate counts, within the bounds.
     */
    g_object_class_install_property(
        klass, PROP_MODE,
        g_param_spec_enum("mode", "Mode", "Where the bitrate comes from", TYPE_MODE, DEFAULT_MODE, flags));
    /**
     * GstDeepFGSAdapt:target-bitrate:
     *
     * Bitrate to keep to in fixed mode, in bit/s on the wire; a change takes effect with the next packet.
     */
    g_object_class_install_property(
        klass, PROP_TARGET_BITRATE,
        g_param_spec_uint("target-bitrate", "Target bitrate",
                          "Bitrate to keep to in fixed mode, in bit/s, packet headers included", 1000, G_MAXUINT,
                          DEFAULT_TARGET_BITRATE, flags));
    /**
     * GstDeepFGSAdapt:min-bitrate:
     *
     * Lowest bitrate in auto mode, in bit/s.
     */
    g_object_class_install_property(
        klass, PROP_MIN_BITRATE,
        g_param_spec_uint("min-bitrate", "Minimum bitrate", "Lowest bitrate in auto mode, in bit/s", 1000, G_MAXUINT,
                          DEFAULT_MIN_BITRATE, flags));
    /**
     * GstDeepFGSAdapt:max-bitrate:
     *
     * Highest bitrate in auto mode, in bit/s. Below #deepfgsadapt:min-bitrate it counts as that.
     */
    g_object_class_install_property(
        klass, PROP_MAX_BITRATE,
        g_param_spec_uint("max-bitrate", "Maximum bitrate", "Highest bitrate in auto mode, in bit/s", 1000, G_MAXUINT,
                          DEFAULT_MAX_BITRATE, flags));
    /**
     * GstDeepFGSAdapt:start-bitrate:
     *
     * Bitrate in auto mode before the first feedback, in bit/s; a change counts before the first packet.
     */
    g_object_class_install_property(
        klass, PROP_START_BITRATE,
        g_param_spec_uint("start-bitrate", "Start bitrate",
                          "Bitrate in auto mode before the first feedback, in bit/s", 1000, G_MAXUINT,
                          DEFAULT_START_BITRATE, G_PARAM_READWRITE | GST_PARAM_MUTABLE_READY | G_PARAM_STATIC_STRINGS));
    /**
     * GstDeepFGSAdapt:estimated-bitrate:
     *
     * What the path is believed to carry, in bit/s; notified of in auto mode, at most ten times a second.
     */
    estimated_bitrate = g_param_spec_uint("estimated-bitrate", "Estimated bitrate",
                                          "What the path is believed to carry, in bit/s", 0, G_MAXUINT,
                                          DEFAULT_START_BITRATE, G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);
    g_object_class_install_property(klass, PROP_ESTIMATED_BITRATE, estimated_bitrate);
    /**
     * GstDeepFGSAdapt:packet-overhead:
     *
     * Bytes that the network adds to each RTP packet, counted into the bitrate: 28 for UDP over IPv4, 48 over IPv6.
     */
    g_object_class_install_property(
        klass, PROP_PACKET_OVERHEAD,
        g_param_spec_uint("packet-overhead", "Packet overhead",
                          "Bytes that the network adds to each RTP packet: 28 for UDP over IPv4, 48 over IPv6", 0, 1000,
                          DEFAULT_PACKET_OVERHEAD, flags));
    /**
     * GstDeepFGSAdapt:max-frame-bytes:
     *
     * Cuts every frame to so many bytes, whatever the bitrate, but never into its base; 0 for no such cut.
     */
    g_object_class_install_property(
        klass, PROP_MAX_FRAME_BYTES,
        g_param_spec_uint("max-frame-bytes", "Maximum frame bytes",
                          "Cut every frame to so many bytes, but never into its base; 0: no such cut", 0, 1 << 24, 0,
                          flags));
    /**
     * GstDeepFGSAdapt:pacing:
     *
     * Sends packets evenly, at the target; else each frame leaves at once.
     */
    g_object_class_install_property(
        klass, PROP_PACING,
        g_param_spec_boolean("pacing", "Pacing", "Send packets evenly, at the target; else each frame at once",
                             DEFAULT_PACING, flags));
    /**
     * GstDeepFGSAdapt:base-protection:
     *
     * Which repair packets (`base-protection` of rtpdeepfgspay) are passed on. `auto`: the fewest with which a base
     * arrives at 99.9 %, at 1.2 times the highest loss lately; all without feedback, and in its first two seconds; but
     * no more than the frame's share of the bitrate has room for, so that no frame is left out for them.
     */
    g_object_class_install_property(
        klass, PROP_BASE_PROTECTION,
        g_param_spec_enum("base-protection", "Base protection", "Which of the repair packets that come are passed on",
                          TYPE_PROTECTION, DEFAULT_BASE_PROTECTION, flags));
    /**
     * GstDeepFGSAdapt:frame-messages:
     *
     * Posts an element message `deepfgs-frame-sent` for each frame.
     */
    g_object_class_install_property(
        klass, PROP_FRAME_MESSAGES,
        g_param_spec_boolean("frame-messages", "Frame messages", "Post a message for each frame", FALSE, flags));
    /**
     * GstDeepFGSAdapt:stats:
     *
     * Counts since the element went to PAUSED, all uint64; bytes are on the wire:
     *
     * * `frames`, `frames-whole`, `frames-cut`, `frames-skipped`: frames that came; of these, sent whole, in part, not
     *   at all
     * * `packets`, `packets-sent`, `packets-malformed`: packets that came; sent; not of this format
     * * `repair-packets`, `repair-packets-sent`: repair packets among those that came, and that were sent
     * * `bytes`, `bytes-sent`, `bytes-queued`: bytes that came; sent; waiting to be sent
     * * `packets-dropped-REASON`, `bytes-dropped-REASON`: left out, or (packets) shortened: `budget`, the bitrate did
     *   not allow more before the next frame came; `deadline`, no next frame came, and the frame's time was over;
     *   `queue`, flushed; `fixed-cut`, by #deepfgsadapt:max-frame-bytes; `gap`, packets before it in its frame did not come;
     *   `protection`, repair packets by #deepfgsadapt:base-protection
     * * `target-bitrate`, `sent-bitrate`: bit/s; kept to, and sent in the last two seconds
     * * `frame-interval`: nanoseconds between frames
     *
     * and on the path, as auto mode sees it:
     *
     * * `feedback`, string: what the estimate follows: none, transport-wide or receiver-reports
     * * `estimated-bitrate`, `received-bitrate`, uint64: bit/s; what the path is believed to carry, what arrived lately
     * * `estimate-state`, `estimate-reason`, string: what the estimate did last (hold, increase, decrease), and why
     *   (start, proved, additive, limit, settling, delay, queue, dispersion, loss, idle, silence, report)
     * * `loss`, double: share of packets lost lately, 0 to 1
     * * `queue-delay`, `round-trip`, int64: nanoseconds in the path's queue; and there and back, -1 where not known
     */
    g_object_class_install_property(klass, PROP_STATS,
                                    g_param_spec_boxed("stats", "Statistics",
                                                       "Counts of frames, packets and bytes since PAUSED",
                                                       GST_TYPE_STRUCTURE, G_PARAM_READABLE | G_PARAM_STATIC_STRINGS));
}
