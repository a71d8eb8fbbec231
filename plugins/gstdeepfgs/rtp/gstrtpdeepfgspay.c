/**
 * SECTION:element-rtpdeepfgspay
 * @title: rtpdeepfgspay
 * @see_also: rtpdeepfgsdepay, deepfgsadapt, deepfgsenc
 *
 * Divides DeepFGS frames into RTP packets, as docs/30-rtp-payload.md specifies. Each packet says at fixed offsets which
 * chunk of the frame it belongs to, so that anything on the way may drop a frame's tail without the model.
 *
 * Packets that hold header or base are flagged %GST_BUFFER_FLAG_NON_DROPPABLE, which rtpulpfecenc's
 * `percentage-important` protects more; all others are flagged %GST_BUFFER_FLAG_DROPPABLE. The last packet of a frame
 * carries the RTP marker. A frame leaves as one buffer list: put deepfgsadapt after this element, which spreads the
 * packets over the frame interval and keeps to a bitrate. A frame of more than 16 MiB is cut to that; one whose base
 * is incomplete is dropped with a warning message.
 *
 * #GstRTPBasePayload:mtu is 1200 bytes here, which fits every path that carries IPv6 and leaves room for tunnels. Room
 * for the header extensions that the negotiated caps name is taken off before frames are divided.
 *
 * With #GstRTPDeepFGSPay:base-protection repair packets follow each base, so many percent of its packets: a base of K packets
 * arrives if any K of these and its own do. They are flagged %GST_BUFFER_FLAG_DROPPABLE; deepfgsadapt passes on as many as
 * the receiver's loss calls for, so that one payloader serves receivers on good and on bad paths.
 *
 * ## Example pipeline
 * |[
 * gst-launch-1.0 videotestsrc is-live=true ! video/x-raw,width=640,height=480,framerate=15/1 ! videoconvert ! deepfgsenc ! rtpdeepfgspay ! deepfgsadapt target-bitrate=1000000 ! udpsink host=127.0.0.1 port=5004
 * ]| Sends a test picture at 1 Mbit/s; the example of rtpdeepfgsdepay receives it.
 *
 * Since: 0.1
 */
#include <string.h>

#include <gst/rtp/rtp.h>

#include "framemarking.h"

GST_DEBUG_CATEGORY_STATIC(rtpdeepfgspay_debug);
#define GST_CAT_DEFAULT rtpdeepfgspay_debug

#define DEFAULT_MTU 1200
#define DEFAULT_BASE_PROTECTION 0
#define MAX_BASE_PROTECTION 1000
#define CLOCK_RATE 90000

enum { PROP_0, PROP_BASE_PROTECTION };

typedef struct {
    GstRTPBasePayload parent;

    /* Percent; under the object lock. */
    guint base_protection;

    /* From READY to PAUSED and back. */
    DeepFGSPacketiser *packetiser;
    /* Bytes that header extensions may take in each packet. */
    guint extension_bytes;
    /* One of them is the frame marking. */
    gboolean marks;
} GstRTPDeepFGSPay;

typedef GstRTPBasePayloadClass GstRTPDeepFGSPayClass;

GType gst_rtp_deepfgs_pay_get_type(void);
#define GST_RTP_DEEPFGS_PAY(object) ((GstRTPDeepFGSPay *)(object))
G_DEFINE_TYPE(GstRTPDeepFGSPay, gst_rtp_deepfgs_pay, GST_TYPE_RTP_BASE_PAYLOAD)

static GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE(
    "sink", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS(DEEPFGS_MEDIA_TYPE ", alignment = (string) frame"));

static GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE(
    "src", GST_PAD_SRC, GST_PAD_ALWAYS,
    GST_STATIC_CAPS("application/x-rtp, media = (string) video, payload = (int) [ 96, 127 ], "
                    "clock-rate = (int) 90000, encoding-name = (string) " DEEPFGS_RTP_ENCODING_NAME));

static GstStateChangeReturn gst_rtp_deepfgs_pay_change_state(GstElement *element, GstStateChange transition)
{
    GstRTPDeepFGSPay *self = GST_RTP_DEEPFGS_PAY(element);
    if (transition == GST_STATE_CHANGE_READY_TO_PAUSED)
        self->packetiser = deepfgs_packetiser_new((guint16)g_random_int());
    GstStateChangeReturn result =
        GST_ELEMENT_CLASS(gst_rtp_deepfgs_pay_parent_class)->change_state(element, transition);
    if (transition == GST_STATE_CHANGE_PAUSED_TO_READY)
        g_clear_pointer(&self->packetiser, deepfgs_packetiser_free);
    return result;
}

/* Header extensions are added after the packets are made: what they take must be known before. */
static guint extension_bytes(GstRTPDeepFGSPay *self)
{
    GstCaps *caps = gst_pad_get_current_caps(GST_RTP_BASE_PAYLOAD_SRCPAD(self));
    if (!caps)
        return 0;
    gsize bytes = 0;
    self->marks = FALSE;
    GstBuffer *empty = gst_buffer_new();
    const GstStructure *fields = gst_caps_get_structure(caps, 0);
    for (gint i = 0; i < gst_structure_n_fields(fields); i++) {
        const gchar *name = gst_structure_nth_field_name(fields, i);
        if (!g_str_has_prefix(name, "extmap-"))
            continue;
        const GValue *value = gst_structure_get_value(fields, name);
        /* Either the URI, or an array of direction, URI and attributes. */
        if (GST_VALUE_HOLDS_ARRAY(value) && gst_value_array_get_size(value) > 1)
            value = gst_value_array_get_value(value, 1);
        GstRTPHeaderExtension *extension =
            G_VALUE_HOLDS_STRING(value) ? gst_rtp_header_extension_create_from_uri(g_value_get_string(value)) : NULL;
        if (!extension)
            continue;
        self->marks |= g_str_equal(g_value_get_string(value), DEEPFGS_FRAME_MARKING_URI);
        /* Two bytes of id and length where one is not enough. */
        bytes += 2 + gst_rtp_header_extension_get_max_size(extension, empty);
        gst_object_unref(extension);
    }
    gst_buffer_unref(empty);
    gst_caps_unref(caps);
    return bytes ? 4 + (guint)GST_ROUND_UP_4(bytes) : 0;
}

static gboolean gst_rtp_deepfgs_pay_set_caps(GstRTPBasePayload *payload, GstCaps *caps)
{
    const GstStructure *fields = gst_caps_get_structure(caps, 0);
    GstStructure *out = gst_structure_new_empty("application/x-rtp");
    gint width, height, numerator, denominator;
    gst_rtp_base_payload_set_options(payload, "video", TRUE, DEEPFGS_RTP_ENCODING_NAME, CLOCK_RATE);
    /* Format parameters are text, as in the session description. */
    if (gst_structure_get_int(fields, "width", &width) && gst_structure_get_int(fields, "height", &height)) {
        gchar *text = g_strdup_printf("%d", width);
        gst_structure_set(out, "width", G_TYPE_STRING, text, NULL);
        g_free(text);
        text = g_strdup_printf("%d", height);
        gst_structure_set(out, "height", G_TYPE_STRING, text, NULL);
        g_free(text);
    }
    if (gst_structure_get_string(fields, "model"))
        gst_structure_set(out, "model", G_TYPE_STRING, gst_structure_get_string(fields, "model"), NULL);
    if (gst_structure_get_fraction(fields, "framerate", &numerator, &denominator) && numerator > 0) {
        gchar number[G_ASCII_DTOSTR_BUF_SIZE];
        g_ascii_dtostr(number, sizeof number, (gdouble)numerator / denominator);
        gst_structure_set(out, "a-framerate", G_TYPE_STRING, number, NULL);
    }
    gboolean done = gst_rtp_base_payload_set_outcaps_structure(payload, out);
    gst_structure_free(out);
    GST_RTP_DEEPFGS_PAY(payload)->extension_bytes = done ? extension_bytes(GST_RTP_DEEPFGS_PAY(payload)) : 0;
    return done;
}

/* One packet: RTP and payload header in memory of their own, then the frame's bytes, shared, or what repairs them. */
static GstBuffer *packet(GstRTPDeepFGSPay *self, GstBuffer *frame, gsize index, const DeepFGSPacket *packet)
{
    guint own = packet->is_repair ? packet->length : 0;
    GstBuffer *out = gst_rtp_base_payload_allocate_output_buffer(GST_RTP_BASE_PAYLOAD(self),
                                                                 DEEPFGS_PAYLOAD_HEADER_LENGTH + own, 0, 0);
    GstRTPBuffer rtp = GST_RTP_BUFFER_INIT;
    gst_rtp_buffer_map(out, GST_MAP_READWRITE, &rtp);
    guint8 *bytes = gst_rtp_buffer_get_payload(&rtp);
    memcpy(bytes, packet->header, DEEPFGS_PAYLOAD_HEADER_LENGTH);
    if (packet->is_repair)
        deepfgs_packetiser_read_repair(self->packetiser, index, bytes + DEEPFGS_PAYLOAD_HEADER_LENGTH, own);
    gst_rtp_buffer_set_marker(&rtp, packet->is_last);
    gst_rtp_buffer_unmap(&rtp);
    if (packet->is_last)
        GST_BUFFER_FLAG_SET(out, GST_BUFFER_FLAG_MARKER);
    gboolean droppable = packet->priority || packet->is_repair;
    GST_BUFFER_FLAG_SET(out, droppable ? GST_BUFFER_FLAG_DROPPABLE : GST_BUFFER_FLAG_NON_DROPPABLE);
    GST_BUFFER_PTS(out) = GST_BUFFER_PTS(frame);
    GST_BUFFER_DURATION(out) = GST_BUFFER_DURATION(frame);
    if (packet->is_repair)
        return out;
    return gst_buffer_append(out,
                             gst_buffer_copy_region(frame, GST_BUFFER_COPY_MEMORY, packet->offset, packet->length));
}

/* What the frame marking says of a packet (docs/30-rtp-payload.md, "Cutting"). Repair packets are in the base's layer, but
 * outside its start and end. */
static guint16 marks(GstRTPDeepFGSPay *self, gsize index, gsize count)
{
    DeepFGSPacket next = deepfgs_packetiser_packet(self->packetiser, index);
    guint16 marks = DEEPFGS_FRAME_MARKING_INDEPENDENT | next.priority;
    if (next.priority || next.is_repair)
        marks |= DEEPFGS_FRAME_MARKING_DISCARDABLE;
    if (next.is_repair)
        return marks;
    DeepFGSPacket before = deepfgs_packetiser_packet(self->packetiser, index ? index - 1 : 0);
    DeepFGSPacket after = deepfgs_packetiser_packet(self->packetiser, index + 1 < count ? index + 1 : index);
    if (!index || before.priority != next.priority)
        marks |= DEEPFGS_FRAME_MARKING_START;
    if (index + 1 == count || after.priority != next.priority || after.is_repair)
        marks |= DEEPFGS_FRAME_MARKING_END;
    return marks;
}

static GstFlowReturn gst_rtp_deepfgs_pay_handle_buffer(GstRTPBasePayload *payload, GstBuffer *frame)
{
    GstRTPDeepFGSPay *self = GST_RTP_DEEPFGS_PAY(payload);
    GstMapInfo map;
    DeepFGSError error;
    gsize count = 0;
    guint mtu = GST_RTP_BASE_PAYLOAD_MTU(payload);
    guint room = gst_rtp_buffer_calc_payload_len(MAX(mtu, self->extension_bytes) - self->extension_bytes, 0, 0);

    if (!gst_buffer_map(frame, &map, GST_MAP_READ)) {
        gst_buffer_unref(frame);
        GST_ELEMENT_ERROR(self, RESOURCE, READ, ("Cannot read a frame's memory"), (NULL));
        return GST_FLOW_ERROR;
    }
    GST_OBJECT_LOCK(self);
    guint protection = self->base_protection;
    GST_OBJECT_UNLOCK(self);
    DeepFGSStatus status = deepfgs_packetiser_divide(self->packetiser, map.data, map.size, MIN(room, G_MAXINT16),
                                                     protection, &count, &error);
    gst_buffer_unmap(frame, &map);
    if (status != DEEPFGS_OK) {
        gst_buffer_unref(frame);
        if (status == DEEPFGS_ERROR_SETTINGS) {
            DEEPFGS_POST_ERROR(self, &error);
            return GST_FLOW_ERROR;
        }
        GST_ELEMENT_WARNING(self, STREAM, FORMAT, ("Frame dropped: %s", error.message), (NULL));
        return GST_FLOW_OK;
    }

    GstBufferList *list = gst_buffer_list_new_sized((guint)count);
    for (gsize i = 0; i < count; i++) {
        DeepFGSPacket next = deepfgs_packetiser_packet(self->packetiser, i);
        GstBuffer *out = packet(self, frame, i, &next);
        if (self->marks)
            deepfgs_frame_marking_attach(out, marks(self, i, count));
        gst_buffer_list_add(list, out);
    }
    gst_buffer_unref(frame);
    return gst_rtp_base_payload_push_list(payload, list);
}

static void gst_rtp_deepfgs_pay_set_property(GObject *object, guint id, const GValue *value, GParamSpec *spec)
{
    if (id != PROP_BASE_PROTECTION) {
        G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
        return;
    }
    GST_OBJECT_LOCK(object);
    GST_RTP_DEEPFGS_PAY(object)->base_protection = g_value_get_uint(value);
    GST_OBJECT_UNLOCK(object);
}

static void gst_rtp_deepfgs_pay_get_property(GObject *object, guint id, GValue *value, GParamSpec *spec)
{
    if (id != PROP_BASE_PROTECTION) {
        G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
        return;
    }
    GST_OBJECT_LOCK(object);
    g_value_set_uint(value, GST_RTP_DEEPFGS_PAY(object)->base_protection);
    GST_OBJECT_UNLOCK(object);
}

static void gst_rtp_deepfgs_pay_finalize(GObject *object)
{
    g_clear_pointer(&GST_RTP_DEEPFGS_PAY(object)->packetiser, deepfgs_packetiser_free);
    G_OBJECT_CLASS(gst_rtp_deepfgs_pay_parent_class)->finalize(object);
}

static void gst_rtp_deepfgs_pay_class_init(GstRTPDeepFGSPayClass *klass)
{
    GstElementClass *element = GST_ELEMENT_CLASS(klass);
    GST_DEBUG_CATEGORY_INIT(rtpdeepfgspay_debug, "rtpdeepfgspay", 0, "DeepFGS RTP payloader");
    G_OBJECT_CLASS(klass)->set_property = gst_rtp_deepfgs_pay_set_property;
    G_OBJECT_CLASS(klass)->get_property = gst_rtp_deepfgs_pay_get_property;
    G_OBJECT_CLASS(klass)->finalize = gst_rtp_deepfgs_pay_finalize;
    element->change_state = gst_rtp_deepfgs_pay_change_state;
    klass->set_caps = gst_rtp_deepfgs_pay_set_caps;
    klass->handle_buffer = gst_rtp_deepfgs_pay_handle_buffer;
    /**
     * GstRTPDeepFGSPay:base-protection:
     *
     * Repair packets behind each base, in percent of the base's packets, rounded up; 0 for none. At most as many as make 255
     * packets with the base's. The base's packets are then of one size. Takes effect with the next frame.
     */
    g_object_class_install_property(
        G_OBJECT_CLASS(klass), PROP_BASE_PROTECTION,
        g_param_spec_uint("base-protection", "Base protection",
                          "Repair packets behind each base, in percent of the base's packets, rounded up; 0: none", 0,
                          MAX_BASE_PROTECTION, DEFAULT_BASE_PROTECTION,
                          G_PARAM_READWRITE | GST_PARAM_MUTABLE_PLAYING | G_PARAM_STATIC_STRINGS));
    gst_element_class_add_static_pad_template(element, &sink_template);
    gst_element_class_add_static_pad_template(element, &src_template);
    gst_element_class_set_static_metadata(
        element, "DeepFGS RTP payloader", "Codec/Payloader/Network/RTP",
        "Divides DeepFGS frames into RTP packets that say which of them may be dropped", DEEPFGS_AUTHOR);
}

static void gst_rtp_deepfgs_pay_init(GstRTPDeepFGSPay *self)
{
    GST_RTP_BASE_PAYLOAD_MTU(self) = DEFAULT_MTU;
    self->base_protection = DEFAULT_BASE_PROTECTION;
}

GST_ELEMENT_REGISTER_DEFINE(rtpdeepfgspay, "rtpdeepfgspay", GST_RANK_SECONDARY, gst_rtp_deepfgs_pay_get_type());
