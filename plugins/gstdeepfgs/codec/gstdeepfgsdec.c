/**
 * SECTION:element-deepfgsdec
 * @title: deepfgsdec
 * @see_also: deepfgsenc, deepfgsparse, rtpdeepfgsdepay
 *
 * Decodes DeepFGS frames, whole or cut. A frame that was cut is a good frame: what did not arrive is predicted, and
 * the picture is less fine. Only where the base is incomplete or damaged is there no picture: #deepfgsdec:on-loss says
 * what takes its place. A picture that is shown again is flagged as corrupted, and so is no other.
 *
 * The model that made the stream is found by the identity that each frame carries: in the directories of
 * #deepfgsdec:model-path, in those of the environment variable DEEPFGS_MODEL_PATH, in the folder models of the source
 * tree that the plugin was built in or in share/deepfgs/models of its prefix, and in deepfgs/models under the user's
 * and the system's data directories (XDG_DATA_HOME, XDG_DATA_DIRS, /usr/local/share, /usr/share). Where it is in none,
 * the error names the model, the directories and the models that are there. Elements of one process share a model.
 *
 * Frames of another size than the last renegotiate. Before anything is allocated for a frame, its size is compared with
 * #deepfgsdec:max-pixels.
 *
 * Pictures are written as downstream likes them, in R'G'B' or in Y'CbCr of 8 bits (I420, NV12), with the matrix, range and
 * siting of chroma that downstream's caps ask for, or else those that go with the frame's primaries.
 *
 * Behind a live source, with `qos=true`, which is the default, frames that the decoder has no time for are dropped: one
 * that waited for the decoder and is later than #deepfgsdec:max-lateness, the oldest first. Where that happens the element
 * posts, once a second at most, the element message `deepfgs-overload` with the fields `framerate` (#gdouble), the frames
 * decoded a second, and `dropped` (#guint64), since the last such message. The latency that it reports is that of most
 * frames (95 %) and a quarter more, measured, and the duration of one frame until some were.
 *
 * ## Example pipelines
 * |[
 * gst-launch-1.0 filesrc location=/tmp/camera.dfgs ! deepfgsparse ! deepfgsdec ! videoconvert ! autovideosink
 * ]| Plays a file.
 * |[
 * gst-launch-1.0 filesrc location=/tmp/camera.dfgs ! deepfgsparse ! deepfgsdec ! pngenc ! multifilesink location=/tmp/frame-%05d.png
 * ]| Writes its frames as PNG files.
 *
 * The fields of #deepfgsdec:stats are in docs/27-live.md.
 *
 * Since: 0.1
 */
#include "dec.h"

GST_DEBUG_CATEGORY_STATIC(deepfgsdec_debug);
#define GST_CAT_DEFAULT deepfgsdec_debug

G_DEFINE_TYPE(GstDeepFGSDec, gst_deepfgs_dec, GST_TYPE_VIDEO_DECODER)

static GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE(
    "sink", GST_PAD_SINK, GST_PAD_ALWAYS,
    GST_STATIC_CAPS(DEEPFGS_MEDIA_TYPE ", alignment = (string) frame, parsed = (boolean) true"));

static GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE(
    "src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS(DEEPFGS_RAW_CAPS(DEEPFGS_WRITTEN_FORMATS)));

static gboolean gst_deepfgs_dec_start(GstVideoDecoder *base)
{
    GstDeepFGSDec *self = GST_DEEPFGS_DEC(base);
    GST_OBJECT_LOCK(self);
    DeepFGSCompute compute = self->compute;
    self->decoder = deepfgs_decoder_new(self->model_path ? self->model_path : "", compute, self->max_pixels);
    memset(&self->counts, 0, sizeof self->counts);
    GST_OBJECT_UNLOCK(self);
    deepfgs_live_start(&self->live);
    gst_video_decoder_set_packetized(base, TRUE);
    return TRUE;
}

static gboolean gst_deepfgs_dec_stop(GstVideoDecoder *base)
{
    GstDeepFGSDec *self = GST_DEEPFGS_DEC(base);
    g_clear_pointer(&self->decoder, deepfgs_decoder_free);
    deepfgs_live_stop(&self->live);
    g_clear_pointer(&self->input, gst_video_codec_state_unref);
    g_clear_pointer(&self->output, gst_video_codec_state_unref);
    gst_clear_buffer(&self->last);
    return TRUE;
}

static gboolean gst_deepfgs_dec_flush(GstVideoDecoder *base)
{
    /* What comes next need not resemble what came before. */
    gst_clear_buffer(&GST_DEEPFGS_DEC(base)->last);
    return TRUE;
}

static gboolean gst_deepfgs_dec_set_format(GstVideoDecoder *base, GstVideoCodecState *input)
{
    GstDeepFGSDec *self = GST_DEEPFGS_DEC(base);
    DeepFGSError error;

    if (self->input)
        gst_video_codec_state_unref(self->input);
    self->input = gst_video_codec_state_ref(input);
    g_clear_pointer(&self->output, gst_video_codec_state_unref);

    /* The frames say which model they need; this only has it ready for the first one. */
    const gchar *model = gst_structure_get_string(gst_caps_get_structure(input->caps, 0), "model");
    if (model && deepfgs_decoder_load_model(self->decoder, model, &error) != DEEPFGS_OK)
        GST_WARNING_OBJECT(self, "%s", error.message);

    self->interval = GST_CLOCK_TIME_NONE;
    if (input->info.fps_n > 0) {
        self->interval = gst_util_uint64_scale(GST_SECOND, input->info.fps_d, input->info.fps_n);
        GstClockTime latency = self->live.announced ? self->live.announced : self->interval;
        gst_video_decoder_set_latency(base, latency, latency);
    }
    deepfgs_live_query(&self->live, GST_ELEMENT(self), GST_VIDEO_DECODER_SINK_PAD(base));
    return TRUE;
}

static gboolean gst_deepfgs_dec_src_event(GstVideoDecoder *base, GstEvent *event)
{
    if (GST_EVENT_TYPE(event) == GST_EVENT_LATENCY)
        deepfgs_live_query(&GST_DEEPFGS_DEC(base)->live, GST_ELEMENT(base), GST_VIDEO_DECODER_SINK_PAD(base));
    return GST_VIDEO_DECODER_CLASS(gst_deepfgs_dec_parent_class)->src_event(base, event);
}

static gboolean gst_deepfgs_dec_decide_allocation(GstVideoDecoder *base, GstQuery *query)
{
    if (!GST_VIDEO_DECODER_CLASS(gst_deepfgs_dec_parent_class)->decide_allocation(base, query))
        return FALSE;
    /* Downstream's strides, where it has its own. */
    GstBufferPool *pool = NULL;
    gst_query_parse_nth_allocation_pool(query, 0, &pool, NULL, NULL, NULL);
    if (pool && gst_query_find_allocation_meta(query, GST_VIDEO_META_API_TYPE, NULL)) {
        GstStructure *config = gst_buffer_pool_get_config(pool);
        gst_buffer_pool_config_add_option(config, GST_BUFFER_POOL_OPTION_VIDEO_META);
        gst_buffer_pool_set_config(pool, config);
    }
    gst_clear_object(&pool);
    return TRUE;
}

/* Decodes `bytes` into `frame`'s output buffer. Where the stream, not the pipeline, is at fault, `flow` is
 * GST_FLOW_OK. */
static DeepFGSStatus gst_deepfgs_dec_decode(GstDeepFGSDec *self, GstBuffer *bytes, GstVideoCodecFrame *frame,
                                            DeepFGSDecoded *decoded, GstFlowReturn *flow, DeepFGSError *error)
{
    GstVideoDecoder *base = GST_VIDEO_DECODER(self);
    DeepFGSPicture picture;
    GstVideoFrame pixels;
    GstMapInfo map;

    *flow = GST_FLOW_OK;
    if (!gst_buffer_map(bytes, &map, GST_MAP_READ)) {
        error->status = DEEPFGS_ERROR_FAILED;
        g_strlcpy(error->message, "Cannot read a frame's memory", sizeof error->message);
        return error->status;
    }
    /* An empty buffer has no address. */
    const guint8 *data = map.data ? map.data : (const guint8 *)"";
    DeepFGSStatus status = deepfgs_decoder_begin(self->decoder, data, map.size, &picture, error);
    if (status == DEEPFGS_OK) {
        if (!deepfgs_dec_negotiate_picture(self, &picture))
            *flow = GST_PAD_IS_FLUSHING(GST_VIDEO_DECODER_SRC_PAD(self)) ? GST_FLOW_FLUSHING : GST_FLOW_NOT_NEGOTIATED;
        else
            *flow = gst_video_decoder_allocate_output_frame(base, frame);
    }
    if (status == DEEPFGS_OK && *flow == GST_FLOW_OK) {
        if (gst_video_frame_map(&pixels, &self->output->info, frame->output_buffer, GST_MAP_WRITE)) {
            DeepFGSRawPicture raw = deepfgs_raw_picture(&pixels);
            status = deepfgs_decoder_decode(self->decoder, data, map.size, &raw, decoded, error);
            gst_video_frame_unmap(&pixels);
        } else {
            error->status = status = DEEPFGS_ERROR_FAILED;
            g_strlcpy(error->message, "Cannot write a picture's memory", sizeof error->message);
        }
        if (status != DEEPFGS_OK)
            gst_buffer_replace(&frame->output_buffer, NULL);
    }
    gst_buffer_unmap(bytes, &map);
    return status;
}

/* What takes the place of a frame that does not decode: the last picture, or nothing. */
static GstFlowReturn gst_deepfgs_dec_conceal(GstDeepFGSDec *self, GstVideoCodecFrame *frame, const DeepFGSError *why)
{
    GstVideoDecoder *base = GST_VIDEO_DECODER(self);
    GstFlowReturn flow = GST_FLOW_OK;
    DeepFGSDecoded decoded;
    DeepFGSError error;

    GST_OBJECT_LOCK(self);
    self->counts.damaged++;
    DeepFGSOnLoss on_loss = self->on_loss;
    GST_OBJECT_UNLOCK(self);
    g_strlcpy(self->damage, why->message, sizeof self->damage);
    GST_VIDEO_DECODER_ERROR(base, 1, STREAM, DECODE, ("%s", why->message), (NULL), flow);
    if (flow != GST_FLOW_OK) {
        gst_video_decoder_release_frame(base, frame);
        return flow;
    }
    if (on_loss == DEEPFGS_ON_LOSS_SKIP || !self->last ||
        gst_deepfgs_dec_decode(self, self->last, frame, &decoded, &flow, &error) != DEEPFGS_OK || flow != GST_FLOW_OK) {
        GstFlowReturn dropped = gst_video_decoder_drop_frame(base, frame);
        return flow != GST_FLOW_OK ? flow : dropped;
    }
    GST_OBJECT_LOCK(self);
    self->counts.repeated++;
    GST_OBJECT_UNLOCK(self);
    GST_VIDEO_CODEC_FRAME_FLAG_SET(frame, GST_VIDEO_CODEC_FRAME_FLAG_CORRUPTED);
    return gst_video_decoder_finish_frame(base, frame);
}

/* A frame decoded: counts it and passes its picture on. */
static GstFlowReturn gst_deepfgs_dec_finish(GstDeepFGSDec *self, GstVideoCodecFrame *frame,
                                            const DeepFGSDecoded *decoded)
{
    if (decoded->tail_damaged)
        GST_INFO_OBJECT(self, "frame %u is damaged behind its base", frame->system_frame_number);
    GstClockTime latency = deepfgs_live_end(&self->live);
    if (GST_CLOCK_TIME_IS_VALID(latency))
        gst_video_decoder_set_latency(GST_VIDEO_DECODER(self), latency, latency);
    deepfgs_live_report(&self->live, GST_ELEMENT(self));
    GST_OBJECT_LOCK(self);
    if (self->concealing) {
        self->counts.repeated++;
    } else {
        self->counts.decoded++;
        self->counts.cut += decoded->size < decoded->whole;
        self->counts.bytes += decoded->size;
    }
    GST_OBJECT_UNLOCK(self);
    if (self->concealing)
        GST_VIDEO_CODEC_FRAME_FLAG_SET(frame, GST_VIDEO_CODEC_FRAME_FLAG_CORRUPTED);
    else
        gst_buffer_replace(&self->last, frame->input_buffer);
    return gst_video_decoder_finish_frame(GST_VIDEO_DECODER(self), frame);
}

static GstFlowReturn gst_deepfgs_dec_handle_frame(GstVideoDecoder *base, GstVideoCodecFrame *frame)
{
    GstDeepFGSDec *self = GST_DEEPFGS_DEC(base);
    GstFlowReturn flow;
    DeepFGSDecoded decoded;
    DeepFGSError error;

    if (!self->input) {
        /* A byte stream, as filesrc gives it: its blocks are no frames, though the first may begin with one. */
        gst_video_decoder_release_frame(base, frame);
        GST_ELEMENT_ERROR(self, STREAM, FORMAT,
                          ("No caps say that each buffer is one frame: use deepfgsparse before deepfgsdec."), (NULL));
        return GST_FLOW_NOT_NEGOTIATED;
    }
    GST_VIDEO_CODEC_FRAME_SET_SYNC_POINT(frame);
    gboolean drops;
    g_object_get(self, "qos", &drops, NULL);
    GstClockTime time = gst_segment_to_running_time(&base->input_segment, GST_FORMAT_TIME, frame->pts);
    if (gst_video_decoder_get_max_decode_time(base, frame) < 0 ||
        !deepfgs_live_begin(&self->live, GST_ELEMENT(self), drops, time, self->interval)) {
        GST_DEBUG_OBJECT(self, "frame %u is late: dropped", frame->system_frame_number);
        GST_OBJECT_LOCK(self);
        self->counts.late++;
        GST_OBJECT_UNLOCK(self);
        deepfgs_live_report(&self->live, GST_ELEMENT(self));
        return gst_video_decoder_drop_frame(base, frame);
    }
    DeepFGSStatus status = gst_deepfgs_dec_decode(self, frame->input_buffer, frame, &decoded, &flow, &error);
    if (flow != GST_FLOW_OK) {
        gst_video_decoder_release_frame(base, frame);
        return flow;
    }
    switch (status) {
    case DEEPFGS_OK:
        return gst_deepfgs_dec_finish(self, frame, &decoded);
    case DEEPFGS_ERROR_DAMAGED:
        return gst_deepfgs_dec_conceal(self, frame, &error);
    case DEEPFGS_ERROR_FORMAT:
    case DEEPFGS_ERROR_NOT_FOUND:
        /* One odd frame among good ones does not end a stream; a stream of odd frames does not begin. */
        if (self->last) {
            GST_ELEMENT_WARNING(self, STREAM, FORMAT, ("%s", error.message), (NULL));
            return gst_deepfgs_dec_conceal(self, frame, &error);
        }
        break;
    default:
        break;
    }
    DEEPFGS_POST_ERROR(self, &error);
    gst_video_decoder_release_frame(base, frame);
    return GST_FLOW_ERROR;
}

/* The end of the stream. One of which no frame gave a picture must not pass for an empty one. */
static GstFlowReturn gst_deepfgs_dec_at_end(GstVideoDecoder *base)
{
    GstDeepFGSDec *self = GST_DEEPFGS_DEC(base);
    GST_OBJECT_LOCK(self);
    guint64 damaged = self->counts.decoded ? 0 : self->counts.damaged;
    GST_OBJECT_UNLOCK(self);
    if (!damaged)
        return GST_FLOW_OK;
    GST_ELEMENT_ERROR(self, STREAM, DECODE, ("None of %" G_GUINT64_FORMAT " frames gave a picture.", damaged),
                      ("the last one: %s", self->damage));
    return GST_FLOW_ERROR;
}

/* A gap where frames were lost on the way: the last picture in its place, or the gap itself. */
static gboolean gst_deepfgs_dec_handle_missing_data(GstVideoDecoder *base, GstClockTime time, GstClockTime duration)
{
    GstDeepFGSDec *self = GST_DEEPFGS_DEC(base);
    GST_OBJECT_LOCK(self);
    gboolean repeat = self->on_loss == DEEPFGS_ON_LOSS_REPEAT && self->last;
    GST_OBJECT_UNLOCK(self);
    if (!repeat || !GST_CLOCK_TIME_IS_VALID(time))
        return TRUE;
    GstBuffer *again = gst_buffer_copy(self->last);
    GST_BUFFER_PTS(again) = GST_BUFFER_DTS(again) = time;
    GST_BUFFER_DURATION(again) = duration;
    self->concealing = TRUE;
    gst_pad_chain(GST_VIDEO_DECODER_SINK_PAD(base), again);
    self->concealing = FALSE;
    return FALSE;
}

static void gst_deepfgs_dec_finalize(GObject *object)
{
    g_free(GST_DEEPFGS_DEC(object)->model_path);
    G_OBJECT_CLASS(gst_deepfgs_dec_parent_class)->finalize(object);
}

static void gst_deepfgs_dec_class_init(GstDeepFGSDecClass *decoder_class)
{
    GObjectClass *object_class = G_OBJECT_CLASS(decoder_class);
    GstElementClass *element_class = GST_ELEMENT_CLASS(decoder_class);

    GST_DEBUG_CATEGORY_INIT(deepfgsdec_debug, "deepfgsdec", 0, "DeepFGS decoder");

    object_class->finalize = gst_deepfgs_dec_finalize;
    deepfgs_dec_install_properties(object_class);

    gst_element_class_add_static_pad_template(element_class, &sink_template);
    gst_element_class_add_static_pad_template(element_class, &src_template);
    gst_element_class_set_static_metadata(element_class, "DeepFGS decoder", "Codec/Decoder/Image",
                                          "Decodes frames of the DeepFGS learned codec, whole or cut at any byte",
                                          DEEPFGS_AUTHOR);

    decoder_class->start = gst_deepfgs_dec_start;
    decoder_class->stop = gst_deepfgs_dec_stop;
    decoder_class->flush = gst_deepfgs_dec_flush;
    decoder_class->finish = gst_deepfgs_dec_at_end;
    decoder_class->set_format = gst_deepfgs_dec_set_format;
    decoder_class->src_event = gst_deepfgs_dec_src_event;
    decoder_class->decide_allocation = gst_deepfgs_dec_decide_allocation;
    decoder_class->handle_frame = gst_deepfgs_dec_handle_frame;
    decoder_class->handle_missing_data = gst_deepfgs_dec_handle_missing_data;
}

static void gst_deepfgs_dec_init(GstDeepFGSDec *self)
{
    deepfgs_dec_init_properties(self);
    gst_video_decoder_set_use_default_pad_acceptcaps(GST_VIDEO_DECODER(self), TRUE);
    GST_PAD_SET_ACCEPT_TEMPLATE(GST_VIDEO_DECODER_SINK_PAD(self));
}

GST_ELEMENT_REGISTER_DEFINE(deepfgsdec, "deepfgsdec", GST_RANK_PRIMARY, gst_deepfgs_dec_get_type());
