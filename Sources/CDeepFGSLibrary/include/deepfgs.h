/* libdeepfgs: the DeepFGS image codec for C, and for every language that can call C.
 *
 * A frame is one coded picture. Its first bytes, header and base, decode alone; every further byte makes the picture
 * better. So a frame is cut to any size by leaving its end away, and a cut frame decodes like a whole one.
 *
 *     dfgs_model *model = NULL;
 *     dfgs_encoder *encoder = NULL;
 *     const uint8_t *frame;
 *     size_t size;
 *     dfgs_error error;
 *     if (dfgs_model_open(NULL, &model, &error) || dfgs_encoder_open(model, 1280, 720, NULL, &encoder, &error) ||
 *         dfgs_encoder_encode(encoder, pixels, 3 * 1280 * 720, NULL, NULL, &frame, &size, &error))
 *         fprintf(stderr, "%s\n", error.message);
 *
 * Errors. What can fail returns a dfgs_status, DFGS_OK (0) where it went well. `error`, where it is not NULL, then
 * receives the status and a sentence for people; on success it is left alone. On failure nothing else is written: not
 * to `pixels`, not to a pointer or struct that would have received a result. Every function is total: any bytes,
 * lengths and numbers give a result or a status. A NULL where a value is needed is DFGS_ERROR_ARGUMENT. There is one
 * exception: where the system has no memory left, the process ends.
 *
 * Threads. A dfgs_model is immutable: any number of threads may use one at the same time, for any number of encoders
 * and decoders. One dfgs_encoder or dfgs_decoder is used by one thread at a time; different ones by different threads
 * at the same time. The functions that take no handle may be called from any thread. Encoding and decoding run on
 * threads of the library's own, and return when all is done.
 *
 * Memory. The caller provides memory for pixels and owns it. The bytes of an encoded frame belong to the encoder and
 * last until the next call on it. A handle is ended by its _close, which takes NULL too. Handles may be ended in any
 * order: an encoder or decoder keeps its model alive.
 *
 * Versions. Until version 1.0 the interface may change with the second number of the version, and with it the number
 * in the library's name. */
#ifndef DEEPFGS_H
#define DEEPFGS_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The version of the library, MAJOR.MINOR.PATCH. dfgs_version gives that of the library which is running. */
#define DFGS_VERSION "0.2.0"
const char *dfgs_version(void);

/* How a call ended. */
typedef enum {
    DFGS_OK = 0,
    /* A pointer is NULL or a number outside of its range: a mistake in the program that calls. */
    DFGS_ERROR_ARGUMENT = 1,
    /* The memory for pixels is smaller than the picture, or the layout contradicts itself or has another size. */
    DFGS_ERROR_BUFFER = 2,
    /* The bytes do not begin with a DeepFGS frame. */
    DFGS_ERROR_NOT_A_FRAME = 3,
    /* The bytes end inside of header or base, so that there is no picture in them. */
    DFGS_ERROR_CUT = 4,
    /* Header or base is damaged (a checksum does not match). */
    DFGS_ERROR_DAMAGED = 5,
    /* A version of the bitstream, or a value in the header, that this library does not know. */
    DFGS_ERROR_UNSUPPORTED = 6,
    /* The frame was made with another model than that of the decoder. */
    DFGS_ERROR_OTHER_MODEL = 7,
    /* A picture of more pixels than the limit of the decoder or the format. */
    DFGS_ERROR_TOO_LARGE = 8,
    /* There is no model of this name, path or identity, or it cannot be read. */
    DFGS_ERROR_NO_MODEL = 9,
    /* The file is not a sound model. */
    DFGS_ERROR_BAD_MODEL = 10,
    /* The compute library failed, or the processor cannot do what was asked for. */
    DFGS_ERROR_COMPUTE = 11,
} dfgs_status;

/* Bytes of dfgs_error.message. */
#define DFGS_MESSAGE_LENGTH 512

/* What went wrong; the message is UTF-8, always ends in a zero, and is shortened to fit. */
typedef struct {
    dfgs_status status;
    char message[DFGS_MESSAGE_LENGTH];
} dfgs_error;

/* Bytes of a model's identity as text: 16 hexadecimal digits and the final zero. */
#define DFGS_IDENTITY_LENGTH 17
/* Most chunks in a frame. */
#define DFGS_MAX_CHUNKS 64
/* A time that is not known. */
#define DFGS_TIME_NONE UINT64_MAX

/* ---- Frames: no model is needed, and no picture decoded ---- */

/* What the header of a frame says. All sizes are bytes counted from the start of the frame. */
typedef struct {
    /* Pixels, each 1 to 65535. */
    uint32_t width, height;
    /* The model that made the frame. */
    char model[DFGS_IDENTITY_LENGTH];
    /* The end of the header; of the base, which is the shortest prefix that decodes; and of the whole frame. */
    size_t header_end, base_end, frame_end;
    /* How many chunks there are, and where each one ends: the base first, then the scalable ones. */
    uint32_t chunk_count;
    size_t chunk_ends[DFGS_MAX_CHUNKS];
    /* Nanoseconds since the start of the stream, and of the frame's duration, or DFGS_TIME_NONE. */
    uint64_t time, duration;
    /* How the decoded picture is to be turned for showing, 1 to 8 as in TIFF and Exif; 1 is upright. */
    uint32_t orientation;
    /* Quantiser steps of the base and of the scalable part in sixteenths, 1 to 32; 16 is the model's own. */
    uint32_t base_step, step;
} dfgs_frame_info;

/* Reads the header at the start of `bytes`. The rest of the frame need not be there. Costs a checksum of the header.
 * DFGS_ERROR_NOT_A_FRAME, _CUT, _DAMAGED, _UNSUPPORTED. */
dfgs_status dfgs_inspect(const uint8_t *bytes, size_t size, dfgs_frame_info *info, dfgs_error *error);

/* Says how many bytes of a frame to keep so that they are no more than `limit`: the frame is cut by passing on so many
 * of its bytes. Where the frame is shorter already it is all of it that is there. DFGS_ERROR_CUT where `limit`, or
 * `size`, is less than header and base; as dfgs_inspect otherwise. */
dfgs_status dfgs_truncate(const uint8_t *bytes, size_t size, size_t limit, size_t *keep, dfgs_error *error);

/* Where a frame lies in a file or stream: its first byte, and how many of its bytes are there. */
typedef struct {
    size_t offset, size;
} dfgs_span;

/* Finds the frames in a file that holds one after another, whole or cut; what lies between them is skipped. Writes the
 * first `capacity` of them to `spans`, which may be NULL where capacity is 0, and to `count` how many there are in
 * all. Costs O(size), and is made for whole files. */
dfgs_status dfgs_find_frames(const uint8_t *bytes, size_t size, dfgs_span *spans, size_t capacity, size_t *count,
                             dfgs_error *error);

/* ---- Models ---- */

/* The trained networks that frames are made and read with. */
typedef struct dfgs_model dfgs_model;

/* Reads a model: that of the file at `path_or_name` where that contains a slash or ends in .safetensors; of this name in the
 * search path; or the default model where it is NULL. Takes about 20 MB of memory.
 * DFGS_ERROR_NO_MODEL, DFGS_ERROR_BAD_MODEL.
 *
 * The search path: the directories of the environment variable DEEPFGS_MODEL_PATH, separated by colons; then where the
 * library is installed (PREFIX/share/deepfgs/models) or was built, and deepfgs/models where a user or the system keeps
 * data (XDG_DATA_HOME, XDG_DATA_DIRS, /usr/local/share, /usr/share). A model that is open already is shared. */
dfgs_status dfgs_model_open(const char *path_or_name, dfgs_model **model, dfgs_error *error);

/* Reads the model that made a frame, wherever it is in the search path. Only the frame's header need be there.
 * As dfgs_model_open and dfgs_inspect. */
dfgs_status dfgs_model_open_for(const uint8_t *bytes, size_t size, dfgs_model **model, dfgs_error *error);

/* What a model is. */
typedef struct {
    /* What frames carry to name it. */
    char identity[DFGS_IDENTITY_LENGTH];
    /* For people; ends in a zero, shortened to fit. */
    char name[64];
} dfgs_model_info;

/* DFGS_ERROR_ARGUMENT where a pointer is NULL. */
dfgs_status dfgs_model_describe(const dfgs_model *model, dfgs_model_info *info);

void dfgs_model_close(dfgs_model *model);

/* ---- Pictures: 8 bits for each of red, green and blue, sRGB unless the application knows better ---- */

/* Where the samples of a picture lie. Where a function takes NULL for it, they are packed: red, green, blue, red …
 * from the upper left corner, row by row without padding: 3 × width × height bytes. */
typedef struct {
    /* Pixels; those of the encoder, or of the frame that is decoded. */
    uint32_t width, height;
    /* Bytes from the start of one row to the start of the next: at least width × pixel_stride, at most 2^24. */
    uint32_t stride;
    /* Bytes from pixel to pixel, 3 or 4. A fourth byte is ignored by encoders and set to 255 by decoders. */
    uint32_t pixel_stride;
    /* Which byte of a pixel is red, green and blue. */
    uint32_t red, green, blue;
} dfgs_layout;

/* Arithmetic of the transforms. What is between bits and probabilities is exact integers in any case. */
typedef enum {
    /* bfloat16 where the processor gains by it, else float32. */
    DFGS_PRECISION_AUTO = 0,
    DFGS_PRECISION_FLOAT32 = 1,
    /* DFGS_ERROR_COMPUTE on a processor without AVX-512. */
    DFGS_PRECISION_BFLOAT16 = 2,
} dfgs_precision;

/* How an encoder or decoder computes; where a function takes NULL for it, all is 0. */
typedef struct {
    /* Threads for one picture, at most 1024; 0 means as many as the process may run on. */
    uint32_t threads;
    dfgs_precision precision;
} dfgs_compute;

/* ---- Encoding ---- */

/* Makes frames of pictures of one size. */
typedef struct dfgs_encoder dfgs_encoder;

/* Prepares for pictures of `width` × `height` pixels, each 1 to 65535 and at most 33 554 432 together. Takes up to 140
 * bytes of memory for each pixel. DFGS_ERROR_TOO_LARGE, DFGS_ERROR_COMPUTE. */
dfgs_status dfgs_encoder_open(const dfgs_model *model, uint32_t width, uint32_t height, const dfgs_compute *compute,
                              dfgs_encoder **encoder, dfgs_error *error);

/* How one picture is encoded; where a function takes NULL for it, quantiser steps of 16 and neither time nor duration. */
typedef struct {
    /* Quantiser steps of the base and of the scalable part in sixteenths, 1 to 32. 16 is the model's own; coarser
     * steps make frames smaller, finer ones make them larger and better. 0 means 16. */
    uint32_t base_step, step;
    /* Nanoseconds since the start of the stream, and how long the picture is shown (1 to 2^32 − 1), or DFGS_TIME_NONE. */
    uint64_t time, duration;
} dfgs_settings;

/* Encodes one picture. `pixels_size` is how many bytes there are at `pixels`. `frame` and `frame_size` receive the
 * whole frame, which lasts until the next call on the encoder. DFGS_ERROR_BUFFER, DFGS_ERROR_COMPUTE. */
dfgs_status dfgs_encoder_encode(dfgs_encoder *encoder, const uint8_t *pixels, size_t pixels_size,
                                const dfgs_layout *layout, const dfgs_settings *settings, const uint8_t **frame,
                                size_t *frame_size, dfgs_error *error);

void dfgs_encoder_close(dfgs_encoder *encoder);

/* ---- Decoding ---- */

/* Makes pictures of frames of any size. */
typedef struct dfgs_decoder dfgs_decoder;

/* Makes a decoder. `model` may be NULL: then the model of each frame is looked for in the search path, and kept while
 * frames name it. Pictures of more than `max_pixels` pixels are refused before memory is taken for them; 0 means
 * 33 554 432. Decoding takes about 110 bytes of memory for each pixel. */
dfgs_status dfgs_decoder_open(const dfgs_model *model, const dfgs_compute *compute, uint64_t max_pixels,
                              dfgs_decoder **decoder, dfgs_error *error);

/* How much of a frame was there. */
typedef struct {
    /* Bytes of the frame that were given, and of the whole frame. */
    size_t size, frame_size;
    /* 1 where the frame is whole, but damaged behind its base: the picture is good, less fine than it could be. */
    uint32_t tail_damaged;
} dfgs_decoded;

/* Decodes a frame, or any prefix of one that holds its base. The size of the picture is that of dfgs_inspect;
 * `pixels_size` is how many bytes there are at `pixels`. Bytes behind the frame are ignored. `decoded` may be NULL.
 * DFGS_ERROR_BUFFER, _NOT_A_FRAME, _CUT, _DAMAGED, _UNSUPPORTED, _OTHER_MODEL, _TOO_LARGE, _NO_MODEL, _BAD_MODEL,
 * _COMPUTE. */
dfgs_status dfgs_decoder_decode(dfgs_decoder *decoder, const uint8_t *bytes, size_t size, uint8_t *pixels,
                                size_t pixels_size, const dfgs_layout *layout, dfgs_decoded *decoded,
                                dfgs_error *error);

void dfgs_decoder_close(dfgs_decoder *decoder);

#ifdef __cplusplus
}
#endif

#endif
