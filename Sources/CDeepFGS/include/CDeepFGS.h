/* The border between the C shims of the GStreamer plugin and Swift: opaque handles, plain structs, error codes.
 *
 * One frame is one call; no Swift type, error or closure crosses. Each group of elements has its own header beside
 * this one. Names: `DeepFGSThing` is a type, `deepfgs_thing_verb` a function. A handle comes from `_new` and ends with
 * `_free`; it holds no lock of GStreamer's, and unless its header says otherwise one thread at a time uses it. Memory
 * that a call hands out belongs to the handle and lasts until the next call on it. */
#ifndef CDEEPFGS_H
#define CDEEPFGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "adaptive_sender.h"
#include "bases.h"
#include "codec.h"
#include "error.h"
#include "live.h"
#include "parse.h"
#include "statistic.h"
#include "transport.h"
#include "version.h"

#endif
