/* Viewers: WebSocket connections (RFC 6455) of the HTTP server. Everything on the main thread. */
#ifndef DGS_LIVE_H
#define DGS_LIVE_H

#include "dgs_http.h"

typedef struct DGSViewer DGSViewer;

typedef struct {
    /* A viewer has come, by a request that the server's handler left unanswered; `path` as it came. */
    void (*opened)(DGSViewer *viewer, const char *path, void *user);
    /* What it sends: at most 125 bytes. */
    void (*message)(DGSViewer *viewer, const void *bytes, gsize length, void *user);
    /* It has gone; the last that is heard of it. */
    void (*closed)(DGSViewer *viewer, void *user);
} DGSViewerHandlers;

/* Lets requests for an upgrade pass that the server's handler leaves unanswered, in this subprotocol. */
void dgs_server_serve_viewers(DGSServer *server, const char *protocol, DGSViewerHandlers handlers, void *user);
/* Sends a message of two parts, which are copied. */
void dgs_viewer_send(DGSViewer *viewer, const void *head, gsize head_length, const void *bytes, gsize length);
/* Whether so many bytes of messages can have arrived: no more than the viewer's system has acknowledged (RFC 9293). */
gboolean dgs_viewer_may_have(DGSViewer *viewer, guint64 bytes);
/* Ends the connection at once, without what is waiting to be read; `closed` is called, later. */
void dgs_viewer_drop(DGSViewer *viewer);
/* Ends the connection behind what is on its way; `closed` is called, later. */
void dgs_viewer_close(DGSViewer *viewer, const char *reason);

#endif
