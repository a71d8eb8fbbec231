#include "http_internal.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

/* --- A certificate and its key ---------------------------------------------------------------------------------- */

/* A handshake of two ends in this process, without a network: whether certificate and key belong together, and are such as a
 * client takes, is told by nothing else. Each end gives up after so many seconds. */
#define HANDSHAKE_SECONDS 5

static GIOStream *end_of_pair(int descriptor)
{
    GSocket *socket = g_socket_new_from_fd(descriptor, NULL);
    if (!socket) {
        close(descriptor);
        return NULL;
    }
    g_socket_set_timeout(socket, HANDSHAKE_SECONDS);
    GIOStream *stream = G_IO_STREAM(g_socket_connection_factory_create_connection(socket));
    g_object_unref(socket);
    return stream;
}

static gpointer answer_handshake(gpointer connection)
{
    g_tls_connection_handshake(connection, NULL, NULL);
    /* Where it failed, the other end must not wait. */
    g_io_stream_close(connection, NULL, NULL);
    return NULL;
}

/* A client here: whose the certificate is, is not the question. */
static gboolean any_certificate(void) { return TRUE; }

static gboolean shakes_hands(GTlsCertificate *certificate, GError **error)
{
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends)) {
        g_set_error_literal(error, G_IO_ERROR, g_io_error_from_errno(errno), g_strerror(errno));
        return FALSE;
    }
    GIOStream *near = end_of_pair(ends[0]), *far = end_of_pair(ends[1]);
    GIOStream *server = near ? g_tls_server_connection_new(near, certificate, error) : NULL;
    GIOStream *client = server && far ? g_tls_client_connection_new(far, NULL, error) : NULL;
    gboolean good = FALSE;
    if (client) {
        g_signal_connect(client, "accept-certificate", G_CALLBACK(any_certificate), NULL);
        GThread *thread = g_thread_new("handshake", answer_handshake, server);
        good = g_tls_connection_handshake(G_TLS_CONNECTION(client), NULL, error);
        /* Where this end failed, the other must not wait either. */
        g_io_stream_close(far, NULL, NULL);
        g_thread_join(thread);
    }
    g_clear_object(&client);
    g_clear_object(&server);
    g_clear_object(&near);
    g_clear_object(&far);
    return good;
}

static GTlsCertificate *certificate_of(const char *file, const char *key, char **problem)
{
    GError *error = NULL;
    GTlsCertificate *certificate = g_tls_certificate_new_from_files(file, key ? key : file, &error);
    if (!certificate) {
        *problem = g_strdup_printf("TLS: %s", error->message);
    } else if (!shakes_hands(certificate, &error)) {
        *problem = g_strdup_printf("TLS: no handshake succeeds with this certificate and key (%s): are they a pair?",
                                   error ? error->message : "no socket");
        g_clear_object(&certificate);
    }
    g_clear_error(&error);
    return certificate;
}

/* --- The endpoint ----------------------------------------------------------------------------------------------- */

gboolean dgs_endpoint_open(const char *address, guint port, const char *certificate, const char *key,
                           GSocketAddress **where, GTlsCertificate **identity, char **problem)
{
    *problem = NULL;
    *identity = NULL;
    *where = g_inet_socket_address_new_from_string(address, port);
    if (!*where)
        *problem = g_strdup_printf("%s is no numeric address", address);
    else if (certificate)
        *identity = certificate_of(certificate, key, problem);
    if (*problem)
        g_clear_object(where);
    return !*problem;
}

char *dgs_server_refusal(const char *address, guint port, const char *certificate, const char *key)
{
    GSocketAddress *where;
    GTlsCertificate *identity;
    char *problem;
    if (dgs_endpoint_open(address, port, certificate, key, &where, &identity, &problem)) {
        g_object_unref(where);
        g_clear_object(&identity);
    }
    return problem;
}

gboolean dgs_server_renew(DGSServer *server, const char *certificate, const char *key, char **problem)
{
    *problem = NULL;
    GTlsCertificate *identity = certificate ? certificate_of(certificate, key, problem) : NULL;
    if (!*problem)
        dgs_server_use(server, identity);
    g_clear_object(&identity);
    return !*problem;
}
