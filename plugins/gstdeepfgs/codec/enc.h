/* deepfgsenc: its state, and its properties, which are in encproperties.c. */
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
    guint step, base_step;
    DeepFGSCompute compute;
    /* Whether qos was set, and to what; otherwise it goes by whether the source is live. */
    gboolean qos_is_set, qos;
    DeepFGSEncoderCounts counts;
    DeepFGSLive live;

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

/* Installs the properties in the class. */
void deepfgs_enc_install_properties(GObjectClass *object_class);
/* Gives the properties their defaults. */
void deepfgs_enc_init_properties(GstDeepFGSEnc *self);

#endif
