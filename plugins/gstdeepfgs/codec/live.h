/* Encoder and decoder behind a live source: lateness, and what is announced and said about it. */
#ifndef GST_DEEPFGS_LIVE_H
#define GST_DEEPFGS_LIVE_H

#include <gst/gst.h>

#include "shim.h"

typedef struct {
    /* Property, under the object lock: nanoseconds; below 0, one frame's duration. */
    gint64 max_lateness;
    /* Under the object lock: whether the source is live, and the latency of the elements before this one. */
    gboolean is_live;
    GstClockTime upstream;
    /* What this element announces. */
    GstClockTime announced;

    /* From start to stop. */
    DeepFGSPace *pace;
    /* Frame under way, on the system's clock. */
    GstClockTime begun;
} DeepFGSLive;

#define DEEPFGS_DEFAULT_MAX_LATENESS (-1)

/* Installs the property max-lateness. */
void deepfgs_live_install_property(GObjectClass *object_class, guint number);

void deepfgs_live_start(DeepFGSLive *live);
void deepfgs_live_stop(DeepFGSLive *live);

/* Asks upstream whether it is live, and for its latency: when caps come, and when the pipeline's latency changes. */
void deepfgs_live_query(DeepFGSLive *live, GstElement *element, GstPad *sink);

/* A frame of this running time comes in. FALSE where it should be dropped, which `drops` allows for. */
gboolean deepfgs_live_begin(DeepFGSLive *live, GstElement *element, gboolean drops, GstClockTime running_time,
                            GstClockTime interval);

/* The frame is coded. Returns the latency to announce; GST_CLOCK_TIME_NONE where it has not changed. */
GstClockTime deepfgs_live_end(DeepFGSLive *live);

/* Posts the message deepfgs-overload where it is due. */
void deepfgs_live_report(DeepFGSLive *live, GstElement *element);

#endif
