/* deepfgsenc: its state; its properties, which are in encproperties.c; and bases that fit, in encbases.c. */
#ifndef GST_DEEPFGS_ENC_H
#define GST_DEEPFGS_ENC_H

#include <gst/video/gstvideoencoder.h>

#include "live.h"
#include "pixels.h"

typedef struct {
    GstVideoEncoder parent;

    /* Under the object lock: properties, and what is counted. */
    gchar *model;
    gdouble max_bpp;
    guint bitrate;
    guint step, base_step, max_base_step;
    gdouble min_framerate;
    DeepFGSCompute compute;
    /* Whether qos was set, and to what; otherwise it goes by whether the source is live. */
    gboolean qos_is_set, qos;
    DeepFGSEncoderCounts counts;
    DeepFGSLive live;
    /* The base step in use, and what senders ask for; NULL while stopped. */
    guint used_step;
    DeepFGSBaseControl *bases;

    /* From start to stop. */
    DeepFGSEncoder *encoder;
    GstVideoCodecState *input;
    /* Of a frame by the frame rate; GST_CLOCK_TIME_NONE where that is not known. */
    GstClockTime interval;
} GstDeepFGSEnc;

typedef GstVideoEncoderClass GstDeepFGSEncClass;

GType gst_deepfgs_enc_get_type(void);
#define GST_DEEPFGS_ENC(object) ((GstDeepFGSEnc *)(object))

/* The name of the model that encodes where none is named. */
const gchar *deepfgs_enc_default_model(void);

/* From frame to frame: by the frame rate, 25 a second where it is not known. */
static inline GstClockTime deepfgs_enc_interval(const GstDeepFGSEnc *self)
{
    return GST_CLOCK_TIME_IS_VALID(self->interval) ? self->interval : GST_SECOND / 25;
}
/* Nanoseconds of the clock by which requests age. */
static inline gint64 deepfgs_enc_now(void) { return g_get_monotonic_time() * 1000; }
/* Takes a sender's request, the content of its event. */
void deepfgs_enc_take_request(GstDeepFGSEnc *self, const GstStructure *fields);
/* Chooses the base step for a frame of this running time; FALSE where it is to be left out. */
gboolean deepfgs_enc_admit(GstDeepFGSEnc *self, GstClockTime time);

/* Installs the properties in the class. */
void deepfgs_enc_install_properties(GObjectClass *object_class);
/* Gives the properties their defaults. */
void deepfgs_enc_init_properties(GstDeepFGSEnc *self);

#endif
