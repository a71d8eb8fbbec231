/**
 * SECTION:element-deepfgsenc
 * @title: deepfgsenc
 * @see_also: deepfgsdec, deepfgsparse, rtpdeepfgspay, deepfgsadapt
 *
 * Encodes pictures with DeepFGS, a learned image codec whose bitstream can be cut at any byte: any prefix of a frame
 * that holds its header and base decodes, and each byte more makes the picture better.
 *
 * The steps of the quantiser, #deepfgsenc:step and #deepfgsenc:base-step, move the range of rates that one stream spans;
 * a cut moves within it. A bitrate that the bases alone exceed asks for a coarser base.
 *
 * Every frame is encoded on its own, so that each is a sync point, and whole: what is not needed is cut off
 * afterwards, here by #deepfgsenc:max-bpp, or by deepfgsadapt for each receiver. The frame carries its time since the
 * first frame and its duration, so that a file of frames needs no container.
 *
 * The networks' weights are a file, the model, that encoder and decoder both need; streams carry its identity. It is
 * found by #deepfgsenc:model in the directories of the environment variable DEEPFGS_MODEL_PATH, in the folder models of
 * the source tree that the plugin was built in, and in deepfgs/models under the user's and the system's data
 * directories (~/.local/share, /usr/local/share, /usr/share).
 *
 * With `qos=true`, frames that would come too late are not encoded at all. The latency that the element reports is one
 * frame: it has that long for each.
 *
 * ## Example pipelines
 * |[
 * gst-launch-1.0 -e v4l2src ! videoconvert ! deepfgsenc ! filesink location=/tmp/camera.dfgs
 * ]| Records a camera until Ctrl-C.
 * |[
 * gst-launch-1.0 videotestsrc num-buffers=50 ! video/x-raw,width=640,height=480 ! videoconvert ! deepfgsenc max-bpp=0.2 ! deepfgsdec ! videoconvert ! autovideosink
 * ]| Shows a test picture at a fifth of a bit for each pixel.
 *
 * Since: 0.1
 */
#include <gst/video/gstvideoencoder.h>

#include "pixels.h"

GST_DEBUG_CATEGORY_STATIC(deepfgsenc_debug);
#define GST_CAT_DEFAULT deepfgsenc_debug

#define DEFAULT_MODEL "live-v1"
#define DEFAULT_MAX_BPP 0.0

#define DEFAULT_STEP 16

enum { PROP_0, PROP_MODEL, PROP_MAX_BPP, PROP_STEP, PROP_BASE_STEP, PROP_THREADS, PROP_PRECISION };

typedef struct {
    GstVideoEncoder parent;

    /* Properties, under the object lock. */
    gchar *model;
    gdouble max_bpp;
    guint step, base_step;
    DeepFGSCompute compute;

    /* From start to stop. */
    DeepFGSEncoder *encoder;
    GstVideoCodecState *input;
    /* Of a frame by the frame rate; GST_CLOCK_TIME_NONE where that is not known. */
    GstClockTime interval;
} GstDeepFGSEnc;

typedef GstVideoEncoderClass GstDeepFGSEncClass;

GType gst_deepfgs_enc_get_type(void);
#define GST_DEEPFGS_ENC(object) ((GstDeepFGSEnc *)(object))
G_DEFINE_TYPE(GstDeepFGSEnc, gst_deepfgs_enc, GST_TYPE_VIDEO_ENCODER)

static GstStaticPadTemplate sink_template =
    GST_STATIC_PAD_TEMPLATE("sink", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS(DEEPFGS_RAW_CAPS));

static GstStaticPadTemplate src_template =
    GST_STATIC_PAD_TEMPLATE("src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS(DEEPFGS_FRAME_CAPS));

static void gst_deepfgs_enc_set_property(GObject *object, guint id, const GValue *value, GParamSpec *spec)
{
    GstDeepFGSEnc *self = GST_DEEPFGS_ENC(object);
    GST_OBJECT_LOCK(self);
    switch (id) {
    case PROP_MODEL:
        g_free(self->model);
        self->model = g_value_dup_string(value);
        break;
    case PROP_MAX_BPP:
        self->max_bpp = g_value_get_double(value);
        break;
    case PROP_STEP:
        self->step = g_value_get_uint(value);
        break;
    case PROP_BASE_STEP:
        self->base_step = g_value_get_uint(value);
        break;
    default:
        if (!deepfgs_set_compute_property(&self->compute, self->encoder != NULL, object, value, spec))
            G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
    }
    GST_OBJECT_UNLOCK(self);
}

static void gst_deepfgs_enc_get_property(GObject *object, guint id, GValue *value, GParamSpec *spec)
{
    GstDeepFGSEnc *self = GST_DEEPFGS_ENC(object);
    GST_OBJECT_LOCK(self);
    switch (id) {
    case PROP_MODEL:
        g_value_set_string(value, self->model);
        break;
    case PROP_MAX_BPP:
        g_value_set_double(value, self->max_bpp);
        break;
    case PROP_STEP:
        g_value_set_uint(value, self->step);
        break;
    case PROP_BASE_STEP:
        g_value_set_uint(value, self->base_step);
        break;
    default:
        if (!deepfgs_get_compute_property(&self->compute, value, spec))
            G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
    }
    GST_OBJECT_UNLOCK(self);
}

static gboolean gst_deepfgs_enc_start(GstVideoEncoder *base)
{
    GstDeepFGSEnc *self = GST_DEEPFGS_ENC(base);
    DeepFGSError error;

    GST_OBJECT_LOCK(self);
    gchar *model = g_strdup(self->model && *self->model ? self->model : DEFAULT_MODEL);
    DeepFGSCompute compute = self->compute;
    GST_OBJECT_UNLOCK(self);

    GST_INFO_OBJECT(self, "loading model %s", model);
    self->encoder = deepfgs_encoder_new(model, compute, &error);
    g_free(model);
    if (!self->encoder)
        DEEPFGS_POST_ERROR(self, &error);
    return self->encoder != NULL;
}

static gboolean gst_deepfgs_enc_stop(GstVideoEncoder *base)
{
    GstDeepFGSEnc *self = GST_DEEPFGS_ENC(base);
    g_clear_pointer(&self->encoder, deepfgs_encoder_free);
    g_clear_pointer(&self->input, gst_video_codec_state_unref);
    return TRUE;
}

static gboolean gst_deepfgs_enc_set_format(GstVideoEncoder *base, GstVideoCodecState *input)
{
    GstDeepFGSEnc *self = GST_DEEPFGS_ENC(base);
    const GstVideoInfo *info = &input->info;
    gchar identity[DEEPFGS_IDENTITY_LENGTH], name[128];
    DeepFGSError error;

    DeepFGSColour colour = deepfgs_colour_of(&info->colorimetry);
    if (deepfgs_encoder_set_format(self->encoder, info->width, info->height, colour, &error) != DEEPFGS_OK) {
        DEEPFGS_POST_ERROR(self, &error);
        return FALSE;
    }
    if (self->input)
        gst_video_codec_state_unref(self->input);
    self->input = gst_video_codec_state_ref(input);

    deepfgs_encoder_get_model(self->encoder, identity, name, sizeof name);
    GstCaps *caps = gst_caps_new_simple(DEEPFGS_MEDIA_TYPE, "alignment", G_TYPE_STRING, "frame", "model", G_TYPE_STRING,
                                        identity, "parsed", G_TYPE_BOOLEAN, TRUE, NULL);
    gst_video_codec_state_unref(gst_video_encoder_set_output_state(base, caps, input));

    GstTagList *tags = gst_tag_list_new_empty();
    gchar *encoder = g_strdup_printf("DeepFGS %s", name);
    gst_tag_list_add(tags, GST_TAG_MERGE_REPLACE, GST_TAG_VIDEO_CODEC, "DeepFGS", GST_TAG_ENCODER, encoder, NULL);
    gst_video_encoder_merge_tags(base, tags, GST_TAG_MERGE_REPLACE);
    gst_tag_list_unref(tags);
    g_free(encoder);

    self->interval = GST_CLOCK_TIME_NONE;
    if (info->fps_n > 0) {
        self->interval = gst_util_uint64_scale(GST_SECOND, info->fps_d, info->fps_n);
        gst_video_encoder_set_latency(base, self->interval, self->interval);
    }
    return gst_video_encoder_negotiate(base);
}

/* Encodes the mapped picture into `frame`'s output buffer. */
static gboolean gst_deepfgs_enc_encode(GstDeepFGSEnc *self, const GstVideoFrame *picture, GstVideoCodecFrame *frame)
{
    GstVideoEncoder *base = GST_VIDEO_ENCODER(self);
    DeepFGSLayout layout;
    DeepFGSEncoded encoded;
    DeepFGSError error;
    GstMapInfo map;

    gsize size = deepfgs_frame_layout(picture, &layout);
    if (size == 0) {
        GST_ELEMENT_ERROR(self, STREAM, FORMAT, ("The pictures are no packed RGB."), (NULL));
        return FALSE;
    }
    DeepFGSFrameSettings settings = {
        .time = gst_segment_to_running_time(&base->input_segment, GST_FORMAT_TIME, frame->pts),
        .duration = GST_CLOCK_TIME_IS_VALID(frame->duration) ? frame->duration : self->interval,
    };
    GST_OBJECT_LOCK(self);
    settings.bits_per_pixel = self->max_bpp;
    settings.base_step = self->base_step;
    settings.step = self->step;
    GST_OBJECT_UNLOCK(self);
    if (deepfgs_encoder_encode(self->encoder, GST_VIDEO_FRAME_PLANE_DATA(picture, 0), size, &layout, &settings,
                               &encoded, &error) != DEEPFGS_OK) {
        DEEPFGS_POST_ERROR(self, &error);
        return FALSE;
    }
    if (gst_video_encoder_allocate_output_frame(base, frame, encoded.size) != GST_FLOW_OK ||
        !gst_buffer_map(frame->output_buffer, &map, GST_MAP_WRITE)) {
        GST_ELEMENT_ERROR(self, RESOURCE, NO_SPACE_LEFT, ("No memory for a frame of %zu bytes.", encoded.size), (NULL));
        return FALSE;
    }
    deepfgs_encoder_read(self->encoder, map.data, map.size);
    gst_buffer_unmap(frame->output_buffer, &map);
    GST_BUFFER_FLAG_SET(frame->output_buffer, GST_BUFFER_FLAG_MARKER);
    GST_LOG_OBJECT(self, "frame %u: %" G_GSIZE_FORMAT " bytes, base %" G_GSIZE_FORMAT ", whole %" G_GSIZE_FORMAT,
                   frame->system_frame_number, encoded.size, encoded.base, encoded.whole);
    return TRUE;
}

static GstFlowReturn gst_deepfgs_enc_handle_frame(GstVideoEncoder *base, GstVideoCodecFrame *frame)
{
    GstDeepFGSEnc *self = GST_DEEPFGS_ENC(base);
    GstVideoFrame picture;

    /* Every frame stands alone: each is a sync point, and any may be left out. */
    GST_VIDEO_CODEC_FRAME_SET_SYNC_POINT(frame);
    if (gst_video_encoder_get_max_encode_time(base, frame) < 0) {
        GST_DEBUG_OBJECT(self, "frame %u is late: dropped", frame->system_frame_number);
        return gst_video_encoder_finish_frame(base, frame);
    }
    if (!gst_video_frame_map(&picture, &self->input->info, frame->input_buffer, GST_MAP_READ)) {
        gst_video_codec_frame_unref(frame);
        GST_ELEMENT_ERROR(self, RESOURCE, READ, ("Cannot read a picture's memory."), (NULL));
        return GST_FLOW_ERROR;
    }
    gboolean encoded = gst_deepfgs_enc_encode(self, &picture, frame);
    gst_video_frame_unmap(&picture);
    if (!encoded) {
        gst_video_codec_frame_unref(frame);
        return GST_FLOW_ERROR;
    }
    return gst_video_encoder_finish_frame(base, frame);
}

static gboolean gst_deepfgs_enc_propose_allocation(GstVideoEncoder *base, GstQuery *query)
{
    gst_query_add_allocation_meta(query, GST_VIDEO_META_API_TYPE, NULL);
    return GST_VIDEO_ENCODER_CLASS(gst_deepfgs_enc_parent_class)->propose_allocation(base, query);
}

static void gst_deepfgs_enc_finalize(GObject *object)
{
    g_free(GST_DEEPFGS_ENC(object)->model);
    G_OBJECT_CLASS(gst_deepfgs_enc_parent_class)->finalize(object);
}

static void gst_deepfgs_enc_class_init(GstDeepFGSEncClass *encoder_class)
{
    GObjectClass *object_class = G_OBJECT_CLASS(encoder_class);
    GstElementClass *element_class = GST_ELEMENT_CLASS(encoder_class);

    GST_DEBUG_CATEGORY_INIT(deepfgsenc_debug, "deepfgsenc", 0, "DeepFGS encoder");

    object_class->set_property = gst_deepfgs_enc_set_property;
    object_class->get_property = gst_deepfgs_enc_get_property;
    object_class->finalize = gst_deepfgs_enc_finalize;
    g_object_class_install_property(
        object_class, PROP_MODEL,
        g_param_spec_string("model", "Model",
                            "The trained model: the path of a .safetensors file, or the name of one in the directories "
                            "of DEEPFGS_MODEL_PATH or deepfgs/models under the data directories",
                            DEFAULT_MODEL, G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY));
    g_object_class_install_property(
        object_class, PROP_MAX_BPP,
        g_param_spec_double("max-bpp", "Maximal bits per pixel",
                            "Cut each frame to so many bits for each pixel, but never into its base, without which it "
                            "does not decode; 0 keeps frames whole",
                            0, 64, DEFAULT_MAX_BPP,
                            G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_PLAYING));
    const GParamFlags playing = G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_PLAYING;
    g_object_class_install_property(
        object_class, PROP_STEP,
        g_param_spec_uint(
            "step", "Step",
            "Quantiser step of the scalable part in sixteenths: finer than 16, whole frames become larger "
            "and better; coarser, smaller",
            1, 32, DEFAULT_STEP, playing));
    g_object_class_install_property(
        object_class, PROP_BASE_STEP,
        g_param_spec_uint(
            "base-step", "Base step",
            "Quantiser step of the base, which every receiver needs, in sixteenths: coarser than 16, bases "
            "become smaller and plainer",
            1, 32, DEFAULT_STEP, playing));
    deepfgs_install_compute_properties(object_class, PROP_THREADS, PROP_PRECISION);

    gst_element_class_add_static_pad_template(element_class, &sink_template);
    gst_element_class_add_static_pad_template(element_class, &src_template);
    gst_element_class_set_static_metadata(
        element_class, "DeepFGS encoder", "Codec/Encoder/Image",
        "Encodes pictures with a learned codec, in frames that can be cut at any byte", DEEPFGS_AUTHOR);

    encoder_class->start = gst_deepfgs_enc_start;
    encoder_class->stop = gst_deepfgs_enc_stop;
    encoder_class->set_format = gst_deepfgs_enc_set_format;
    encoder_class->handle_frame = gst_deepfgs_enc_handle_frame;
    encoder_class->propose_allocation = gst_deepfgs_enc_propose_allocation;
}

static void gst_deepfgs_enc_init(GstDeepFGSEnc *self)
{
    self->model = g_strdup(DEFAULT_MODEL);
    self->max_bpp = DEFAULT_MAX_BPP;
    self->step = self->base_step = DEFAULT_STEP;
    GST_PAD_SET_ACCEPT_TEMPLATE(GST_VIDEO_ENCODER_SINK_PAD(self));
}

GST_ELEMENT_REGISTER_DEFINE(deepfgsenc, "deepfgsenc", GST_RANK_PRIMARY, gst_deepfgs_enc_get_type());
