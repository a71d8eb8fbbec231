/**
 * SECTION:element-deepfgsparse
 * @title: deepfgsparse
 * @see_also: deepfgsdec, deepfgsenc
 *
 * Divides a byte stream, such as a `.dfgs` file, into the DeepFGS frames in it: one buffer for each.
 *
 * Frames stand one behind another, and each may have been cut: it ends at the length its header declares, or where the
 * next valid header begins behind its base but before that, or where the stream ends. Bytes that are no frame are
 * skipped up to the next header, with a warning message that says how many they were. A frame whose base is cut or
 * damaged cannot be decoded; it ends at the next valid header and is passed on flagged as corrupted, so that deepfgsdec
 * can conceal it.
 *
 * A frame that carries its time is given that time, counted from the first frame of the stream; where the times go
 * back, because two files were put together, the second goes on where the first ended. Frames without a time follow
 * each other at #deepfgsparse:framerate.
 *
 * Of a file the element says how long it lasts before the first frame leaves, exactly: it reads the headers, of at most
 * 50 000 frames, and where frames were cut up to 64 MiB; of a longer one the last frame's time tells.
 *
 * What matroskademux makes of such frames in Matroska (`V_MS/VFW/FOURCC`, DFGS) is accepted, too:
 * docs/35-adaptive-streaming.md, "Sound".
 *
 * ## Example pipelines
 * |[
 * gst-launch-1.0 videotestsrc num-buffers=50 ! video/x-raw,width=640,height=480 ! videoconvert ! deepfgsenc ! filesink location=/tmp/test.dfgs
 * gst-launch-1.0 filesrc location=/tmp/test.dfgs ! deepfgsparse ! deepfgsdec ! videoconvert ! autovideosink
 * ]| Records a test picture and plays the recording.
 * |[
 * gst-launch-1.0 -v filesrc location=/tmp/test.dfgs ! deepfgsparse ! fakesink silent=false
 * ]| Lists the frames of a file: no model is needed.
 *
 * Since: 0.1
 */
#include <gst/base/gstbaseparse.h>
#include <gst/video/video.h>

#include "shim.h"

GST_DEBUG_CATEGORY_STATIC(deepfgsparse_debug);
#define GST_CAT_DEFAULT deepfgsparse_debug

/* The shortest header: fewer bytes are not worth a call. */
#define SHORTEST_FRAME 31

#define DEFAULT_FRAMERATE_N 1
#define DEFAULT_FRAMERATE_D 1

enum { PROP_0, PROP_FRAMERATE };

typedef struct {
    GstBaseParse parent;

    /* Properties, under the object lock. */
    gint framerate_n, framerate_d;

    /* From start to stop. */
    DeepFGSParser *parser;
    /* Upstream gives times, not a plain byte stream. */
    gboolean upstream_time;
    /* What the source pad's caps say; a width of 0 before there are any. */
    guint width, height, pixel_width, pixel_height;
    gchar model[DEEPFGS_IDENTITY_LENGTH];
    /* The frame rate in the caps: chosen once for a stream. */
    gboolean rate_known;
    gint rate_n, rate_d;
} GstDeepFGSParse;

typedef GstBaseParseClass GstDeepFGSParseClass;

GType gst_deepfgs_parse_get_type(void);
#define GST_DEEPFGS_PARSE(object) ((GstDeepFGSParse *)(object))
G_DEFINE_TYPE(GstDeepFGSParse, gst_deepfgs_parse, GST_TYPE_BASE_PARSE)

static GstStaticPadTemplate sink_template =
    GST_STATIC_PAD_TEMPLATE("sink", GST_PAD_SINK, GST_PAD_ALWAYS,
                            GST_STATIC_CAPS(DEEPFGS_MEDIA_TYPE "; video/x-unknown, fourcc = (string) DFGS"));

static GstStaticPadTemplate src_template =
    GST_STATIC_PAD_TEMPLATE("src", GST_PAD_SRC, GST_PAD_ALWAYS,
                            GST_STATIC_CAPS(DEEPFGS_MEDIA_TYPE ", width = (int) [ 1, 65535 ], "
                                                               "height = (int) [ 1, 65535 ], "
                                                               "framerate = (fraction) [ 0, MAX ], "
                                                               "alignment = (string) frame, parsed = (boolean) true"));

static void gst_deepfgs_parse_set_property(GObject *object, guint id, const GValue *value, GParamSpec *spec)
{
    GstDeepFGSParse *self = GST_DEEPFGS_PARSE(object);
    switch (id) {
    case PROP_FRAMERATE:
        GST_OBJECT_LOCK(self);
        self->framerate_n = gst_value_get_fraction_numerator(value);
        self->framerate_d = gst_value_get_fraction_denominator(value);
        GST_OBJECT_UNLOCK(self);
        break;
    default:
        G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
    }
}

static void gst_deepfgs_parse_get_property(GObject *object, guint id, GValue *value, GParamSpec *spec)
{
    GstDeepFGSParse *self = GST_DEEPFGS_PARSE(object);
    switch (id) {
    case PROP_FRAMERATE:
        GST_OBJECT_LOCK(self);
        gst_value_set_fraction(value, self->framerate_n, self->framerate_d);
        GST_OBJECT_UNLOCK(self);
        break;
    default:
        G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
    }
}

static gboolean gst_deepfgs_parse_start(GstBaseParse *parse)
{
    GstDeepFGSParse *self = GST_DEEPFGS_PARSE(parse);
    self->parser = deepfgs_parser_new();
    self->upstream_time = FALSE;
    self->width = self->height = 0;
    self->model[0] = 0;
    self->rate_known = FALSE;
    gst_base_parse_set_min_frame_size(parse, SHORTEST_FRAME);
    return TRUE;
}

static gboolean gst_deepfgs_parse_stop(GstBaseParse *parse)
{
    GstDeepFGSParse *self = GST_DEEPFGS_PARSE(parse);
    g_clear_pointer(&self->parser, deepfgs_parser_free);
    return TRUE;
}

static gboolean gst_deepfgs_parse_set_sink_caps(GstBaseParse *parse, GstCaps *caps)
{
    GstDeepFGSParse *self = GST_DEEPFGS_PARSE(parse);
    gint n, d;
    GST_DEBUG_OBJECT(self, "upstream caps %" GST_PTR_FORMAT, caps);
    if (gst_structure_get_fraction(gst_caps_get_structure(caps, 0), "framerate", &n, &d) && d > 0) {
        self->rate_n = n;
        self->rate_d = d;
        self->rate_known = TRUE;
    }
    return TRUE;
}

/* The frame rate for the caps and for frames without a time: upstream's, else the first frame's, else the property. */
static void gst_deepfgs_parse_choose_rate(GstDeepFGSParse *self, guint64 duration)
{
    if (!self->rate_known) {
        if (duration == DEEPFGS_TIME_NONE || !gst_video_guess_framerate(duration, &self->rate_n, &self->rate_d)) {
            GST_OBJECT_LOCK(self);
            self->rate_n = self->framerate_n;
            self->rate_d = self->framerate_d;
            GST_OBJECT_UNLOCK(self);
        }
        self->rate_known = TRUE;
    }
    gst_base_parse_set_frame_rate(GST_BASE_PARSE(self), self->rate_n, self->rate_d, 0, 0);
    if (self->rate_n > 0)
        deepfgs_parser_set_interval(self->parser, gst_util_uint64_scale(GST_SECOND, self->rate_d, self->rate_n));
}

/* Says how long the stream lasts where it is a file, which can be read anywhere: from header to header, so that a large one
 * costs little. */
static void gst_deepfgs_parse_find_duration(GstDeepFGSParse *self)
{
    GstPad *pad = GST_BASE_PARSE_SINK_PAD(self);
    gint64 length = 0;
    if (GST_PAD_MODE(pad) != GST_PAD_MODE_PULL || !gst_pad_peer_query_duration(pad, GST_FORMAT_BYTES, &length) ||
        length <= 0)
        return;
    GstClockTime interval =
        self->rate_n > 0 ? gst_util_uint64_scale(GST_SECOND, self->rate_d, self->rate_n) : GST_SECOND;
    DeepFGSDurationScan *scan = deepfgs_duration_scan_new((guint64)length, interval);
    DeepFGSRead read;
    guint64 duration = deepfgs_duration_scan_next(scan, (const guint8 *)"", 0, &read);
    while (read.size) {
        GstBuffer *buffer = NULL;
        GstMapInfo map;
        if (gst_pad_pull_range(pad, read.offset, (guint)read.size, &buffer) != GST_FLOW_OK ||
            !gst_buffer_map(buffer, &map, GST_MAP_READ)) {
            gst_clear_buffer(&buffer);
            duration = DEEPFGS_TIME_NONE;
            break;
        }
        duration = deepfgs_duration_scan_next(scan, map.data, map.size, &read);
        gst_buffer_unmap(buffer, &map);
        gst_buffer_unref(buffer);
    }
    deepfgs_duration_scan_free(scan);
    if (duration != DEEPFGS_TIME_NONE && duration < G_MAXINT64)
        gst_base_parse_set_duration(GST_BASE_PARSE(self), GST_FORMAT_TIME, (gint64)duration, 0);
}

/* Makes the source pad's caps those of the frame. */
static gboolean gst_deepfgs_parse_negotiate(GstDeepFGSParse *self, const DeepFGSParseStep *frame)
{
    if (self->width == frame->width && self->height == frame->height && self->pixel_width == frame->pixel_width &&
        self->pixel_height == frame->pixel_height && g_str_equal(self->model, frame->model))
        return TRUE;
    if (self->width == 0) {
        gst_deepfgs_parse_choose_rate(self, frame->duration);
        gst_deepfgs_parse_find_duration(self);
        GstTagList *tags = gst_tag_list_new(GST_TAG_VIDEO_CODEC, "DeepFGS", NULL);
        gst_base_parse_merge_tags(GST_BASE_PARSE(self), tags, GST_TAG_MERGE_REPLACE);
        gst_tag_list_unref(tags);
    }
    GstCaps *caps = gst_caps_new_simple(DEEPFGS_MEDIA_TYPE, "width", G_TYPE_INT, (gint)frame->width, "height",
                                        G_TYPE_INT, (gint)frame->height, "framerate", GST_TYPE_FRACTION, self->rate_n,
                                        self->rate_d, "alignment", G_TYPE_STRING, "frame", "model", G_TYPE_STRING,
                                        frame->model, "parsed", G_TYPE_BOOLEAN, TRUE, NULL);
    if (frame->pixel_width)
        gst_caps_set_simple(caps, "pixel-aspect-ratio", GST_TYPE_FRACTION, (gint)frame->pixel_width,
                            (gint)frame->pixel_height, NULL);
    gboolean pushed = gst_pad_push_event(GST_BASE_PARSE_SRC_PAD(self), gst_event_new_caps(caps));
    gst_caps_unref(caps);
    self->width = frame->width;
    self->height = frame->height;
    self->pixel_width = frame->pixel_width;
    self->pixel_height = frame->pixel_height;
    g_strlcpy(self->model, frame->model, sizeof self->model);
    return pushed;
}

/* Says what was skipped, now that it is known how much it was: before the frame that ends it, or at the end of the
 * stream. */
static void gst_deepfgs_parse_report_skipped(GstDeepFGSParse *self, gboolean ended)
{
    gchar message[DEEPFGS_MESSAGE_LENGTH];
    if (deepfgs_parser_take_skipped(self->parser, message, sizeof message) == 0)
        return;
    if (ended && self->width == 0)
        GST_ELEMENT_ERROR(self, STREAM, WRONG_TYPE, ("%s", message), (NULL));
    else
        GST_ELEMENT_WARNING(self, STREAM, DECODE, ("%s", message), (NULL));
}

/* Passes the first `step->size` bytes of the base class's data on as a frame. */
static GstFlowReturn gst_deepfgs_parse_finish(GstDeepFGSParse *self, GstBaseParseFrame *frame,
                                              const DeepFGSParseStep *step)
{
    gst_deepfgs_parse_report_skipped(self, FALSE);
    if (!gst_deepfgs_parse_negotiate(self, step))
        return GST_FLOW_NOT_NEGOTIATED;
    GstBuffer *buffer = frame->buffer;
    if (step->time != DEEPFGS_TIME_NONE)
        GST_BUFFER_PTS(buffer) = GST_BUFFER_DTS(buffer) = step->time;
    if (step->duration != DEEPFGS_TIME_NONE)
        GST_BUFFER_DURATION(buffer) = step->duration;
    GST_BUFFER_FLAG_SET(buffer, GST_BUFFER_FLAG_MARKER);
    if (step->damaged) {
        GST_WARNING_OBJECT(self, "base of the frame at byte %" G_GUINT64_FORMAT " is damaged", frame->offset);
        GST_BUFFER_FLAG_SET(buffer, GST_BUFFER_FLAG_CORRUPTED);
    }
    return gst_base_parse_finish_frame(GST_BASE_PARSE(self), frame, step->size);
}

/* One step at `bytes`, which lie `done` bytes after the start of the base class's data. Returns how many of them were a
 * frame, so that another may follow; 0 where the base class has to act first. */
static gsize gst_deepfgs_parse_step(GstDeepFGSParse *self, const guint8 *bytes, gsize size, gsize done,
                                    GstBaseParseFrame *frame, gint *skip, GstFlowReturn *flow)
{
    GstBaseParse *parse = GST_BASE_PARSE(self);
    gboolean draining = GST_BASE_PARSE_DRAINING(parse);
    guint64 offset = frame->offset + done;
    DeepFGSParseStep step;
    DeepFGSError error;

    deepfgs_parser_next(self->parser, bytes, size, offset, draining, done > 0, &step, &error);
    GST_TRACE_OBJECT(self, "%" G_GSIZE_FORMAT " bytes at %" G_GUINT64_FORMAT ": action %d, size %" G_GSIZE_FORMAT, size,
                     offset, step.action, step.size);
    gst_base_parse_set_min_frame_size(parse, step.action == DEEPFGS_PARSE_MORE ? step.size : SHORTEST_FRAME);
    switch (step.action) {
    case DEEPFGS_PARSE_FRAME:
        if (done > 0) {
            GstBaseParseFrame next;
            gst_base_parse_frame_init(&next);
            next.buffer = gst_buffer_new();
            next.offset = offset;
            GST_BUFFER_OFFSET(next.buffer) = offset;
            *flow = gst_deepfgs_parse_finish(self, &next, &step);
            gst_base_parse_frame_free(&next);
        } else {
            *flow = gst_deepfgs_parse_finish(self, frame, &step);
        }
        return step.size;
    case DEEPFGS_PARSE_SKIP:
        *skip = step.size;
        if (draining && step.size == size)
            gst_deepfgs_parse_report_skipped(self, TRUE);
        return 0;
    case DEEPFGS_PARSE_MORE:
        return 0;
    default:
        DEEPFGS_POST_ERROR(self, &error);
        *flow = GST_FLOW_ERROR;
        return 0;
    }
}

static GstFlowReturn gst_deepfgs_parse_handle_frame(GstBaseParse *parse, GstBaseParseFrame *frame, gint *skip)
{
    GstDeepFGSParse *self = GST_DEEPFGS_PARSE(parse);
    GstFlowReturn flow = GST_FLOW_OK;
    GstMapInfo map;

    GstBuffer *data = gst_buffer_ref(frame->buffer);
    if (!gst_buffer_map(data, &map, GST_MAP_READ)) {
        gst_buffer_unref(data);
        GST_ELEMENT_ERROR(self, RESOURCE, READ, ("Cannot read the bytes of the stream."), (NULL));
        return GST_FLOW_ERROR;
    }
    /* All frames that are there at once: the base class may copy everything it holds for each call. But where upstream
     * gives times, the base class attaches them call by call. */
    gsize done = 0, size;
    do {
        size = gst_deepfgs_parse_step(self, map.data + done, map.size - done, done, frame, skip, &flow);
        done += size;
    } while (size > 0 && flow == GST_FLOW_OK && done < map.size && !self->upstream_time);
    gst_buffer_unmap(data, &map);
    gst_buffer_unref(data);
    return flow;
}

static gboolean gst_deepfgs_parse_sink_event(GstBaseParse *parse, GstEvent *event)
{
    GstDeepFGSParse *self = GST_DEEPFGS_PARSE(parse);
    const GstSegment *segment;
    switch (GST_EVENT_TYPE(event)) {
    case GST_EVENT_SEGMENT:
        gst_event_parse_segment(event, &segment);
        self->upstream_time = segment->format == GST_FORMAT_TIME;
        break;
    case GST_EVENT_EOS:
        gst_base_parse_drain(parse);
        gst_deepfgs_parse_report_skipped(self, TRUE);
        break;
    default:
        break;
    }
    return GST_BASE_PARSE_CLASS(gst_deepfgs_parse_parent_class)->sink_event(parse, event);
}

static void gst_deepfgs_parse_class_init(GstDeepFGSParseClass *parse_class)
{
    GObjectClass *object_class = G_OBJECT_CLASS(parse_class);
    GstElementClass *element_class = GST_ELEMENT_CLASS(parse_class);

    GST_DEBUG_CATEGORY_INIT(deepfgsparse_debug, "deepfgsparse", 0, "DeepFGS parser");

    object_class->set_property = gst_deepfgs_parse_set_property;
    object_class->get_property = gst_deepfgs_parse_get_property;
    g_object_class_install_property(
        object_class, PROP_FRAMERATE,
        gst_param_spec_fraction("framerate", "Frame rate",
                                "Frames per second where neither the frames nor upstream say it; a frame that carries "
                                "its own time keeps it",
                                1, G_MAXINT, G_MAXINT, 1, DEFAULT_FRAMERATE_N, DEFAULT_FRAMERATE_D,
                                G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY));

    gst_element_class_add_static_pad_template(element_class, &sink_template);
    gst_element_class_add_static_pad_template(element_class, &src_template);
    gst_element_class_set_static_metadata(
        element_class, "DeepFGS frame parser", "Codec/Parser/Image",
        "Divides a stream of DeepFGS frames, whole or cut, into one buffer for each frame", DEEPFGS_AUTHOR);

    parse_class->start = gst_deepfgs_parse_start;
    parse_class->stop = gst_deepfgs_parse_stop;
    parse_class->set_sink_caps = gst_deepfgs_parse_set_sink_caps;
    parse_class->handle_frame = gst_deepfgs_parse_handle_frame;
    parse_class->sink_event = gst_deepfgs_parse_sink_event;
}

static void gst_deepfgs_parse_init(GstDeepFGSParse *self)
{
    self->framerate_n = DEFAULT_FRAMERATE_N;
    self->framerate_d = DEFAULT_FRAMERATE_D;
    gst_base_parse_set_pts_interpolation(GST_BASE_PARSE(self), TRUE);
    GST_PAD_SET_ACCEPT_INTERSECT(GST_BASE_PARSE_SINK_PAD(self));
    GST_PAD_SET_ACCEPT_TEMPLATE(GST_BASE_PARSE_SINK_PAD(self));
}

GST_ELEMENT_REGISTER_DEFINE(deepfgsparse, "deepfgsparse", GST_RANK_PRIMARY, gst_deepfgs_parse_get_type());
