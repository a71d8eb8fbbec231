/* Recognises DeepFGS files and streams by their first frame's header. */
#include "shim.h"

static void deepfgs_type_find(GstTypeFind *find, gpointer unused)
{
    (void)unused;
    /* Magic and version first; then, where they fit, as much as the header says it has. */
    gsize size = 8, need = 0;
    const guint8 *bytes = gst_type_find_peek(find, 0, size);
    if (!bytes)
        return;
    DeepFGSTypeMatch match = deepfgs_type_match(bytes, size, &need);
    while (match == DEEPFGS_TYPE_LIKELY && need > size) {
        size = need;
        if (!(bytes = gst_type_find_peek(find, 0, size)))
            break;
        match = deepfgs_type_match(bytes, size, &need);
    }
    if (match != DEEPFGS_TYPE_NO)
        gst_type_find_suggest_empty_simple(
            find, match == DEEPFGS_TYPE_CERTAIN ? GST_TYPE_FIND_MAXIMUM : GST_TYPE_FIND_LIKELY, DEEPFGS_MEDIA_TYPE);
}

static GstStaticCaps deepfgs_caps = GST_STATIC_CAPS(DEEPFGS_MEDIA_TYPE);

GST_TYPE_FIND_REGISTER_DEFINE(deepfgs, DEEPFGS_MEDIA_TYPE, GST_RANK_PRIMARY, deepfgs_type_find, "dfgs",
                              gst_static_caps_get(&deepfgs_caps), NULL, NULL);
