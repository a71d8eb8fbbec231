/* What the files of the HTTP server share. */
#ifndef DGS_HTTP_INTERNAL_H
#define DGS_HTTP_INTERNAL_H

#include <libsoup/soup.h>

#include "dgs_http.h"

SoupServer *dgs_server_soup(DGSServer *server);

#endif
