/* The daemon's C side: what Swift cannot call as it is (functions of variable arguments, macros), and the HTTP server's
 * account of its connections. Nothing here decides anything about streams. */
#ifndef CDEEPFGSSERVER_H
#define CDEEPFGSSERVER_H

#include "dgs_gst.h"
#include "dgs_http.h"
#include "dgs_live.h"
#include "dgs_loop.h"
#include "dgs_yaml.h"

#endif
