/* Frames in a byte stream, as deepfgsparse and the typefinder call for them. */
#ifndef CDEEPFGS_PARSE_H
#define CDEEPFGS_PARSE_H

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

/* How long a frame lasts that does not say, in nanoseconds: where two recordings are joined, the second goes on after
 * so long. */
void deepfgs_parser_set_interval(DeepFGSParser *parser, uint64_t interval);

/* What is to be done with the bytes. */
typedef enum {
    /* The first `size` bytes are a frame or a prefix of one. */
    DEEPFGS_PARSE_FRAME = 0,
    /* The first `size` bytes are no frame. */
    DEEPFGS_PARSE_SKIP = 1,
    /* Nothing yet: come back with at least `size` bytes, or when the stream has ended. */
    DEEPFGS_PARSE_MORE = 2,
    /* The stream is DeepFGS of a kind that this version cannot read: the error says which. */
    DEEPFGS_PARSE_REFUSE = 3,
} DeepFGSParseAction;

typedef struct {
    DeepFGSParseAction action;
    size_t size;
    /* The rest is filled for DEEPFGS_PARSE_FRAME only. */
    /* The base is incomplete or does not match its checksum: the frame cannot be decoded. */
    bool damaged;
    uint32_t width, height;
    /* Width of a pixel over its height; 0:0 where the frame does not say. */
    uint32_t pixel_width, pixel_height;
    char model[DEEPFGS_IDENTITY_LENGTH];
    /* Nanoseconds since the first frame of the stream, or DEEPFGS_TIME_NONE where the frame does not say. */
    uint64_t time;
    /* Nanoseconds, or DEEPFGS_TIME_NONE. */
    uint64_t duration;
} DeepFGSParseStep;

/* Looks at `size` bytes that lie `offset` bytes into the stream. Bytes that an earlier call has seen and that were
 * neither skipped nor a frame are given again, with more behind them. `ended`: nothing comes after them. `follows`: the
 * frame before them is on its way in the same go, so that nothing can be skipped: instead the answer is MORE, and the
 * next call, without `follows`, says SKIP. `error` is filled for DEEPFGS_PARSE_REFUSE. Work over a whole stream is
 * linear in its bytes. */
void deepfgs_parser_next(DeepFGSParser *parser, const uint8_t *bytes, size_t size, uint64_t offset, bool ended,
                         bool follows, DeepFGSParseStep *step, DeepFGSError *error);

/* What was skipped since the last call, in words. Returns the number of bytes; 0 leaves `message` alone. */
uint64_t deepfgs_parser_take_skipped(DeepFGSParser *parser, char *message, size_t length);

/* How long a file lasts, by its headers alone. */
typedef struct DeepFGSDurationScan DeepFGSDurationScan;

/* Of a file of `length` bytes; a frame that does not say lasts `interval` nanoseconds. */
DeepFGSDurationScan *deepfgs_duration_scan_new(uint64_t length, uint64_t interval);
void deepfgs_duration_scan_free(DeepFGSDurationScan *scan);

/* What to read of the file; a size of 0: nothing any more. */
typedef struct {
    uint64_t offset;
    size_t size;
} DeepFGSRead;

/* Takes what was read, none at first, as many bytes as there were. Returns the duration, or DEEPFGS_TIME_NONE where there is
 * no frame, when it asks for nothing any more. */
uint64_t deepfgs_duration_scan_next(DeepFGSDurationScan *scan, const uint8_t *bytes, size_t size, DeepFGSRead *read);

#pragma clang assume_nonnull end

#endif
