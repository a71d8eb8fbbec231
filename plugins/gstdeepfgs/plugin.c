/* libgstdeepfgs.so: registration of the plugin and of each element in it. */
#include <gst/gst.h>

static gboolean plugin_init(GstPlugin *plugin) { return TRUE; }

GST_PLUGIN_DEFINE(GST_VERSION_MAJOR, GST_VERSION_MINOR, deepfgs, "DeepFGS learned scalable image codec", plugin_init, "0.1.0",
                  "MIT/X11", "DeepFGS", "DeepFGS")
