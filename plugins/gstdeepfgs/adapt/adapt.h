/* deepfgsadapt: what its files share. Its pads are in gstdeepfgsadapt.c, the way of packets through it in adaptflow.c, its
 * properties in adaptproperties.c, what it tells in adaptmessages.c, what it hears of the path in adaptfeedback.c, and what it
 * asks of the encoder in adaptbases.c. */
#ifndef GST_DEEPFGS_ADAPT_H
#define GST_DEEPFGS_ADAPT_H

#include "shim.h"

GST_DEBUG_CATEGORY_EXTERN(deepfgsadapt_debug);

/* Where the bitrate comes from. */
typedef enum {
    DEEPFGS_ADAPT_FIXED,
    DEEPFGS_ADAPT_AUTO,
} GstDeepFGSAdaptMode;

typedef struct {
    GstElement parent;
    GstPad *sink, *src;

    /* Guards all that follows; never held while something is pushed or posted. */
    GMutex lock;
    /* Any change that a thread may wait for: packets, room, state. */
    GCond change;
    DeepFGSAdaptiveSender *sender;

    /* Properties. */
    DeepFGSAdaptiveSenderSettings settings;
    GstDeepFGSAdaptMode mode;
    DeepFGSProtection base_protection;
    gboolean pacing, frame_messages, request_bases;

    /* What the pads may do: not OK, and packets are refused. */
    GstFlowReturn flow;
    gboolean flushing;
    /* Nothing waits to leave. */
    gboolean idle;
    /* Packets were taken in that the thread that waits has to be told of. */
    gboolean taken;
    /* The RTP timestamp of the last packet that was taken in. */
    guint32 newest;
    gboolean playing;
    GstClockTime base_time;
    GstSegment segment;
    gboolean live, live_known;
    /* The latency that this element has answered last. */
    GstClockTime announced;
    /* What sinks wait beyond a buffer's time. */
    GstClockTime latency;
    /* The frame marking's id in the caps, 0 without. */
    guint8 marking_id;
    /* The presentation time of the last frame that was taken in at its time. */
    GstClockTime last_pts;
    /* Frames left out that no message has told of, and when the last one did. */
    guint skipped;
    gint64 skipped_told;
    /* An encoder may have heard a request of this element. */
    gboolean has_asked;
    /* What was last told of feedback. */
    DeepFGSFeedbackState feedback_told;
    /* The last receiver report that was taken, by its numbers. */
    guint64 last_report;

    /* The source pad's thread alone: when it looked for reports, and what it has told of the estimate, and when. */
    gint64 last_look, estimate_told_at;
    gdouble estimate_told;
} GstDeepFGSAdapt;

typedef GstElementClass GstDeepFGSAdaptClass;

GType gst_deepfgs_adapt_get_type(void);
#define GST_DEEPFGS_ADAPT(object) ((GstDeepFGSAdapt *)(object))

/* Nanoseconds of the clock that paces, and that feedback tells sending times of. The pipeline's clock only places frames
 * of sources that are not live. */
static inline gint64 deepfgs_adapt_now(void) { return g_get_monotonic_time() * 1000; }
/* The source pad's thread: one step, which sends, drops or waits. */
void deepfgs_adapt_loop(GstPad *pad);
/* Gives every packet back that waits. Lock held. */
void deepfgs_adapt_discard(GstDeepFGSAdapt *self);
/* Waits until all that was taken in has left. Lock held. */
GstFlowReturn deepfgs_adapt_drain(GstDeepFGSAdapt *self);
/* Takes a packet in, or refuses it. Lock held. */
GstFlowReturn deepfgs_adapt_take(GstDeepFGSAdapt *self, GstBuffer *buffer);
/* Tells the thread that waits of what was taken in, where that may change what it waits for. Lock held. */
void deepfgs_adapt_announce(GstDeepFGSAdapt *self);

void deepfgs_adapt_install_properties(GObjectClass *klass);
void deepfgs_adapt_init_properties(GstDeepFGSAdapt *self);
/* Warns of bounds that contradict each other. Lock not held. */
void deepfgs_adapt_check(GstDeepFGSAdapt *self);
/* Hands the properties to the sender. Lock held. */
void deepfgs_adapt_apply(GstDeepFGSAdapt *self);
/* The content of the next message to post, or NULL. Lock held. */
GstStructure *deepfgs_adapt_report(GstDeepFGSAdapt *self);
/* Notifies of the estimate where it has moved. Lock not held. */
void deepfgs_adapt_notify(GstDeepFGSAdapt *self, gint64 now);
/* Asks the encoder for bases that fit, where there is something new to ask for. Lock not held. */
void deepfgs_adapt_ask(GstDeepFGSAdapt *self);
/* Tells the encoder that this element asks for nothing any more. Lock not held. */
void deepfgs_adapt_let_go(GstDeepFGSAdapt *self);
/* Takes the content of an event RTPTWCCPackets. Lock not held. */
void deepfgs_adapt_take_feedback(GstDeepFGSAdapt *self, const GstStructure *report);
/* Takes receiver reports that have come since the last look, now and then. Lock not held. */
void deepfgs_adapt_look_for_reports(GstDeepFGSAdapt *self, gint64 now);

#endif
