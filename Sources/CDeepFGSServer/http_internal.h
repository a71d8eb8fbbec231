/* What the files of the HTTP server share. */
#ifndef DGS_HTTP_INTERNAL_H
#define DGS_HTTP_INTERNAL_H

#include <libsoup/soup.h>

#include "dgs_http.h"

SoupServer *dgs_server_soup(DGSServer *server);
/* Where to listen, and the certificate where there is one; FALSE and words, which the caller frees, where either is none. */
gboolean dgs_endpoint_open(const char *address, guint port, const char *certificate, const char *key,
                           GSocketAddress **where, GTlsCertificate **identity, char **problem);
/* Whom the server's next connections are told that it is; NULL: without TLS. */
void dgs_server_use(DGSServer *server, GTlsCertificate *identity);

#endif
