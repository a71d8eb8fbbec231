/* The HTTP server: libsoup on the main thread's loop, with an account of its connections, so that those that never ask
 * anything can neither keep others out nor use the process up. Call everything here on the main thread. */
#ifndef DGS_HTTP_H
#define DGS_HTTP_H

#include <glib.h>

typedef struct DGSServer DGSServer;
typedef struct DGSRequest DGSRequest;

typedef struct {
    /* Connections at a time: beyond, the one that has waited longest without a whole request is closed for a new one. */
    guint connections;
    /* Seconds for a whole request to come, and that a connection may then rest. */
    guint request_seconds, idle_seconds;
    /* Longest body of a request. */
    gsize body_bytes;
} DGSLimits;

/* Answers a request: dgs_respond at once, or dgs_defer and later. */
typedef void (*DGSHandler)(DGSRequest *request, void *user);

/* A server at a numeric address and port (0: any that is free), with TLS where there is a certificate; NULL and words on
 * failure, which the caller frees. */
DGSServer *dgs_server_new(const char *address, guint port, const char *certificate, const char *key, DGSLimits limits,
                          DGSHandler handler, void *user, char **problem);
/* Why no server could be made at an address with a certificate and key, as far as that can be told without listening; NULL
 * where nothing is wrong. The caller frees it. */
char *dgs_server_refusal(const char *address, guint port, const char *certificate, const char *key);
/* Reads certificate and key again, for the connections to come; FALSE and words, which the caller frees, where that fails. */
gboolean dgs_server_renew(DGSServer *server, const char *certificate, const char *key, char **problem);
/* The port that it listens at. */
guint dgs_server_port(DGSServer *server);
guint dgs_server_connections(DGSServer *server);
/* How many connections were closed because there were too many, or because they asked nothing in time. */
guint64 dgs_server_refused(DGSServer *server);
void dgs_server_set_limits(DGSServer *server, DGSLimits limits);
/* Takes no more connections; those that are there end with the process. */
void dgs_server_close(DGSServer *server);

const char *dgs_request_method(DGSRequest *request);
/* As it came, percent-encoded, from the slash on. */
const char *dgs_request_path(DGSRequest *request);
/* As it came, or NULL. */
const char *dgs_request_query(DGSRequest *request);
/* A header, or NULL. */
const char *dgs_request_header(DGSRequest *request, const char *name);
/* The body; `too_long` where it was longer than the limit and is not here. */
const void *dgs_request_body(DGSRequest *request, gsize *length, gboolean *too_long);

void dgs_response_header(DGSRequest *request, const char *name, const char *value);
void dgs_respond(DGSRequest *request, guint status, const char *type, const void *bytes, gsize length);
/* Keeps the request until it is answered, on the main thread, by dgs_respond_later, whether or not the client waits. */
void dgs_defer(DGSRequest *request);
void dgs_respond_later(DGSRequest *request, guint status, const char *type, const void *bytes, gsize length);

/* Begins an answer without end; more by dgs_stream_send, until that says that the client has gone or reads too slowly.
 * Then the request must not be used any more. */
void dgs_stream_begin(DGSRequest *request, const char *type);
gboolean dgs_stream_send(DGSRequest *request, const char *text);

#endif
