/* What the shims have in common.
 *
 * One element is one file, gst<element>.c: debug category (named as the element), pad templates, GObject, base class
 * functions in the order of a stream's life, and at the end GST_ELEMENT_REGISTER_DEFINE. Decisions are behind
 * CDeepFGS.h, in Swift. A shim maps buffers, takes locks, posts messages; it parses nothing. */
#ifndef GST_DEEPFGS_SHIM_H
#define GST_DEEPFGS_SHIM_H

#include <gst/gst.h>

#include "CDeepFGS.h"
#include "gstdeepfgs.h"

/* Who made the elements, as gst-inspect-1.0 shows it. */
#define DEEPFGS_AUTHOR "The DeepFGS authors"

/* Frames of the DeepFGS bitstream; a parsed one fills one buffer, which may be a prefix of the frame. */
#define DEEPFGS_MEDIA_TYPE "image/x-deepfgs"
/* The RTP payload format's name in caps and session descriptions. */
#define DEEPFGS_RTP_ENCODING_NAME "X-DEEPFGS"

/* The name of the event, upstream, by which a sender asks the encoder for bases that fit: docs/35-adaptive-streaming.md. */
#define DEEPFGS_BASE_REQUEST "deepfgs-base-request"

/* The GStreamer error that says what a failure behind the border was. */
GQuark deepfgs_error_domain(DeepFGSStatus status);
gint deepfgs_error_code(DeepFGSStatus status);

/* Posts a failure as an error message of the element: the words for the user, and where it was noticed. */
#define DEEPFGS_POST_ERROR(element, error)                                                                             \
    gst_element_message_full(GST_ELEMENT(element), GST_MESSAGE_ERROR, deepfgs_error_domain((error)->status),           \
                             deepfgs_error_code((error)->status), g_strdup((error)->message), NULL, __FILE__,          \
                             GST_FUNCTION, __LINE__)

/* The fields of an element's statistics as a structure of that name. */
GstStructure *deepfgs_structure_of(const gchar *name, const DeepFGSStatistic *fields, gsize count);

#endif
