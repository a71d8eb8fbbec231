/* deepfgsadapt: what its data path (gstdeepfgsadapt.c) and its properties (adaptproperties.c) share. */
#ifndef GST_DEEPFGS_ADAPT_H
#define GST_DEEPFGS_ADAPT_H

#include "shim.h"

GST_DEBUG_CATEGORY_EXTERN(deepfgsadapt_debug);

typedef struct {
    GstElement parent;
    GstPad *sink, *src;

    /* Guards all that follows; never held while something is pushed or posted. */
    GMutex lock;
    /* Any change that a thread may wait for: packets, room, state. */
    GCond change;
    DeepFGSCutter *cutter;

    /* Properties. */
    DeepFGSCutterSettings settings;
    gboolean pacing, frame_messages;

    /* What the pads may do: not OK, and packets are refused. */
    GstFlowReturn flow;
    gboolean flushing;
    /* Nothing waits to leave. */
    gboolean idle;
    gboolean playing;
    GstClockTime base_time;
    GstSegment segment;
    gboolean live, live_known;
    /* What sinks wait beyond a buffer's time. */
    GstClockTime latency;
    /* The presentation time of the last frame that was taken in at its time. */
    GstClockTime last_pts;
    /* Frames left out that no message has told of, and when the last one did. */
    guint skipped;
    gint64 skipped_told;
} GstDeepFGSAdapt;

typedef GstElementClass GstDeepFGSAdaptClass;

GType gst_deepfgs_adapt_get_type(void);
#define GST_DEEPFGS_ADAPT(object) ((GstDeepFGSAdapt *)(object))

void deepfgs_adapt_install_properties(GObjectClass *klass);
void deepfgs_adapt_init_properties(GstDeepFGSAdapt *self);
/* Hands the properties to the cutter. Lock held. */
void deepfgs_adapt_apply(GstDeepFGSAdapt *self);
/* The content of the next message to post, or NULL. Lock held. */
GstStructure *deepfgs_adapt_report(GstDeepFGSAdapt *self);

#endif
