/* What encoder and decoder have in common: pictures in memory, and how the networks compute. */
#ifndef GST_DEEPFGS_PIXELS_H
#define GST_DEEPFGS_PIXELS_H

#include <gst/video/video.h>

#include "shim.h"

/* 8 bits, the preferred order first. */
#define DEEPFGS_RGB_FORMATS "RGB, BGR, RGBx, BGRx, xRGB, xBGR, RGBA, BGRA, ARGB, ABGR"
#define DEEPFGS_READ_FORMATS "{ " DEEPFGS_RGB_FORMATS ", I420, NV12, YUY2 }"
#define DEEPFGS_WRITTEN_FORMATS "{ " DEEPFGS_RGB_FORMATS ", I420, NV12 }"

#define DEEPFGS_RAW_CAPS(formats)                                                                                      \
    "video/x-raw, format = (string) " formats ", width = (int) [ 1, 65535 ], "                                         \
    "height = (int) [ 1, 65535 ], framerate = (fraction) [ 0, MAX ]"

/* What deepfgsenc makes and deepfgsdec takes. */
#define DEEPFGS_FRAME_CAPS                                                                                             \
    DEEPFGS_MEDIA_TYPE ", width = (int) [ 1, 65535 ], height = (int) [ 1, 65535 ], "                                   \
                       "framerate = (fraction) [ 0, MAX ], alignment = (string) frame, parsed = (boolean) true"

/* Most pixels that the codec accepts: 8192 by 4096. */
#define DEEPFGS_MAX_PIXELS (1 << 25)
/* Most pixels that deepfgsdec accepts unless told otherwise: 4096 by 2176, as level 5.1 of HEVC. */
#define DEEPFGS_DEFAULT_MAX_PIXELS (4096 * 2176)

/* Where the samples of a mapped frame of one of these formats lie, and what they mean. */
DeepFGSRawPicture deepfgs_raw_picture(const GstVideoFrame *frame);

/* What raw caps say of the colour of R'G'B', into which Y'CbCr is turned, as a frame's header says it. */
DeepFGSColour deepfgs_colour_of(const GstCaps *caps, const GstVideoInfo *info);
gboolean deepfgs_colour_equal(const DeepFGSColour *one, const DeepFGSColour *other);

/* Completes the format of the output for pictures of a colour: what downstream asks for, `wanted`, comes first where
 * there is a choice, which for Y'CbCr are matrix, range and siting of chroma. */
void deepfgs_set_colorimetry(GstVideoInfo *info, const DeepFGSColour *colour, const GstStructure *wanted);

/* DeepFGSPrecision as a property's type. */
#define DEEPFGS_TYPE_PRECISION (deepfgs_precision_get_type())
GType deepfgs_precision_get_type(void);

/* The properties threads and precision: installs them under these numbers; reads and writes them, FALSE for any other
 * property. A change counts when the element starts. Object lock held. */
void deepfgs_install_compute_properties(GObjectClass *object_class, guint threads, guint precision);
gboolean deepfgs_set_compute_property(DeepFGSCompute *compute, const GValue *value, const GParamSpec *spec);
gboolean deepfgs_get_compute_property(const DeepFGSCompute *compute, GValue *value, const GParamSpec *spec);

#endif
