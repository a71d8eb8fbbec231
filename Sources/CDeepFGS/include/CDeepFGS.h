/* The border between the C shims of the GStreamer plugin and Swift: opaque handles, plain structs, error codes.
 * One frame is one call; no Swift type, error or closure crosses. Each element has its own header beside this one. */
#ifndef CDEEPFGS_H
#define CDEEPFGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "codec.h"

#endif
