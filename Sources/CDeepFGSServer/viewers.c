#include "dgs_live.h"

#include <libsoup/soup.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include "http_internal.h"

/* Seconds after which a viewer that answers no ping is let go. */
#define KEEPALIVE_SECONDS 15
/* What viewers send are a few numbers. */
#define LONGEST_MESSAGE 64

struct DGSViewer {
    SoupWebsocketConnection *socket;
    DGSViewerHandlers handlers;
    void *user;
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
    g_free(viewer);
}

static void opened(SoupServer *soup, SoupServerMessage *request, const char *path, SoupWebsocketConnection *socket,
                   gpointer data)
{
    Service *service = data;
    (void)soup;
    (void)path;
    DGSViewer *viewer = g_new0(DGSViewer, 1);
    *viewer = (DGSViewer){g_object_ref(socket), service->handlers, service->user};
    /* A part of a frame does not wait for the next one. */
    if (soup_server_message_get_socket(request))
        g_socket_set_option(soup_server_message_get_socket(request), IPPROTO_TCP, TCP_NODELAY, 1, NULL);
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

void dgs_viewer_close(DGSViewer *viewer, const char *reason)
{
    if (soup_websocket_connection_get_state(viewer->socket) == SOUP_WEBSOCKET_STATE_OPEN)
        soup_websocket_connection_close(viewer->socket, SOUP_WEBSOCKET_CLOSE_GOING_AWAY, reason);
}
