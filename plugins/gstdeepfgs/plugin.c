/* libgstdeepfgs.so: registration of the plugin and of each feature in it. Nothing is loaded and no thread starts here:
 * GStreamer's plugin scanner runs this too. */
#include "shim.h"

static gboolean plugin_init(GstPlugin *plugin)
{
    gboolean registered = FALSE;
    registered |= GST_TYPE_FIND_REGISTER(deepfgs, plugin);
    registered |= GST_ELEMENT_REGISTER(deepfgsenc, plugin);
    registered |= GST_ELEMENT_REGISTER(deepfgsdec, plugin);
    registered |= GST_ELEMENT_REGISTER(deepfgsparse, plugin);
    registered |= GST_ELEMENT_REGISTER(rtpdeepfgspay, plugin);
    registered |= GST_ELEMENT_REGISTER(rtpdeepfgsdepay, plugin);
    registered |= GST_ELEMENT_REGISTER(deepfgsadapt, plugin);
    registered |= GST_ELEMENT_REGISTER(rtphdrextdeepfgsframemarking, plugin);
    return registered;
}

GST_PLUGIN_DEFINE(GST_VERSION_MAJOR, GST_VERSION_MINOR, deepfgs,
                  "DeepFGS: learned image codec whose bitstream can be cut at any byte", plugin_init, DEEPFGS_VERSION,
                  "MIT/X11", "DeepFGS", "DeepFGS")
