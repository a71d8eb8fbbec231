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
 * the source tree that the plugin was built in or in share/deepfgs/models of its prefix, and in deepfgs/models under
 * the user's and the system's data directories (XDG_DATA_HOME, XDG_DATA_DIRS, /usr/local/share, /usr/share).
 *
 * Pictures are read as they come, in R'G'B' or in Y'CbCr of 8 bits (I420, NV12, YUY2), which is turned into R'G'B' on the
 * way into the networks with the matrix, range and siting of chroma that the caps say. docs/27-live.md says how.
 *
 * ## Bases that fit
 *
 * A sender behind the encoder (deepfgsadapt) whose bitrate has no room for the bases asks for smaller ones, by the event
 * `deepfgs-base-request`. Then bases become coarser, up to #deepfgsenc:max-base-step, and where that is not enough frames are
 * left out, down to #deepfgsenc:min-framerate; of several senders, behind a tee, the one with the least room counts. Both
 * are undone when there is room again.
 *
 * ## Live sources
 *
 * Behind a live source, frames that the encoder has no time for are dropped rather than encoded later and later: one
 * that waited for the encoder and is later than #deepfgsenc:max-lateness, the oldest first. Where that happens the element
 * posts, once a second at most, the element message `deepfgs-overload` with the fields `framerate` (#gdouble), the frames
 * encoded a second, and `dropped` (#guint64), since the last such message. `qos=false` encodes every frame, however late;
 * `qos=true` drops late frames of sources that are not live, too, where a sink says that they come too late.
 *
 * The latency that the element reports is that of most frames (95 %) and a quarter more, measured, and the duration of
 * one frame until some were.
 *
 * The fields of #deepfgsenc:stats are in docs/27-live.md.
 *
 * ## Example pipelines
 * |[
 * gst-launch-1.0 -e v4l2src ! deepfgsenc ! filesink location=/tmp/camera.dfgs
 * ]| Records a camera until Ctrl-C.
 * |[
 * gst-launch-1.0 videotestsrc num-buffers=50 ! video/x-raw,width=640,height=480 ! deepfgsenc max-bpp=0.2 ! deepfgsdec ! videoconvert ! autovideosink
 * ]| Shows a test picture at a fifth of a bit for each pixel.
 *
 * Since: 0.1
 */
#include "enc.h"

GST_DEBUG_CATEGORY(deepfgsenc_debug);
#define GST_CAT_DEFAULT deepfgsenc_debug

G_DEFINE_TYPE(GstDeepFGSEnc, gst_deepfgs_enc, GST_TYPE_VIDEO_ENCODER)

static GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE(
    "sink", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS(DEEPFGS_RAW_CAPS(DEEPFGS_READ_FORMATS)));

static GstStaticPadTemplate src_template =
    GST_STATIC_PAD_TEMPLATE("src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS(DEEPFGS_FRAME_CAPS));

static gboolean gst_deepfgs_enc_start(GstVideoEncoder *base)
{
    GstDeepFGSEnc *self = GST_DEEPFGS_ENC(base);
    DeepFGSError error;

    GST_OBJECT_LOCK(self);
    gchar *model = g_strdup(self->model && *self->model ? self->model : deepfgs_enc_default_model());
    DeepFGSCompute compute = self->compute;
    memset(&self->counts, 0, sizeof self->counts);
    self->used_step = self->base_step;
    GST_OBJECT_UNLOCK(self);

    GST_INFO_OBJECT(self, "loading model %s", model);
    self->encoder = deepfgs_encoder_new(model, compute, &error);
    g_free(model);
    if (!self->encoder) {
        DEEPFGS_POST_ERROR(self, &error);
        return FALSE;
    }
    deepfgs_live_start(&self->live);
    GST_OBJECT_LOCK(self);
    self->bases = deepfgs_base_control_new();
    GST_OBJECT_UNLOCK(self);
    return TRUE;
}

static gboolean gst_deepfgs_enc_stop(GstVideoEncoder *base)
{
    GstDeepFGSEnc *self = GST_DEEPFGS_ENC(base);
    GST_OBJECT_LOCK(self);
    g_clear_pointer(&self->bases, deepfgs_base_control_free);
    GST_OBJECT_UNLOCK(self);
    g_clear_pointer(&self->encoder, deepfgs_encoder_free);
    deepfgs_live_stop(&self->live);
    g_clear_pointer(&self->input, gst_video_codec_state_unref);
    return TRUE;
}

/* Learns whether the source is live, by which qos goes where it is not set. */
static void gst_deepfgs_enc_query_live(GstDeepFGSEnc *self)
{
    GstVideoEncoder *base = GST_VIDEO_ENCODER(self);
    deepfgs_live_query(&self->live, GST_ELEMENT(self), GST_VIDEO_ENCODER_SINK_PAD(base));
    GST_OBJECT_LOCK(self);
    gboolean drops = self->qos_is_set ? self->qos : self->live.is_live;
    GST_OBJECT_UNLOCK(self);
    gst_video_encoder_set_qos_enabled(base, drops);
}

static gboolean gst_deepfgs_enc_src_event(GstVideoEncoder *base, GstEvent *event)
{
    if (gst_event_has_name(event, DEEPFGS_BASE_REQUEST)) {
        deepfgs_enc_take_request(GST_DEEPFGS_ENC(base), gst_event_get_structure(event));
        gst_event_unref(event);
        return TRUE;
    }
    if (GST_EVENT_TYPE(event) == GST_EVENT_LATENCY)
        gst_deepfgs_enc_query_live(GST_DEEPFGS_ENC(base));
    return GST_VIDEO_ENCODER_CLASS(gst_deepfgs_enc_parent_class)->src_event(base, event);
}

static gboolean gst_deepfgs_enc_set_format(GstVideoEncoder *base, GstVideoCodecState *input)
{
    GstDeepFGSEnc *self = GST_DEEPFGS_ENC(base);
    const GstVideoInfo *info = &input->info;
    gchar identity[DEEPFGS_IDENTITY_LENGTH], name[128];
    DeepFGSError error;

    DeepFGSColour colour = deepfgs_colour_of(input->caps, info);
    DeepFGSPixelAspect pixel = {.width = info->par_n, .height = info->par_d};
    if (deepfgs_encoder_set_format(self->encoder, info->width, info->height, colour, pixel, &error) != DEEPFGS_OK) {
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
    GST_OBJECT_LOCK(self);
    guint bitrate = self->bitrate;
    GST_OBJECT_UNLOCK(self);
    if (bitrate)
        gst_tag_list_add(tags, GST_TAG_MERGE_REPLACE, GST_TAG_BITRATE, bitrate, GST_TAG_MAXIMUM_BITRATE, bitrate, NULL);
    gst_video_encoder_merge_tags(base, tags, GST_TAG_MERGE_REPLACE);
    gst_tag_list_unref(tags);
    g_free(encoder);

    self->interval = GST_CLOCK_TIME_NONE;
    if (info->fps_n > 0) {
        self->interval = gst_util_uint64_scale(GST_SECOND, info->fps_d, info->fps_n);
        GstClockTime latency = self->live.announced ? self->live.announced : self->interval;
        gst_video_encoder_set_latency(base, latency, latency);
    }
    gst_deepfgs_enc_query_live(self);
    return gst_video_encoder_negotiate(base);
}

/* Encodes the mapped picture into `frame`'s output buffer. */
static gboolean gst_deepfgs_enc_encode(GstDeepFGSEnc *self, const GstVideoFrame *picture, GstClockTime time,
                                       GstVideoCodecFrame *frame)
{
    GstVideoEncoder *base = GST_VIDEO_ENCODER(self);
    DeepFGSEncoded encoded;
    DeepFGSError error;
    GstMapInfo map;

    DeepFGSRawPicture raw = deepfgs_raw_picture(picture);
    DeepFGSFrameSettings settings = {
        .time = time,
        .duration = GST_CLOCK_TIME_IS_VALID(frame->duration) ? frame->duration : self->interval,
    };
    GST_OBJECT_LOCK(self);
    settings.bits_per_pixel = self->max_bpp;
    if (self->bitrate)
        settings.most_bytes = MAX(1, gst_util_uint64_scale(self->bitrate, deepfgs_enc_interval(self), 8 * GST_SECOND));
    settings.base_step = self->used_step;
    settings.step = self->step;
    GST_OBJECT_UNLOCK(self);
    if (deepfgs_encoder_encode(self->encoder, &raw, &settings, &encoded, &error) != DEEPFGS_OK) {
        DEEPFGS_POST_ERROR(self, &error);
        return FALSE;
    }
    if (gst_video_encoder_allocate_output_frame(base, frame, encoded.size) != GST_FLOW_OK ||
        !gst_buffer_map(frame->output_buffer, &map, GST_MAP_WRITE)) {
        GST_ELEMENT_ERROR(self, RESOURCE, NO_SPACE_LEFT, ("No memory for a frame of %zu bytes.", encoded.size), (NULL));
        return FALSE;
    }
    deepfgs_encoder_read(self->encoder, map.data, map.size);
    GST_OBJECT_LOCK(self);
    deepfgs_base_control_note(self->bases, encoded.base, deepfgs_enc_now());
    GST_OBJECT_UNLOCK(self);
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
    GstClockTime time = gst_segment_to_running_time(&base->input_segment, GST_FORMAT_TIME, frame->pts);
    gboolean drops = gst_video_encoder_is_qos_enabled(base);
    if (gst_video_encoder_get_max_encode_time(base, frame) < 0 ||
        !deepfgs_live_begin(&self->live, GST_ELEMENT(self), drops, time, self->interval)) {
        GST_DEBUG_OBJECT(self, "frame %u is late: dropped", frame->system_frame_number);
        GST_OBJECT_LOCK(self);
        self->counts.late++;
        GST_OBJECT_UNLOCK(self);
        deepfgs_live_report(&self->live, GST_ELEMENT(self));
        return gst_video_encoder_finish_frame(base, frame);
    }
    if (!deepfgs_enc_admit(self, time))
        return gst_video_encoder_finish_frame(base, frame);
    if (!gst_video_frame_map(&picture, &self->input->info, frame->input_buffer, GST_MAP_READ)) {
        gst_video_codec_frame_unref(frame);
        GST_ELEMENT_ERROR(self, RESOURCE, READ, ("Cannot read a picture's memory."), (NULL));
        return GST_FLOW_ERROR;
    }
    gboolean encoded = gst_deepfgs_enc_encode(self, &picture, time, frame);
    gst_video_frame_unmap(&picture);
    if (!encoded) {
        gst_video_codec_frame_unref(frame);
        return GST_FLOW_ERROR;
    }
    GST_OBJECT_LOCK(self);
    self->counts.encoded++;
    self->counts.bytes += gst_buffer_get_size(frame->output_buffer);
    GST_OBJECT_UNLOCK(self);
    GstClockTime latency = deepfgs_live_end(&self->live);
    if (GST_CLOCK_TIME_IS_VALID(latency))
        gst_video_encoder_set_latency(base, latency, latency);
    deepfgs_live_report(&self->live, GST_ELEMENT(self));
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

    object_class->finalize = gst_deepfgs_enc_finalize;
    deepfgs_enc_install_properties(object_class);

    gst_element_class_add_static_pad_template(element_class, &sink_template);
    gst_element_class_add_static_pad_template(element_class, &src_template);
    gst_element_class_set_static_metadata(
        element_class, "DeepFGS encoder", "Codec/Encoder/Image",
        "Encodes pictures with a learned codec, in frames that can be cut at any byte", DEEPFGS_AUTHOR);

    encoder_class->start = gst_deepfgs_enc_start;
    encoder_class->stop = gst_deepfgs_enc_stop;
    encoder_class->set_format = gst_deepfgs_enc_set_format;
    encoder_class->handle_frame = gst_deepfgs_enc_handle_frame;
    encoder_class->src_event = gst_deepfgs_enc_src_event;
    encoder_class->propose_allocation = gst_deepfgs_enc_propose_allocation;
}

static void gst_deepfgs_enc_init(GstDeepFGSEnc *self)
{
    deepfgs_enc_init_properties(self);
    GST_PAD_SET_ACCEPT_TEMPLATE(GST_VIDEO_ENCODER_SINK_PAD(self));
}

GST_ELEMENT_REGISTER_DEFINE(deepfgsenc, "deepfgsenc", GST_RANK_PRIMARY, gst_deepfgs_enc_get_type());
