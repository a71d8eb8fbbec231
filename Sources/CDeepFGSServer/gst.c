#include "dgs_gst.h"

#include <gio/gio.h>
#include <gst/app/gstappsrc.h>
#include <gst/net/gstnetaddressmeta.h>
#include <gst/rtp/gstrtphdrext.h>

#include "gstdeepfgs.h"

gboolean dgs_has_property(gpointer object, const char *name)
{
    return g_object_class_find_property(G_OBJECT_GET_CLASS(object), name) != NULL;
}

GstStructure *dgs_structure_property(gpointer object, const char *name)
{
    GstStructure *structure = NULL;
    if (dgs_has_property(object, name))
        g_object_get(object, name, &structure, NULL);
    return structure;
}

gint64 dgs_integer_property(gpointer object, const char *name)
{
    GValue value = G_VALUE_INIT, number = G_VALUE_INIT;
    gint64 out = 0;
    GParamSpec *spec = g_object_class_find_property(G_OBJECT_GET_CLASS(object), name);
    if (!spec)
        return 0;
    g_value_init(&value, spec->value_type);
    g_value_init(&number, G_TYPE_INT64);
    g_object_get_property(G_OBJECT(object), name, &value);
    if (g_value_transform(&value, &number))
        out = g_value_get_int64(&number);
    g_value_unset(&value);
    return out;
}

void dgs_set_object(gpointer object, const char *name, gpointer value) { g_object_set(object, name, value, NULL); }

GSocket *dgs_used_socket(gpointer udpsrc)
{
    GSocket *socket = NULL;
    g_object_get(udpsrc, "used-socket", &socket, NULL);
    return socket;
}

void dgs_share_socket(gpointer udpsink, GSocket *socket)
{
    const char *family = g_socket_get_family(socket) == G_SOCKET_FAMILY_IPV6 ? "socket-v6" : "socket";
    g_object_set(udpsink, "close-socket", FALSE, family, socket, NULL);
}

void dgs_send_to(gpointer udpsink, const char *host, int port)
{
    g_signal_emit_by_name(udpsink, "clear");
    g_signal_emit_by_name(udpsink, "add", host, port);
}

int dgs_buffer_origin(GstBuffer *buffer, char *host, gsize room)
{
    GstNetAddressMeta *meta = gst_buffer_get_net_address_meta(buffer);
    if (!meta || !G_IS_INET_SOCKET_ADDRESS(meta->addr))
        return 0;
    char *text = g_inet_address_to_string(g_inet_socket_address_get_address(G_INET_SOCKET_ADDRESS(meta->addr)));
    g_strlcpy(host, text, room);
    g_free(text);
    return g_inet_socket_address_get_port(G_INET_SOCKET_ADDRESS(meta->addr));
}

typedef struct {
    DGSField field;
    void *user;
} Each;

static gboolean each(GQuark id, const GValue *value, gpointer data)
{
    Each *call = data;
    call->field(g_quark_to_string(id), value, call->user);
    return TRUE;
}

void dgs_structure_each(const GstStructure *structure, DGSField field, void *user)
{
    Each call = {field, user};
    gst_structure_foreach(structure, each, &call);
}

gboolean dgs_value_number(const GValue *value, double *number)
{
    GValue out = G_VALUE_INIT;
    if (!value || G_VALUE_HOLDS_STRING(value) || !g_value_type_transformable(G_VALUE_TYPE(value), G_TYPE_DOUBLE))
        return FALSE;
    g_value_init(&out, G_TYPE_DOUBLE);
    gboolean done = g_value_transform(value, &out);
    *number = g_value_get_double(&out);
    return done;
}

const char *dgs_value_string(const GValue *value)
{
    return value && G_VALUE_HOLDS_STRING(value) ? g_value_get_string(value) : NULL;
}

gboolean dgs_message_words(GstMessage *message, char **words, char **debug)
{
    GError *error = NULL;
    *debug = NULL;
    if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_ERROR)
        gst_message_parse_error(message, &error, debug);
    else if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_WARNING)
        gst_message_parse_warning(message, &error, debug);
    *words = g_strdup(error ? error->message : "unknown");
    g_clear_error(&error);
    return TRUE;
}

GstMessageType dgs_message_type(GstMessage *message) { return GST_MESSAGE_TYPE(message); }

const char *dgs_message_structure_name(GstMessage *message)
{
    const GstStructure *structure = gst_message_get_structure(message);
    return structure ? gst_structure_get_name(structure) : "";
}

typedef struct {
    DGSBuffer handoff;
    void *user;
    GDestroyNotify free_user;
} Handoff;

static void free_handoff(gpointer data)
{
    Handoff *call = data;
    if (call->free_user)
        call->free_user(call->user);
    g_free(call);
}

static GstPadProbeReturn on_buffer(GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
    Handoff *call = data;
    (void)pad;
    if (info->type & GST_PAD_PROBE_TYPE_BUFFER_LIST) {
        GstBufferList *list = GST_PAD_PROBE_INFO_BUFFER_LIST(info);
        for (guint i = 0; i < gst_buffer_list_length(list); i++)
            call->handoff(gst_buffer_list_get(list, i), call->user);
        return GST_PAD_PROBE_OK;
    }
    return call->handoff(GST_PAD_PROBE_INFO_BUFFER(info), call->user) ? GST_PAD_PROBE_OK : GST_PAD_PROBE_DROP;
}

gulong dgs_on_buffer(GstPad *pad, DGSBuffer handoff, void *user, GDestroyNotify free_user)
{
    Handoff *call = g_new(Handoff, 1);
    *call = (Handoff){handoff, user, free_user};
    return gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_BUFFER_LIST, on_buffer, call,
                             free_handoff);
}

typedef struct {
    gint *seen, *hold;
} End;

static GstPadProbeReturn at_end(GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
    End *end = data;
    (void)pad;
    if (GST_EVENT_TYPE(GST_PAD_PROBE_INFO_EVENT(info)) != GST_EVENT_EOS)
        return GST_PAD_PROBE_OK;
    g_atomic_int_set(end->seen, 1);
    return g_atomic_int_get(end->hold) ? GST_PAD_PROBE_DROP : GST_PAD_PROBE_OK;
}

gulong dgs_watch_end(GstPad *pad, gint *seen, gint *hold)
{
    End *end = g_new(End, 1);
    *end = (End){seen, hold};
    return gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM, at_end, end, g_free);
}

gint dgs_flag(gint *flag) { return g_atomic_int_get(flag); }

void dgs_set_flag(gint *flag, gint value) { g_atomic_int_set(flag, value); }

typedef struct {
    void (*idle)(void *user);
    void *user;
    gint done;
} Idle;

static GstPadProbeReturn when_idle(GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
    Idle *call = data;
    (void)pad;
    (void)info;
    /* Two threads may find the pad idle at once: once is meant. */
    if (g_atomic_int_compare_and_exchange(&call->done, 0, 1))
        call->idle(call->user);
    return GST_PAD_PROBE_REMOVE;
}

void dgs_when_idle(GstPad *pad, void (*idle)(void *user), void *user)
{
    Idle *call = g_new0(Idle, 1);
    call->idle = idle;
    call->user = user;
    gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_IDLE, when_idle, call, g_free);
}

void dgs_on_pads(GstElement *element, DGSPad added, DGSPad removed, void *user)
{
    g_signal_connect(element, "pad-added", G_CALLBACK(added), user);
    g_signal_connect(element, "pad-removed", G_CALLBACK(removed), user);
}

void dgs_clear_ssrc(GstElement *demultiplexer, guint ssrc) { g_signal_emit_by_name(demultiplexer, "clear-ssrc", ssrc); }

static GstFlowReturn kept(GstFlowReturn flow)
{
    return flow == GST_FLOW_ERROR || flow == GST_FLOW_NOT_LINKED || flow == GST_FLOW_NOT_NEGOTIATED ? GST_FLOW_OK
                                                                                                    : flow;
}

static GstFlowReturn chain(GstPad *pad, GstObject *parent, GstBuffer *buffer)
{
    return kept(gst_proxy_pad_chain_default(pad, parent, buffer));
}

static GstFlowReturn chain_list(GstPad *pad, GstObject *parent, GstBufferList *list)
{
    return kept(gst_proxy_pad_chain_list_default(pad, parent, list));
}

void dgs_keep_failures(GstPad *ghost)
{
    gst_pad_set_chain_function(ghost, chain);
    gst_pad_set_chain_list_function(ghost, chain_list);
}

gboolean dgs_add_extension(GstElement *payloader, const char *factory, guint id)
{
    GstElement *extension = gst_element_factory_make(factory, NULL);
    if (!extension)
        return FALSE;
    gst_object_ref_sink(extension);
    gst_rtp_header_extension_set_id(GST_RTP_HEADER_EXTENSION(extension), id);
    g_signal_emit_by_name(payloader, "add-extension", extension);
    gst_object_unref(extension);
    return TRUE;
}

GstFlowReturn dgs_push(GstElement *appsrc, const void *bytes, gsize size, guint64 time, guint64 duration)
{
    GstBuffer *buffer = gst_buffer_new_allocate(NULL, size, NULL);
    if (!buffer)
        return GST_FLOW_ERROR;
    gst_buffer_fill(buffer, 0, bytes, size);
    GST_BUFFER_PTS(buffer) = time;
    GST_BUFFER_DURATION(buffer) = duration;
    return gst_app_src_push_buffer(GST_APP_SRC(appsrc), buffer);
}

void dgs_push_end(GstElement *appsrc) { gst_app_src_end_of_stream(GST_APP_SRC(appsrc)); }

void dgs_set_caps(gpointer object, const char *text)
{
    GstCaps *caps = gst_caps_from_string(text);
    g_object_set(object, "caps", caps, NULL);
    if (caps)
        gst_caps_unref(caps);
}

static DGSLog log_to;

static GLogWriterOutput write_log(GLogLevelFlags level, const GLogField *fields, gsize count, gpointer user)
{
    const char *words = "", *domain = "glib";
    (void)user;
    for (gsize i = 0; i < count; i++) {
        if (!g_strcmp0(fields[i].key, "MESSAGE"))
            words = fields[i].value;
        else if (!g_strcmp0(fields[i].key, "GLIB_DOMAIN"))
            domain = fields[i].value;
    }
    int rank = level & (G_LOG_LEVEL_ERROR | G_LOG_LEVEL_CRITICAL) ? 0 : level & G_LOG_LEVEL_WARNING ? 1 : 2;
    log_to(rank, domain, words);
    return G_LOG_WRITER_HANDLED;
}

void dgs_take_logs(DGSLog log)
{
    log_to = log;
    g_log_set_writer_func(write_log, NULL, NULL);
}

gboolean dgs_gst_start(char **problem)
{
    GError *error = NULL;
    *problem = NULL;
    if (!gst_init_check(NULL, NULL, &error)) {
        *problem = g_strdup(error ? error->message : "GStreamer does not start");
        g_clear_error(&error);
        return FALSE;
    }
    gst_plugin_deepfgs_register();
    /* One Swift runtime in a process: an installed plugin of the same elements must not be loaded beside these. */
    GstElementFactory *factory = gst_element_factory_find("deepfgsadapt");
    GstPlugin *plugin = factory ? gst_plugin_feature_get_plugin(GST_PLUGIN_FEATURE(factory)) : NULL;
    if (!plugin || gst_plugin_get_filename(plugin)) {
        const char *file = plugin ? gst_plugin_get_filename(plugin) : NULL;
        *problem = g_strdup_printf("deepfgsadapt comes from %s, not from this program", file ? file : "nowhere");
    }
    if (plugin)
        gst_object_unref(plugin);
    if (factory)
        gst_object_unref(factory);
    return !*problem;
}
