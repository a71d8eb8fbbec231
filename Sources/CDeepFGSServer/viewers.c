#include "dgs_live.h"

#include <libsoup/soup.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <stddef.h>
#include <sys/socket.h>

#include "http_internal.h"

/* Seconds between pings, which tell the system that a viewer is gone: it ends connections that answer no packets. */
#define KEEPALIVE_SECONDS 15
/* What viewers send are a few numbers, and control frames (RFC 6455, 5.5), which may have so many bytes. */
#define LONGEST_MESSAGE 125

struct DGSViewer {
    SoupWebsocketConnection *socket;
    DGSViewerHandlers handlers;
    void *user;
    GSocket *connection;
};

typedef struct {
    DGSViewerHandlers handlers;
    void *user;
} Service;

static void message(SoupWebsocketConnection *socket, int type, GBytes *bytes, gpointer data)
{
    DGSViewer *viewer = data;
    gsize length = 0;
    const void *start = g_bytes_get_data(bytes, &length);
    (void)socket;
    if (type == SOUP_WEBSOCKET_DATA_BINARY)
        viewer->handlers.message(viewer, start, length, viewer->user);
}

static void closed(SoupWebsocketConnection *socket, gpointer data)
{
    DGSViewer *viewer = data;
    viewer->handlers.closed(viewer, viewer->user);
    g_signal_handlers_disconnect_by_data(socket, viewer);
    g_object_unref(socket);
    g_clear_object(&viewer->connection);
    g_free(viewer);
}

/* The socket below a WebSocket's stream, past TLS where there is some; NULL where there is none. The request's own has been
 * taken away from it by then. */
static GSocket *socket_below(SoupWebsocketConnection *socket)
{
    GIOStream *stream = g_object_ref(soup_websocket_connection_get_io_stream(socket));
    while (stream && !G_IS_SOCKET_CONNECTION(stream)) {
        const char *names[] = {"base-iostream", "base-io-stream"};
        GIOStream *below = NULL;
        for (guint i = 0; i < G_N_ELEMENTS(names) && !below; i++)
            if (g_object_class_find_property(G_OBJECT_GET_CLASS(stream), names[i]))
                g_object_get(stream, names[i], &below, NULL);
        g_object_unref(stream);
        stream = below;
    }
    GSocket *found = stream ? g_object_ref(g_socket_connection_get_socket(G_SOCKET_CONNECTION(stream))) : NULL;
    g_clear_object(&stream);
    return found;
}

static void opened(SoupServer *soup, SoupServerMessage *request, const char *path, SoupWebsocketConnection *socket,
                   gpointer data)
{
    Service *service = data;
    (void)soup;
    (void)path;
    GSocket *connection = socket_below(socket);
    DGSViewer *viewer = g_new0(DGSViewer, 1);
    *viewer = (DGSViewer){g_object_ref(socket), service->handlers, service->user, connection};
    /* A part of a frame does not wait for the next one. */
    if (connection)
        g_socket_set_option(connection, IPPROTO_TCP, TCP_NODELAY, 1, NULL);
    soup_websocket_connection_set_max_incoming_payload_size(socket, LONGEST_MESSAGE);
    soup_websocket_connection_set_keepalive_interval(socket, KEEPALIVE_SECONDS);
    g_signal_connect(socket, "message", G_CALLBACK(message), viewer);
    g_signal_connect(socket, "closed", G_CALLBACK(closed), viewer);
    viewer->handlers.opened(viewer, g_uri_get_path(soup_server_message_get_uri(request)), viewer->user);
}

void dgs_server_serve_viewers(DGSServer *server, const char *protocol, DGSViewerHandlers handlers, void *user)
{
    char *protocols[] = {(char *)protocol, NULL};
    Service *service = g_new(Service, 1);
    *service = (Service){handlers, user};
    /* Frames do not get smaller, it takes time on both sides, and acknowledgements count bytes as they are. */
    soup_server_remove_websocket_extension(dgs_server_soup(server), SOUP_TYPE_WEBSOCKET_EXTENSION_DEFLATE);
    soup_server_add_websocket_handler(dgs_server_soup(server), NULL, NULL, protocols, opened, service, g_free);
}

void dgs_viewer_send(DGSViewer *viewer, const void *head, gsize head_length, const void *bytes, gsize length)
{
    if (soup_websocket_connection_get_state(viewer->socket) != SOUP_WEBSOCKET_STATE_OPEN)
        return;
    GByteArray *whole = g_byte_array_sized_new((guint)(head_length + length));
    g_byte_array_append(whole, head, (guint)head_length);
    g_byte_array_append(whole, bytes, (guint)length);
    GBytes *message = g_byte_array_free_to_bytes(whole);
    soup_websocket_connection_send_message(viewer->socket, SOUP_WEBSOCKET_DATA_BINARY, message);
    g_bytes_unref(message);
}

gboolean dgs_viewer_may_have(DGSViewer *viewer, guint64 bytes)
{
    struct tcp_info info = {0};
    socklen_t length = sizeof info;
    if (!viewer->connection || getsockopt(g_socket_get_fd(viewer->connection), IPPROTO_TCP, TCP_INFO, &info, &length) ||
        length < offsetof(struct tcp_info, tcpi_bytes_acked) + sizeof info.tcpi_bytes_acked)
        return TRUE;
    return bytes <= info.tcpi_bytes_acked;
}

void dgs_viewer_drop(DGSViewer *viewer)
{
    if (viewer->connection)
        g_socket_shutdown(viewer->connection, TRUE, TRUE, NULL);
}

void dgs_viewer_close(DGSViewer *viewer, const char *reason)
{
    if (soup_websocket_connection_get_state(viewer->socket) == SOUP_WEBSOCKET_STATE_OPEN)
        soup_websocket_connection_close(viewer->socket, SOUP_WEBSOCKET_CLOSE_GOING_AWAY, reason);
}
