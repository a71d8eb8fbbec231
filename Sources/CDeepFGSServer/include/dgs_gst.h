/* GStreamer, where Swift cannot call it as it is. */
#ifndef DGS_GST_H
#define DGS_GST_H

#include <gio/gio.h>
#include <gst/gst.h>

/* A property that holds a structure, or NULL; the caller frees it. */
GstStructure *dgs_structure_property(gpointer object, const char *name);
/* Whether the object has such a property. */
gboolean dgs_has_property(gpointer object, const char *name);
/* An integer property of any width, 0 where there is none. */
gint64 dgs_integer_property(gpointer object, const char *name);
/* Sets an object property, such as a socket. */
void dgs_set_object(gpointer object, const char *name, gpointer value);
/* The socket that a udpsrc reads from, of its kind for IPv4 or IPv6; NULL where it is not open. The caller unrefs it. */
GSocket *dgs_used_socket(gpointer udpsrc);
/* Gives a udpsink the socket to send from, for both address families. */
void dgs_share_socket(gpointer udpsink, GSocket *socket);
/* Sends to one address alone. */
void dgs_send_to(gpointer udpsink, const char *host, int port);

/* Where a packet came from: the port, and the host as text; 0 where the buffer does not say. */
int dgs_buffer_origin(GstBuffer *buffer, char *host, gsize room);

typedef void (*DGSField)(const char *name, const GValue *value, void *user);
void dgs_structure_each(const GstStructure *structure, DGSField field, void *user);
/* A number in a value, of any type of number; the return says whether it is one. */
gboolean dgs_value_number(const GValue *value, double *number);
const char *dgs_value_string(const GValue *value);

/* The words of an error or warning message, and the debug text; the caller frees both. */
gboolean dgs_message_words(GstMessage *message, char **words, char **debug);
GstMessageType dgs_message_type(GstMessage *message);
const char *dgs_message_structure_name(GstMessage *message);

/* Calls `handoff` for each buffer that passes a pad, which it may not keep. FALSE from it drops the buffer. */
typedef gboolean (*DGSBuffer)(GstBuffer *buffer, void *user);
gulong dgs_on_buffer(GstPad *pad, DGSBuffer handoff, void *user, GDestroyNotify free_user);
/* Sets `seen` when the end of the stream comes to a pad, which it passes only where `hold` is FALSE then. */
gulong dgs_watch_end(GstPad *pad, gint *seen, gint *hold);
gint dgs_flag(gint *flag);
void dgs_set_flag(gint *flag, gint value);
/* Calls `idle` once when no buffer passes the pad, on whichever thread that is. */
void dgs_when_idle(GstPad *pad, void (*idle)(void *user), void *user);
/* Calls `added` for each pad that comes, `removed` for each that goes. */
typedef void (*DGSPad)(GstElement *element, GstPad *pad, void *user);
void dgs_on_pads(GstElement *element, DGSPad added, DGSPad removed, void *user);

/* Takes the pads of an SSRC off an rtpssrcdemux. */
void dgs_clear_ssrc(GstElement *demultiplexer, guint ssrc);

/* What goes wrong behind a ghost pad is not told to who pushes into it; lists of buffers stay lists. */
void dgs_keep_failures(GstPad *ghost);
/* Makes an RTP payloader write a header extension, by the extension's element, under an id. FALSE without the element. */
gboolean dgs_add_extension(GstElement *payloader, const char *factory, guint id);

/* Pushes `size` bytes as one buffer of a time and duration in nanoseconds; `bytes` may be reused then. */
GstFlowReturn dgs_push(GstElement *appsrc, const void *bytes, gsize size, guint64 time, guint64 duration);
void dgs_push_end(GstElement *appsrc);
void dgs_set_caps(gpointer object, const char *caps);

/* GLib's and GStreamer's own words, given to `log` instead of the standard error. Level: 0 error, 1 warning, 2 the rest. */
typedef void (*DGSLog)(int level, const char *domain, const char *words);
void dgs_take_logs(DGSLog log);
/* GStreamer, the elements of this process registered in it; FALSE and words where it cannot start. */
gboolean dgs_gst_start(char **problem);

#endif
