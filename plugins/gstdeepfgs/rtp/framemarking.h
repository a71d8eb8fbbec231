/* The frame marking header extension (RFC 9626) between the element that writes it and those that know what to write. */
#ifndef GST_DEEPFGS_FRAMEMARKING_H
#define GST_DEEPFGS_FRAMEMARKING_H

#include "shim.h"

#define DEEPFGS_FRAME_MARKING_URI "urn:ietf:params:rtp-hdrext:framemarking"
#define DEEPFGS_FRAME_MARKING_META "GstDeepFGSFrameMarkingMeta"
#define DEEPFGS_FRAME_MARKING_SIZE 2

/* The first byte; the second is the layer. */
#define DEEPFGS_FRAME_MARKING_START 0x8000
#define DEEPFGS_FRAME_MARKING_END 0x4000
#define DEEPFGS_FRAME_MARKING_INDEPENDENT 0x2000
#define DEEPFGS_FRAME_MARKING_DISCARDABLE 0x1000

/* Attaches the two bytes, the first one high, to a packet that is about to be pushed. */
void deepfgs_frame_marking_attach(GstBuffer *buffer, guint16 marks);

#endif
