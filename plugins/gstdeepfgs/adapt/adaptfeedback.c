/* deepfgsadapt: what it hears of the path, from rtpsession: transport-wide feedback by events, and receiver reports by
 * looking into the session behind its source pad. */
#include "adapt.h"

#define GST_CAT_DEFAULT deepfgsadapt_debug

/* Time between looks for receiver reports; they come every second or more rarely. */
#define POLL_INTERVAL (500 * GST_MSECOND)
/* Longest way through other elements (error correction, retransmission) to the session. */
#define LONGEST_WAY 16

static gint64 time_field(const GstStructure *packet, const gchar *name)
{
    guint64 time;
    if (!gst_structure_get_uint64(packet, name, &time) || !GST_CLOCK_TIME_IS_VALID(time) || time > G_MAXINT64)
        return -1;
    return (gint64)time;
}

void deepfgs_adapt_take_feedback(GstDeepFGSAdapt *self, const GstStructure *report)
{
    G_GNUC_BEGIN_IGNORE_DEPRECATIONS
    const GValue *value = gst_structure_get_value(report, "packets");
    if (!value || !G_VALUE_HOLDS(value, g_value_array_get_type()))
        return;
    GValueArray *packets = g_value_get_boxed(value);
    if (!packets || !packets->n_values)
        return;
    DeepFGSFeedback *entries = g_new0(DeepFGSFeedback, packets->n_values);
    gsize count = 0;
    for (guint i = 0; i < packets->n_values; i++) {
        const GValue *item = g_value_array_get_nth(packets, i);
        const GstStructure *packet = GST_VALUE_HOLDS_STRUCTURE(item) ? gst_value_get_structure(item) : NULL;
        guint number = 0, size = 0;
        gboolean lost = FALSE;
        if (!packet || !gst_structure_get_uint(packet, "seqnum", &number))
            continue;
        gst_structure_get_uint(packet, "size", &size);
        gst_structure_get_boolean(packet, "lost", &lost);
        entries[count++] = (DeepFGSFeedback){
            .sequence_number = (guint16)number,
            .is_lost = lost,
            .size = size,
            .sent = time_field(packet, "local-ts"),
            .arrived = time_field(packet, "remote-ts"),
        };
    }
    /* Counts from the next packet on: the one that waits for its time keeps it. */
    g_mutex_lock(&self->lock);
    deepfgs_adaptive_sender_feedback(self->sender, entries, count, deepfgs_adapt_now());
    g_mutex_unlock(&self->lock);
    g_free(entries);
    G_GNUC_END_IGNORE_DEPRECATIONS
}

/* The rtpsession that packets reach from here, or NULL. */
static GstElement *find_session(GstPad *src)
{
    GstPad *pad = gst_object_ref(src);
    for (guint way = 0; pad && way < LONGEST_WAY; way++) {
        GstPad *next = gst_pad_get_peer(pad);
        gst_object_unref(pad);
        pad = next;
        if (!pad)
            return NULL;
        if (GST_IS_GHOST_PAD(pad)) {
            next = gst_ghost_pad_get_target(GST_GHOST_PAD(pad));
            gst_object_unref(pad);
            if (!(pad = next))
                return NULL;
        }
        GstElement *element = gst_pad_get_parent_element(pad);
        if (element && g_object_class_find_property(G_OBJECT_GET_CLASS(element), "internal-session")) {
            gst_object_unref(pad);
            return element;
        }
        if (element)
            gst_object_unref(element);
        /* On through the element. */
        GValue item = G_VALUE_INIT;
        GstIterator *links = gst_pad_iterate_internal_links(pad);
        gst_object_unref(pad);
        pad = NULL;
        if (links && gst_iterator_next(links, &item) == GST_ITERATOR_OK) {
            pad = g_value_dup_object(&item);
            g_value_unset(&item);
        }
        if (links)
            gst_iterator_free(links);
    }
    if (pad)
        gst_object_unref(pad);
    return NULL;
}

static void take_report(GstDeepFGSAdapt *self, const GstStructure *source)
{
    gboolean internal = TRUE, have = FALSE;
    guint lost = 0, highest = 0, jitter = 0, sent = 0, trip = 0, ssrc = 0;
    if (!gst_structure_get_boolean(source, "internal", &internal) || internal ||
        !gst_structure_get_boolean(source, "have-rb", &have) || !have)
        return;
    gst_structure_get_uint(source, "ssrc", &ssrc);
    gst_structure_get_uint(source, "rb-fractionlost", &lost);
    gst_structure_get_uint(source, "rb-exthighestseq", &highest);
    gst_structure_get_uint(source, "rb-jitter", &jitter);
    gst_structure_get_uint(source, "rb-lsr", &sent);
    gst_structure_get_uint(source, "rb-round-trip", &trip);
    guint64 report = ((guint64)highest << 32 | sent) ^ ssrc;
    g_mutex_lock(&self->lock);
    if (report != self->last_report) {
        self->last_report = report;
        GST_LOG_OBJECT(self, "receiver report: %u/256 lost, round trip %u/65536 s", lost, trip);
        /* Jitter in units of 90 kHz, the round trip in 1/65536 s. */
        deepfgs_adaptive_sender_receiver_report(self->sender, lost / 256.0, (gint64)jitter * 100000 / 9,
                                                trip ? (gint64)trip * GST_SECOND / 65536 : -1, deepfgs_adapt_now());
    }
    g_mutex_unlock(&self->lock);
}

void deepfgs_adapt_look_for_reports(GstDeepFGSAdapt *self, gint64 now)
{
    if (now - self->last_look < (gint64)POLL_INTERVAL)
        return;
    self->last_look = now;
    GstElement *element = find_session(self->src);
    GObject *session = NULL;
    GstStructure *stats = NULL;
    if (!element)
        return;
    g_object_get(element, "internal-session", &session, NULL);
    gst_object_unref(element);
    if (!session)
        return;
    g_object_get(session, "stats", &stats, NULL);
    g_object_unref(session);
    if (!stats)
        return;
    G_GNUC_BEGIN_IGNORE_DEPRECATIONS
    const GValue *value = gst_structure_get_value(stats, "source-stats");
    GValueArray *sources = value && G_VALUE_HOLDS(value, g_value_array_get_type()) ? g_value_get_boxed(value) : NULL;
    for (guint i = 0; sources && i < sources->n_values; i++) {
        const GValue *item = g_value_array_get_nth(sources, i);
        if (GST_VALUE_HOLDS_STRUCTURE(item))
            take_report(self, gst_value_get_structure(item));
    }
    G_GNUC_END_IGNORE_DEPRECATIONS
    gst_structure_free(stats);
}
