/* Encoder, decoder and parser as the codec elements call them. */
#ifndef CDEEPFGS_CODEC_H
#define CDEEPFGS_CODEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "error.h"

/* Every pointer is non-null unless it says _Nullable. */
#pragma clang assume_nonnull begin

/* How sure the typefinder is that a stream that begins with these bytes is DeepFGS. */
typedef enum {
    DEEPFGS_TYPE_NO = 0,
    /* The magic, but not a version or header that this code knows. */
    DEEPFGS_TYPE_LIKELY = 1,
    /* A whole valid header. */
    DEEPFGS_TYPE_CERTAIN = 2,
} DeepFGSTypeMatch;

/* Looks at the first `size` bytes of a stream. `need` receives how many bytes would settle a LIKELY answer, 0 where it
 * is settled. */
DeepFGSTypeMatch deepfgs_type_match(const uint8_t *bytes, size_t size, size_t *need);

/* Finds the frames in a byte stream. */
typedef struct DeepFGSParser DeepFGSParser;

DeepFGSParser *deepfgs_parser_new(void);
void deepfgs_parser_free(DeepFGSParser *parser);

#pragma clang assume_nonnull end

#endif
