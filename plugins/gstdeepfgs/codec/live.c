/* Encoder and decoder behind a live source. */
#include "live.h"

void deepfgs_live_install_property(GObjectClass *object_class, guint number)
{
    g_object_class_install_property(
        object_class, number,
        g_param_spec_int64("max-lateness", "Maximal lateness",
                           "Where qos drops frames of a live source: how many nanoseconds one may have waited before "
                           "it is dropped instead of coded; below 0, the duration of one frame",
                           -1, G_MAXINT64, DEEPFGS_DEFAULT_MAX_LATENESS,
                           G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_PLAYING));
}

void deepfgs_live_start(DeepFGSLive *live)
{
    live->pace = deepfgs_pace_new();
    live->is_live = FALSE;
    live->upstream = live->announced = 0;
}

void deepfgs_live_stop(DeepFGSLive *live) { g_clear_pointer(&live->pace, deepfgs_pace_free); }

void deepfgs_live_query(DeepFGSLive *live, GstElement *element, GstPad *sink)
{
    gboolean is_live = FALSE;
    GstClockTime least = 0;
    GstQuery *query = gst_query_new_latency();
    if (gst_pad_peer_query(sink, query))
        gst_query_parse_latency(query, &is_live, &least, NULL);
    gst_query_unref(query);
    GST_OBJECT_LOCK(element);
    live->is_live = is_live;
    live->upstream = GST_CLOCK_TIME_IS_VALID(least) ? least : 0;
    GST_OBJECT_UNLOCK(element);
}

gboolean deepfgs_live_begin(DeepFGSLive *live, GstElement *element, gboolean drops, GstClockTime running_time,
                            GstClockTime interval)
{
    GST_OBJECT_LOCK(element);
    gboolean is_live = live->is_live;
    GstClockTime due = running_time + live->upstream;
    gint64 most = live->max_lateness;
    GST_OBJECT_UNLOCK(element);

    live->begun = gst_util_get_timestamp();
    GstClockTime now = is_live ? gst_element_get_current_running_time(element) : GST_CLOCK_TIME_NONE;
    gint64 lateness = 0;
    if (drops && GST_CLOCK_TIME_IS_VALID(now) && GST_CLOCK_TIME_IS_VALID(running_time))
        lateness = GST_CLOCK_DIFF(due, now);
    if (most < 0)
        most = GST_CLOCK_TIME_IS_VALID(interval) ? (gint64)interval : (gint64)(GST_SECOND / 30);
    return deepfgs_pace_admit(live->pace, live->begun, lateness, most, interval);
}

GstClockTime deepfgs_live_end(DeepFGSLive *live)
{
    GstClockTime now = gst_util_get_timestamp();
    GstClockTime latency = deepfgs_pace_done(live->pace, now, now - live->begun);
    if (GST_CLOCK_TIME_IS_VALID(latency))
        live->announced = latency;
    return latency;
}

void deepfgs_live_report(DeepFGSLive *live, GstElement *element)
{
    DeepFGSOverload overload;
    if (!deepfgs_pace_report(live->pace, gst_util_get_timestamp(), &overload))
        return;
    GstStructure *structure = gst_structure_new("deepfgs-overload", "framerate", G_TYPE_DOUBLE, overload.framerate,
                                                "dropped", G_TYPE_UINT64, (guint64)overload.dropped, NULL);
    gst_element_post_message(element, gst_message_new_element(GST_OBJECT(element), structure));
}
