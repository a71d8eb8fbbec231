/* deepfgsdec: its state; its properties, which are in decproperties.c; and its output's format, in decoutput.c. */
#ifndef GST_DEEPFGS_DEC_H
#define GST_DEEPFGS_DEC_H

#include <gst/video/gstvideodecoder.h>

#include "live.h"
#include "pixels.h"

typedef enum { DEEPFGS_ON_LOSS_REPEAT, DEEPFGS_ON_LOSS_SKIP } DeepFGSOnLoss;

typedef struct {
    GstVideoDecoder parent;

    /* Under the object lock: properties, and what is counted. */
    gchar *model_path;
    DeepFGSOnLoss on_loss;
    guint max_pixels;
    DeepFGSCompute compute;
    DeepFGSDecoderCounts counts;
    DeepFGSLive live;

    /* From start to stop. */
    DeepFGSDecoder *decoder;
    GstVideoCodecState *input, *output;
    /* Of the pictures in `output`. */
    DeepFGSColour colour;
    DeepFGSPixelAspect pixel;
    /* Of a frame by the frame rate; GST_CLOCK_TIME_NONE where that is not known. */
    GstClockTime interval;
    /* The last frame that decoded, to be decoded again in place of one that does not. */
    GstBuffer *last;
    /* What is being decoded takes the place of a gap. */
    gboolean concealing;
    /* What was wrong with the last damaged frame. */
    gchar damage[DEEPFGS_MESSAGE_LENGTH];
} GstDeepFGSDec;

typedef GstVideoDecoderClass GstDeepFGSDecClass;

GType gst_deepfgs_dec_get_type(void);
#define GST_DEEPFGS_DEC(object) ((GstDeepFGSDec *)(object))

/* Makes the output's format that of this picture. */
gboolean deepfgs_dec_negotiate_picture(GstDeepFGSDec *self, const DeepFGSPicture *picture);

/* Installs the properties in the class. */
void deepfgs_dec_install_properties(GObjectClass *object_class);
/* Gives the properties their defaults. */
void deepfgs_dec_init_properties(GstDeepFGSDec *self);

#endif
