/* What encoder and decoder have in common: pictures in memory, and how the networks compute. */
#ifndef GST_DEEPFGS_PIXELS_H
#define GST_DEEPFGS_PIXELS_H

#include <gst/video/video.h>

#include "shim.h"

/* Packed 8-bit RGB, the preferred order first. */
#define DEEPFGS_RAW_FORMATS "{ RGB, BGR, RGBx, BGRx, xRGB, xBGR, RGBA, BGRA, ARGB, ABGR }"

#define DEEPFGS_RAW_CAPS                                                                                               \
    "video/x-raw, format = (string) " DEEPFGS_RAW_FORMATS ", width = (int) [ 1, 65535 ], "                             \
    "height = (int) [ 1, 65535 ], framerate = (fraction) [ 0, MAX ]"

/* What deepfgsenc makes and deepfgsdec takes. */
#define DEEPFGS_FRAME_CAPS                                                                                             \
    DEEPFGS_MEDIA_TYPE ", width = (int) [ 1, 65535 ], height = (int) [ 1, 65535 ], "                                   \
                       "framerate = (fraction) [ 0, MAX ], alignment = (string) frame, parsed = (boolean) true"

/* Most pixels that the codec accepts: 8192 by 4096. */
#define DEEPFGS_MAX_PIXELS (1 << 25)
/* Most pixels that deepfgsdec accepts unless told otherwise: 4096 by 2176, as level 5.1 of HEVC. */
#define DEEPFGS_DEFAULT_MAX_PIXELS (4096 * 2176)

/* Where the samples of a mapped frame lie. Returns the bytes from the first sample to the end of the memory; 0 where
 * the frame is none of DEEPFGS_RAW_FORMATS. */
gsize deepfgs_frame_layout(const GstVideoFrame *frame, DeepFGSLayout *layout);

/* What raw caps say of colour, as a frame's header says it, and back. */
DeepFGSColour deepfgs_colour_of(const GstVideoColorimetry *colorimetry);
GstVideoColorimetry deepfgs_colorimetry_of(const DeepFGSColour *colour);

/* DeepFGSPrecision as a property's type. */
#define DEEPFGS_TYPE_PRECISION (deepfgs_precision_get_type())
GType deepfgs_precision_get_type(void);

/* The properties threads and precision: installs them under these numbers; reads and writes them, FALSE for any other
 * property. A change counts when the element starts: while it runs there is a warning. Object lock held. */
void deepfgs_install_compute_properties(GObjectClass *object_class, guint threads, guint precision);
gboolean deepfgs_set_compute_property(DeepFGSCompute *compute, gboolean running, GObject *object, const GValue *value,
                                      const GParamSpec *spec);
gboolean deepfgs_get_compute_property(const DeepFGSCompute *compute, GValue *value, const GParamSpec *spec);

#endif
