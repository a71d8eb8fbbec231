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
#define CLOCK_RATE 90000

typedef struct {
    GstRTPBasePayload parent;

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

static GstStaticPadTemplate sink_template =
    GST_STATIC_PAD_TEMPLATE("sink", GST_PAD_SINK, GST_PAD_ALWAYS,
                            GST_STATIC_CAPS(DEEPFGS_MEDIA_TYPE ", alignment = (string) frame"));

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

/* One packet: RTP and payload header in memory of their own, then the frame's bytes, shared. */
static GstBuffer *packet(GstRTPBasePayload *payload, GstBuffer *frame, const DeepFGSPacket *packet)
{
    GstBuffer *out = gst_rtp_base_payload_allocate_output_buffer(payload, DEEPFGS_PAYLOAD_HEADER_LENGTH, 0, 0);
    GstRTPBuffer rtp = GST_RTP_BUFFER_INIT;
    gst_rtp_buffer_map(out, GST_MAP_READWRITE, &rtp);
    memcpy(gst_rtp_buffer_get_payload(&rtp), packet->header, DEEPFGS_PAYLOAD_HEADER_LENGTH);
    gst_rtp_buffer_set_marker(&rtp, packet->is_last);
    gst_rtp_buffer_unmap(&rtp);
    if (packet->is_last)
        GST_BUFFER_FLAG_SET(out, GST_BUFFER_FLAG_MARKER);
    GST_BUFFER_FLAG_SET(out, packet->priority ? GST_BUFFER_FLAG_DROPPABLE : GST_BUFFER_FLAG_NON_DROPPABLE);
    GST_BUFFER_PTS(out) = GST_BUFFER_PTS(frame);
    GST_BUFFER_DURATION(out) = GST_BUFFER_DURATION(frame);
    return gst_buffer_append(out,
                             gst_buffer_copy_region(frame, GST_BUFFER_COPY_MEMORY, packet->offset, packet->length));
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
    DeepFGSStatus status =
        deepfgs_packetiser_divide(self->packetiser, map.data, map.size, MIN(room, G_MAXINT16), &count, &error);
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
    gint layer = -1;
    for (gsize i = 0; i < count; i++) {
        DeepFGSPacket next = deepfgs_packetiser_packet(self->packetiser, i);
        GstBuffer *out = packet(payload, frame, &next);
        if (self->marks) {
            gboolean ends = next.is_last ||
                            deepfgs_packetiser_packet(self->packetiser, i + 1).priority != next.priority;
            deepfgs_frame_marking_attach(out, (layer == next.priority ? 0 : DEEPFGS_FRAME_MARKING_START) |
                                                  (ends ? DEEPFGS_FRAME_MARKING_END : 0) |
                                                  DEEPFGS_FRAME_MARKING_INDEPENDENT |
                                                  (next.priority ? DEEPFGS_FRAME_MARKING_DISCARDABLE : 0) |
                                                  next.priority);
            layer = next.priority;
        }
        gst_buffer_list_add(list, out);
    }
    gst_buffer_unref(frame);
    return gst_rtp_base_payload_push_list(payload, list);
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
    G_OBJECT_CLASS(klass)->finalize = gst_rtp_deepfgs_pay_finalize;
    element->change_state = gst_rtp_deepfgs_pay_change_state;
    klass->set_caps = gst_rtp_deepfgs_pay_set_caps;
    klass->handle_buffer = gst_rtp_deepfgs_pay_handle_buffer;
    gst_element_class_add_static_pad_template(element, &sink_template);
    gst_element_class_add_static_pad_template(element, &src_template);
    gst_element_class_set_static_metadata(
        element, "DeepFGS RTP payloader", "Codec/Payloader/Network/RTP",
        "Divides DeepFGS frames into RTP packets that say which of them may be dropped", DEEPFGS_AUTHOR);
}

static void gst_rtp_deepfgs_pay_init(GstRTPDeepFGSPay *self) { GST_RTP_BASE_PAYLOAD_MTU(self) = DEFAULT_MTU; }

GST_ELEMENT_REGISTER_DEFINE(rtpdeepfgspay, "rtpdeepfgspay", GST_RANK_SECONDARY, gst_rtp_deepfgs_pay_get_type());
