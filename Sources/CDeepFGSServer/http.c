#include "dgs_http.h"

#include <gio/gio.h>
#include <libsoup/soup.h>
#include <sys/socket.h>

#include "http_internal.h"

/* A reader of events that is so many bytes behind is let go. */
#define STREAM_BACKLOG (256 * 1024)
#define HANDSHAKE_SECONDS 10

struct DGSServer {
    SoupServer *soup;
    GSocketService *service;
    GTlsCertificate *certificate;
    DGSLimits limits;
    DGSHandler handler;
    void *user;
    guint port;
    guint64 refused;
    /* Connection by its remote address and port. */
    GHashTable *connections;
};

typedef struct {
    DGSServer *server;
    char *key;
    /* Lives as long as this, by a weak reference. */
    GSocketConnection *stream;
    gint64 since;
    enum { ASKING, ANSWERED, BUSY } state;
} Connection;

/* What a message carries of ours, freed with it. */
typedef struct {
    DGSServer *server;
    gsize received, queued;
    gboolean too_long, finished, deferred;
} Account;

static Account *account_of(DGSRequest *request) { return g_object_get_data(G_OBJECT(request), "dgs-account"); }

static char *key_of(GSocketAddress *address)
{
    if (!G_IS_INET_SOCKET_ADDRESS(address))
        return g_strdup("?");
    GInetSocketAddress *inet = G_INET_SOCKET_ADDRESS(address);
    char *host = g_inet_address_to_string(g_inet_socket_address_get_address(inet));
    char *key = g_strdup_printf("%s %u", host, g_inet_socket_address_get_port(inet));
    g_free(host);
    return key;
}

/* --- Connections ------------------------------------------------------------------------------------------------ */

static void free_connection(gpointer data)
{
    Connection *connection = data;
    g_free(connection->key);
    g_free(connection);
}

/* Wakes whoever reads or writes there: it finds the connection at its end and lets it go. */
static void shut(Connection *connection)
{
    connection->server->refused++;
    g_socket_shutdown(g_socket_connection_get_socket(connection->stream), TRUE, TRUE, NULL);
}

static void gone(gpointer data, GObject *stream)
{
    Connection *connection = data;
    (void)stream;
    g_hash_table_remove(connection->server->connections, connection->key);
}

static void make_room(DGSServer *server)
{
    GHashTableIter iterator;
    gpointer value;
    Connection *oldest = NULL;
    g_hash_table_iter_init(&iterator, server->connections);
    while (g_hash_table_iter_next(&iterator, NULL, &value)) {
        Connection *connection = value;
        if (connection->state != BUSY && (!oldest || connection->since < oldest->since))
            oldest = connection;
    }
    if (oldest)
        shut(oldest);
}

static gboolean sweep(gpointer data)
{
    DGSServer *server = data;
    GHashTableIter iterator;
    gpointer value;
    gint64 now = g_get_monotonic_time();
    g_hash_table_iter_init(&iterator, server->connections);
    while (g_hash_table_iter_next(&iterator, NULL, &value)) {
        Connection *connection = value;
        guint limit = connection->state == ASKING ? server->limits.request_seconds : server->limits.idle_seconds;
        if (connection->state != BUSY && now - connection->since > (gint64)limit * G_USEC_PER_SEC)
            shut(connection);
    }
    return G_SOURCE_CONTINUE;
}

static void accept_stream(DGSServer *server, GIOStream *stream, GSocketConnection *socket)
{
    GSocketAddress *local = g_socket_connection_get_local_address(socket, NULL);
    GSocketAddress *remote = g_socket_connection_get_remote_address(socket, NULL);
    if (local && remote)
        soup_server_accept_iostream(server->soup, stream, local, remote, NULL);
    g_clear_object(&local);
    g_clear_object(&remote);
}

static void shaken(GObject *source, GAsyncResult *result, gpointer user)
{
    DGSServer *server = user;
    GSocketConnection *socket = g_object_get_data(source, "dgs-socket");
    if (g_tls_connection_handshake_finish(G_TLS_CONNECTION(source), result, NULL))
        accept_stream(server, G_IO_STREAM(source), socket);
    g_object_unref(source);
}

static gboolean incoming(GSocketService *service, GSocketConnection *stream, GObject *object, gpointer user)
{
    DGSServer *server = user;
    (void)service;
    (void)object;
    GSocketAddress *remote = g_socket_connection_get_remote_address(stream, NULL);
    if (!remote)
        return TRUE;
    if (g_hash_table_size(server->connections) >= server->limits.connections)
        make_room(server);
    /* The one that gave way goes at its next turn. Where none did, all are busy. */
    if (g_hash_table_size(server->connections) >= 2 * server->limits.connections) {
        server->refused++;
        g_object_unref(remote);
        return TRUE;
    }
    Connection *connection = g_new0(Connection, 1);
    *connection = (Connection){server, key_of(remote), stream, g_get_monotonic_time(), ASKING};
    g_object_unref(remote);
    /* A port is used again before the connection that had it is gone: that one is not counted any more. */
    Connection *former = g_hash_table_lookup(server->connections, connection->key);
    if (former)
        g_object_weak_unref(G_OBJECT(former->stream), gone, former);
    g_hash_table_replace(server->connections, connection->key, connection);
    g_object_weak_ref(G_OBJECT(stream), gone, connection);
    if (!server->certificate) {
        accept_stream(server, G_IO_STREAM(stream), stream);
        return TRUE;
    }
    GIOStream *tls = g_tls_server_connection_new(G_IO_STREAM(stream), server->certificate, NULL);
    if (!tls)
        return TRUE;
    g_object_set_data_full(G_OBJECT(tls), "dgs-socket", g_object_ref(stream), g_object_unref);
    g_tls_connection_handshake_async(G_TLS_CONNECTION(tls), G_PRIORITY_DEFAULT, NULL, shaken, server);
    return TRUE;
}

static void mark(DGSServer *server, SoupServerMessage *message, int state)
{
    GSocketAddress *remote = soup_server_message_get_remote_address(message);
    char *key = key_of(remote);
    Connection *connection = g_hash_table_lookup(server->connections, key);
    g_free(key);
    if (!connection)
        return;
    connection->state = state;
    connection->since = g_get_monotonic_time();
}

/* --- Requests --------------------------------------------------------------------------------------------------- */

static void got_chunk(SoupServerMessage *message, GBytes *chunk, gpointer user)
{
    Account *account = user;
    account->received += g_bytes_get_size(chunk);
    if (account->received > account->server->limits.body_bytes && !account->too_long) {
        account->too_long = TRUE;
        soup_message_body_set_accumulate(soup_server_message_get_request_body(message), FALSE);
        soup_message_body_truncate(soup_server_message_get_request_body(message));
    }
}

static void wrote_data(SoupServerMessage *message, guint length, gpointer user)
{
    Account *account = user;
    (void)message;
    account->queued -= MIN(account->queued, length);
}

static void finished(SoupServerMessage *message, gpointer user)
{
    Account *account = user;
    account->finished = TRUE;
    mark(account->server, message, ANSWERED);
}

static void started(SoupServer *soup, SoupServerMessage *message, gpointer user)
{
    Account *account = g_new0(Account, 1);
    (void)soup;
    account->server = user;
    g_object_set_data_full(G_OBJECT(message), "dgs-account", account, g_free);
    g_signal_connect(message, "got-chunk", G_CALLBACK(got_chunk), account);
    g_signal_connect(message, "wrote-body-data", G_CALLBACK(wrote_data), account);
    g_signal_connect(message, "finished", G_CALLBACK(finished), account);
}

/* Headers are here, the body is not: one that says that it is too long need not come. */
static void early(SoupServer *soup, SoupServerMessage *message, const char *path, GHashTable *query, gpointer user)
{
    DGSServer *server = user;
    (void)soup;
    (void)path;
    (void)query;
    SoupMessageHeaders *headers = soup_server_message_get_request_headers(message);
    if (soup_message_headers_get_encoding(headers) == SOUP_ENCODING_CONTENT_LENGTH &&
        soup_message_headers_get_content_length(headers) > (goffset)server->limits.body_bytes) {
        account_of((DGSRequest *)message)->too_long = TRUE;
        soup_message_headers_replace(soup_server_message_get_response_headers(message), "Connection", "close");
        server->handler((DGSRequest *)message, server->user);
    }
}

static void handle(SoupServer *soup, SoupServerMessage *message, const char *path, GHashTable *query, gpointer user)
{
    DGSServer *server = user;
    (void)soup;
    (void)path;
    (void)query;
    mark(server, message, BUSY);
    if (!soup_server_message_get_status(message))
        server->handler((DGSRequest *)message, server->user);
    /* An answer that its client does not read is no reason to keep the connection. */
    if (soup_server_message_get_status(message) && !account_of((DGSRequest *)message)->deferred)
        mark(server, message, ANSWERED);
}

const char *dgs_request_method(DGSRequest *request)
{
    return soup_server_message_get_method((SoupServerMessage *)request);
}

const char *dgs_request_path(DGSRequest *request)
{
    return g_uri_get_path(soup_server_message_get_uri((SoupServerMessage *)request));
}

const char *dgs_request_query(DGSRequest *request)
{
    return g_uri_get_query(soup_server_message_get_uri((SoupServerMessage *)request));
}

const char *dgs_request_header(DGSRequest *request, const char *name)
{
    return soup_message_headers_get_one(soup_server_message_get_request_headers((SoupServerMessage *)request), name);
}

const void *dgs_request_body(DGSRequest *request, gsize *length, gboolean *too_long)
{
    SoupMessageBody *body = soup_server_message_get_request_body((SoupServerMessage *)request);
    *too_long = account_of(request)->too_long;
    if (!*too_long) {
        GBytes *flat = soup_message_body_flatten(body);
        g_bytes_unref(flat);
    }
    *length = *too_long ? 0 : (gsize)body->length;
    return *too_long ? NULL : body->data;
}

void dgs_response_header(DGSRequest *request, const char *name, const char *value)
{
    soup_message_headers_replace(soup_server_message_get_response_headers((SoupServerMessage *)request), name, value);
}

void dgs_respond(DGSRequest *request, guint status, const char *type, const void *bytes, gsize length)
{
    SoupServerMessage *message = (SoupServerMessage *)request;
    soup_server_message_set_status(message, status, NULL);
    if (length || status != 204)
        soup_server_message_set_response(message, type, SOUP_MEMORY_COPY, bytes ? bytes : "", length);
}

void dgs_defer(DGSRequest *request)
{
    g_object_ref(request);
    account_of(request)->deferred = TRUE;
    /* Any status: to a request without one libsoup answers itself, as to a viewer's that is malformed. */
    soup_server_message_set_status((SoupServerMessage *)request, SOUP_STATUS_ACCEPTED, NULL);
    soup_server_message_pause((SoupServerMessage *)request);
}

void dgs_respond_later(DGSRequest *request, guint status, const char *type, const void *bytes, gsize length)
{
    if (!account_of(request)->finished) {
        dgs_respond(request, status, type, bytes, length);
        mark(account_of(request)->server, (SoupServerMessage *)request, ANSWERED);
        soup_server_message_unpause((SoupServerMessage *)request);
    }
    g_object_unref(request);
}

void dgs_stream_begin(DGSRequest *request, const char *type)
{
    SoupServerMessage *message = (SoupServerMessage *)request;
    SoupMessageHeaders *headers = soup_server_message_get_response_headers(message);
    g_object_ref(request);
    soup_server_message_set_status(message, 200, NULL);
    soup_message_headers_set_content_type(headers, type, NULL);
    soup_message_headers_replace(headers, "Cache-Control", "no-store");
    soup_message_headers_set_encoding(headers, SOUP_ENCODING_CHUNKED);
    soup_message_body_set_accumulate(soup_server_message_get_response_body(message), FALSE);
}

gboolean dgs_stream_send(DGSRequest *request, const char *text)
{
    SoupServerMessage *message = (SoupServerMessage *)request;
    Account *account = account_of(request);
    gsize length = strlen(text);
    if (!account->finished && account->queued + length > STREAM_BACKLOG)
        g_socket_shutdown(soup_server_message_get_socket(message), TRUE, TRUE, NULL);
    if (account->finished || account->queued + length > STREAM_BACKLOG) {
        g_object_unref(request);
        return FALSE;
    }
    account->queued += length;
    mark(account->server, message, BUSY);
    soup_message_body_append(soup_server_message_get_response_body(message), SOUP_MEMORY_COPY, text, length);
    soup_server_message_unpause(message);
    return TRUE;
}

/* --- The server ------------------------------------------------------------------------------------------------- */

DGSServer *dgs_server_new(const char *address, guint port, const char *certificate, const char *key, DGSLimits limits,
                          DGSHandler handler, void *user, char **problem)
{
    GError *error = NULL;
    GTlsCertificate *tls;
    GSocketAddress *wanted, *effective = NULL;
    if (!dgs_endpoint_open(address, port, certificate, key, &wanted, &tls, problem))
        return NULL;
    GSocketService *service = g_socket_service_new();
    g_socket_listener_set_backlog(G_SOCKET_LISTENER(service), SOMAXCONN);
    if (!g_socket_listener_add_address(G_SOCKET_LISTENER(service), wanted, G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_TCP,
                                       NULL, &effective, &error)) {
        *problem = g_strdup_printf("%s port %u: %s", address, port, error->message);
    }
    g_clear_error(&error);
    g_object_unref(wanted);
    if (*problem) {
        g_clear_object(&tls);
        g_object_unref(service);
        return NULL;
    }
    DGSServer *server = g_new0(DGSServer, 1);
    server->certificate = tls;
    server->limits = limits;
    server->handler = handler;
    server->user = user;
    server->port = g_inet_socket_address_get_port(G_INET_SOCKET_ADDRESS(effective));
    g_object_unref(effective);
    server->service = service;
    server->connections = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, free_connection);
    /* Paths stay as they came: what is percent-encoded is decoded once, by who knows where a part ends. */
    server->soup = soup_server_new("server-header", "deepfgsd", "raw-paths", TRUE, NULL);
    g_signal_connect(server->soup, "request-started", G_CALLBACK(started), server);
    soup_server_add_early_handler(server->soup, NULL, early, server, NULL);
    soup_server_add_handler(server->soup, NULL, handle, server, NULL);
    g_signal_connect(service, "incoming", G_CALLBACK(incoming), server);
    g_timeout_add_seconds(1, sweep, server);
    g_socket_service_start(service);
    return server;
}

void dgs_server_use(DGSServer *server, GTlsCertificate *identity) { g_set_object(&server->certificate, identity); }

SoupServer *dgs_server_soup(DGSServer *server) { return server->soup; }

guint dgs_server_port(DGSServer *server) { return server->port; }

guint dgs_server_connections(DGSServer *server) { return g_hash_table_size(server->connections); }

guint64 dgs_server_refused(DGSServer *server) { return server->refused; }

void dgs_server_set_limits(DGSServer *server, DGSLimits limits) { server->limits = limits; }

void dgs_server_close(DGSServer *server)
{
    g_socket_service_stop(server->service);
    g_socket_listener_close(G_SOCKET_LISTENER(server->service));
}
