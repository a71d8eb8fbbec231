/**
 * SECTION:element-rtphdrextdeepfgsframemarking
 * @title: rtphdrextdeepfgsframemarking
 * @see_also: rtpdeepfgspay, deepfgsadapt
 *
 * The RTP header extension of RFC 9626, `urn:ietf:params:rtp-hdrext:framemarking`, for DeepFGS: it tells a selective
 * forwarding unit that cannot read payloads, for they are encrypted, which packets it may leave out.
 *
 * A packet's layer (LID) is its priority, the chunk of its first byte. S and E mark the first and last packet of the
 * frame within its layer; deepfgsadapt moves E when it cuts. I is 1, every frame stands alone; D is 1 but for
 * header and base; TID and B are 0, there are no temporal layers. Two bytes: TL0PICIDX is left out.
 *
 * rtpdeepfgspay adds it where the caps after it name the URI. On reading, rtpdeepfgsdepay attaches the marks of the
 * packet that ended a frame to the frame, as a custom meta `GstDeepFGSFrameMarkingMeta` with the field `marks` (uint, the
 * two bytes).
 *
 * ## Example pipeline
 * |[
 * gst-launch-1.0 videotestsrc is-live=true ! videoconvert ! deepfgsenc ! rtpdeepfgspay ! "application/x-rtp,extmap-5=(string)urn:ietf:params:rtp-hdrext:framemarking" ! deepfgsadapt ! udpsink host=127.0.0.1 port=5004
 * ]|
 *
 * Since: 0.1
 */
#include <gst/rtp/gstrtphdrext.h>

#include "framemarking.h"

GST_DEBUG_CATEGORY_STATIC(framemarking_debug);
#define GST_CAT_DEFAULT framemarking_debug

#define META_FIELD "marks"

typedef GstRTPHeaderExtension GstRTPHeaderExtensionDeepFGSFrameMarking;
typedef GstRTPHeaderExtensionClass GstRTPHeaderExtensionDeepFGSFrameMarkingClass;

GType gst_rtp_header_extension_deepfgs_frame_marking_get_type(void);
G_DEFINE_TYPE(GstRTPHeaderExtensionDeepFGSFrameMarking, gst_rtp_header_extension_deepfgs_frame_marking,
              GST_TYPE_RTP_HEADER_EXTENSION)

void deepfgs_frame_marking_attach(GstBuffer *buffer, guint16 marks)
{
    GstCustomMeta *meta = gst_buffer_add_custom_meta(buffer, DEEPFGS_FRAME_MARKING_META);
    if (meta)
        gst_structure_set(gst_custom_meta_get_structure(meta), META_FIELD, G_TYPE_UINT, (guint)marks, NULL);
}

static GstRTPHeaderExtensionFlags get_supported_flags(GstRTPHeaderExtension *extension)
{
    (void)extension;
    return GST_RTP_HEADER_EXTENSION_ONE_BYTE | GST_RTP_HEADER_EXTENSION_TWO_BYTE;
}

static gsize get_max_size(GstRTPHeaderExtension *extension, const GstBuffer *input)
{
    (void)extension, (void)input;
    return DEEPFGS_FRAME_MARKING_SIZE;
}

/* The marks are what rtpdeepfgspay attached to the packet; other payloaders' packets get none. */
static gssize write_marks(GstRTPHeaderExtension *extension, const GstBuffer *input, GstRTPHeaderExtensionFlags flags,
                          GstBuffer *output, guint8 *data, gsize size)
{
    GstCustomMeta *meta = gst_buffer_get_custom_meta(output, DEEPFGS_FRAME_MARKING_META);
    guint marks;
    (void)extension, (void)input, (void)flags;
    if (size < DEEPFGS_FRAME_MARKING_SIZE || !meta ||
        !gst_structure_get_uint(gst_custom_meta_get_structure(meta), META_FIELD, &marks))
        return 0;
    /* Elements begin at any address. */
    data[0] = (guint8)(marks >> 8);
    data[1] = (guint8)marks;
    return DEEPFGS_FRAME_MARKING_SIZE;
}

static gboolean read_marks(GstRTPHeaderExtension *extension, GstRTPHeaderExtensionFlags flags, const guint8 *data,
                           gsize size, GstBuffer *buffer)
{
    (void)extension, (void)flags;
    if (size >= DEEPFGS_FRAME_MARKING_SIZE)
        deepfgs_frame_marking_attach(buffer, (guint16)(data[0] << 8 | data[1]));
    return TRUE;
}

static gboolean set_caps_from_attributes(GstRTPHeaderExtension *extension, GstCaps *caps)
{
    return gst_rtp_header_extension_set_caps_from_attributes_helper(extension, caps, NULL);
}

static void
gst_rtp_header_extension_deepfgs_frame_marking_class_init(GstRTPHeaderExtensionDeepFGSFrameMarkingClass *klass)
{
    GstElementClass *element = GST_ELEMENT_CLASS(klass);
    GST_DEBUG_CATEGORY_INIT(framemarking_debug, "rtphdrextdeepfgsframemarking", 0, "Frame marking header extension");
    static const gchar *no_tags[] = {NULL};
    if (!gst_meta_get_info(DEEPFGS_FRAME_MARKING_META))
        gst_meta_register_custom(DEEPFGS_FRAME_MARKING_META, no_tags, NULL, NULL, NULL);
    klass->get_supported_flags = get_supported_flags;
    klass->get_max_size = get_max_size;
    klass->write = write_marks;
    klass->read = read_marks;
    klass->set_caps_from_attributes = set_caps_from_attributes;
    gst_rtp_header_extension_class_set_uri(klass, DEEPFGS_FRAME_MARKING_URI);
    gst_element_class_set_static_metadata(
        element, "Frame marking header extension for DeepFGS", GST_RTP_HDREXT_ELEMENT_CLASS,
        "Tells forwarding units which packets of a DeepFGS frame they may leave out", DEEPFGS_AUTHOR);
}

static void gst_rtp_header_extension_deepfgs_frame_marking_init(GstRTPHeaderExtensionDeepFGSFrameMarking *self)
{
    (void)self;
}

GST_ELEMENT_REGISTER_DEFINE(rtphdrextdeepfgsframemarking, "rtphdrextdeepfgsframemarking", GST_RANK_MARGINAL,
                            gst_rtp_header_extension_deepfgs_frame_marking_get_type());
