/* deepfgsadapt: its properties and statistics. */
#include "adapt.h"

#define DEFAULT_MODE DEEPFGS_ADAPT_FIXED
#define DEFAULT_TARGET_BITRATE 2000000
#define DEFAULT_MIN_BITRATE 50000
#define DEFAULT_MAX_BITRATE 20000000
#define DEFAULT_START_BITRATE 500000
#define DEFAULT_PACKET_OVERHEAD 28
#define DEFAULT_PACING TRUE
#define DEFAULT_REQUEST_BASES TRUE
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
    PROP_REQUEST_BASES,
    PROP_STATS,
};

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
    self->request_bases = DEFAULT_REQUEST_BASES;
    deepfgs_adapt_apply(self);
}

void deepfgs_adapt_apply(GstDeepFGSAdapt *self)
{
    self->settings.pacing = self->pacing;
    self->settings.base_protection = self->base_protection;
    self->settings.is_automatic = self->mode == DEEPFGS_ADAPT_AUTO;
    deepfgs_adaptive_sender_set(self->sender, &self->settings);
}

void deepfgs_adapt_check(GstDeepFGSAdapt *self)
{
    g_mutex_lock(&self->lock);
    guint least = (guint)self->settings.min_bitrate, most = (guint)self->settings.max_bitrate;
    g_mutex_unlock(&self->lock);
    if (least > most)
        GST_ELEMENT_WARNING(self, RESOURCE, SETTINGS,
                            ("min-bitrate, %u, is above max-bitrate, %u, which counts as that.", least, most), (NULL));
}

static GstStructure *statistics(GstDeepFGSAdapt *self)
{
    DeepFGSStatistic fields[DEEPFGS_MOST_STATISTICS];
    g_mutex_lock(&self->lock);
    gsize count = deepfgs_adaptive_sender_statistics(self->sender, deepfgs_adapt_now(), fields, G_N_ELEMENTS(fields));
    g_mutex_unlock(&self->lock);
    return deepfgs_structure_of("application/x-deepfgs-adapt-stats", fields, MIN(count, G_N_ELEMENTS(fields)));
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
    case PROP_REQUEST_BASES:
        self->request_bases = g_value_get_boolean(value);
        break;
    default:
        G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
    }
    deepfgs_adapt_apply(self);
    g_cond_broadcast(&self->change);
    gboolean runs = !self->flushing;
    g_mutex_unlock(&self->lock);
    /* Before it runs the one may be set before the other. */
    if (runs && (id == PROP_MIN_BITRATE || id == PROP_MAX_BITRATE))
        deepfgs_adapt_check(self);
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
        g_value_set_uint(value, (guint)deepfgs_adaptive_sender_estimated_bitrate(self->sender));
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
    case PROP_REQUEST_BASES:
        g_value_set_boolean(value, self->request_bases);
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
     * where neither has come for five seconds, #deepfgsadapt:target-bitrate counts, within the bounds. Where feedback has
     * come and stops, nobody knows what the path carries: the estimate falls to #deepfgsadapt:min-bitrate and stays there.
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
    g_object_class_install_property(klass, PROP_MIN_BITRATE,
                                    g_param_spec_uint("min-bitrate", "Minimum bitrate",
                                                      "Lowest bitrate in auto mode, in bit/s", 1000, G_MAXUINT,
                                                      DEFAULT_MIN_BITRATE, flags));
    /**
     * GstDeepFGSAdapt:max-bitrate:
     *
     * Highest bitrate in auto mode, in bit/s. Below #deepfgsadapt:min-bitrate it counts as that.
     */
    g_object_class_install_property(klass, PROP_MAX_BITRATE,
                                    g_param_spec_uint("max-bitrate", "Maximum bitrate",
                                                      "Highest bitrate in auto mode, in bit/s", 1000, G_MAXUINT,
                                                      DEFAULT_MAX_BITRATE, flags));
    /**
     * GstDeepFGSAdapt:start-bitrate:
     *
     * Bitrate in auto mode before the first feedback, in bit/s; a change counts before the first packet.
     */
    g_object_class_install_property(
        klass, PROP_START_BITRATE,
        g_param_spec_uint("start-bitrate", "Start bitrate", "Bitrate in auto mode before the first feedback, in bit/s",
                          1000, G_MAXUINT, DEFAULT_START_BITRATE,
                          G_PARAM_READWRITE | GST_PARAM_MUTABLE_READY | G_PARAM_STATIC_STRINGS));
    /**
     * GstDeepFGSAdapt:estimated-bitrate:
     *
     * What the path is believed to carry, in bit/s; notified of in auto mode, at most ten times a second.
     */
    g_object_class_install_property(
        klass, PROP_ESTIMATED_BITRATE,
        g_param_spec_uint("estimated-bitrate", "Estimated bitrate", "What the path is believed to carry, in bit/s", 0,
                          G_MAXUINT, DEFAULT_START_BITRATE, G_PARAM_READABLE | G_PARAM_STATIC_STRINGS));
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
    g_object_class_install_property(klass, PROP_PACING,
                                    g_param_spec_boolean("pacing", "Pacing",
                                                         "Send packets evenly, at the target; else each frame at once",
                                                         DEFAULT_PACING, flags));
    /**
     * GstDeepFGSAdapt:base-protection:
     *
     * Which repair packets (`base-protection` of rtpdeepfgspay) are passed on. `auto`: the fewest with which a base
     * arrives at 99.9 %, at 1.2 times the highest loss lately; all without feedback, and in its first two seconds; but
     * no more than the frame's share of the bitrate has room for, so that no frame is left out for them.
     */
    g_object_class_install_property(klass, PROP_BASE_PROTECTION,
                                    g_param_spec_enum("base-protection", "Base protection",
                                                      "Which of the repair packets that come are passed on",
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
     * GstDeepFGSAdapt:request-bases:
     *
     * Asks the encoder upstream, by the event `deepfgs-base-request`, for bases that take no more than four fifths of the
     * bitrate: for a coarser base step and, where that is not enough, for fewer frames. Otherwise bases that do not fit are
     * left out here.
     */
    g_object_class_install_property(
        klass, PROP_REQUEST_BASES,
        g_param_spec_boolean(
            "request-bases", "Request bases",
            "Ask the encoder for coarser bases and fewer frames where the bitrate has no room for them",
            DEFAULT_REQUEST_BASES, flags));
    /**
     * GstDeepFGSAdapt:stats:
     *
     * What was sent since the element went to PAUSED, and what is known of the path; docs/35-adaptive-streaming.md has
     * the table of its fields.
     */
    g_object_class_install_property(
        klass, PROP_STATS,
        g_param_spec_boxed("stats", "Statistics",
                           "Counts of frames, packets and bytes since PAUSED, and the view of the path",
                           GST_TYPE_STRUCTURE, G_PARAM_READABLE | G_PARAM_STATIC_STRINGS));
}
