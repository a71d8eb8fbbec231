/* What the plugin registers: one line for each feature here, one in plugin.c. */
#ifndef GST_DEEPFGS_H
#define GST_DEEPFGS_H

#include <gst/gst.h>

G_BEGIN_DECLS

/* For a process that links the plugin instead of loading it: call after gst_init. */
void gst_plugin_deepfgs_register(void);

GST_TYPE_FIND_REGISTER_DECLARE(deepfgs);
GST_ELEMENT_REGISTER_DECLARE(deepfgsenc);
GST_ELEMENT_REGISTER_DECLARE(deepfgsdec);
GST_ELEMENT_REGISTER_DECLARE(deepfgsparse);
GST_ELEMENT_REGISTER_DECLARE(rtpdeepfgspay);
GST_ELEMENT_REGISTER_DECLARE(rtpdeepfgsdepay);
GST_ELEMENT_REGISTER_DECLARE(deepfgsadapt);
GST_ELEMENT_REGISTER_DECLARE(rtphdrextdeepfgsframemarking);

G_END_DECLS

#endif
