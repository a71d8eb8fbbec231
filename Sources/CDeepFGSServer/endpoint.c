#include "http_internal.h"

gboolean dgs_endpoint_open(const char *address, guint port, const char *certificate, const char *key,
                           GSocketAddress **where, GTlsCertificate **identity, char **problem)
{
    GError *error = NULL;
    *problem = NULL;
    *identity = NULL;
    *where = g_inet_socket_address_new_from_string(address, port);
    if (!*where)
        *problem = g_strdup_printf("%s is no numeric address", address);
    else if (certificate &&
             !(*identity = g_tls_certificate_new_from_files(certificate, key ? key : certificate, &error)))
        *problem = g_strdup_printf("TLS: %s", error->message);
    g_clear_error(&error);
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

gboolean dgs_server_renew(DGSServer *server, const char *address, const char *certificate, const char *key,
                          char **problem)
{
    GSocketAddress *where;
    GTlsCertificate *identity;
    if (!dgs_endpoint_open(address, dgs_server_port(server), certificate, key, &where, &identity, problem))
        return FALSE;
    g_object_unref(where);
    dgs_server_use(server, identity);
    g_clear_object(&identity);
    return TRUE;
}
