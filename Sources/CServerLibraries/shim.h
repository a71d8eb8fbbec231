#include <gio/gio.h>
#include <gst/app/gstappsrc.h>
#include <gst/gst.h>
#include <gst/net/gstnetaddressmeta.h>
#include <libsoup/soup.h>
#include <yaml.h>
