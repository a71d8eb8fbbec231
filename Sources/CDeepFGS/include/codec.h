/* Encoder and decoder as the codec elements call them. */
#ifndef CDEEPFGS_CODEC_H
#define CDEEPFGS_CODEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "error.h"
#include "statistic.h"

/* Every pointer is non-null unless it says _Nullable. */
#pragma clang assume_nonnull begin

/* One component of a picture in memory. */
typedef struct {
    /* The first row of its plane, and the bytes from there to the end of the memory. */
    uint8_t *samples;
    size_t size;
    /* Bytes from row to row, from sample to sample, and from a row's start to its first sample. */
    uint32_t stride, step, offset;
} DeepFGSComponent;

/* An 8-bit picture in memory. */
typedef struct {
    /* Pixels. */
    uint32_t width, height;
    /* R', G' and B' of pixels of 3 or 4 bytes, or Y', Cb and Cr. */
    DeepFGSComponent components[3];
    /* Y'CbCr; the rest is about that. Chroma has half the columns. */
    bool is_yuv;
    /* Chroma has half the rows too. Its samples stand where the even columns do, otherwise between two. */
    bool halves_rows, is_cosited;
    /* Samples go from 0 to 255, otherwise from 16 to 235 and 240. The matrix is a code point of ITU-T H.273; 709 in
     * place of one that is none. */
    bool full_range;
    uint8_t matrix;
    /* R', G' and B' have a fourth component, how opaque they are: an encoder lays them over white. */
    bool has_alpha;
    DeepFGSComponent alpha;
} DeepFGSRawPicture;

/* What the samples' numbers mean, as code points of ITU-T H.273. */
typedef struct {
    /* Otherwise the rest says nothing, and the picture is sRGB. */
    bool known;
    bool full_range;
    uint8_t primaries, transfer, matrix;
} DeepFGSColour;

/* Width of a pixel over its height; 0:0 where nobody has said it, which is 1:1. */
typedef struct {
    uint32_t width, height;
} DeepFGSPixelAspect;

/* The arithmetic of the networks that make and read latents; those of the entropy coder are exact in any case. */
typedef enum {
    /* bfloat16 where the processor has instructions for it, else float32. */
    DEEPFGS_PRECISION_AUTO = 0,
    DEEPFGS_PRECISION_FLOAT32 = 1,
    DEEPFGS_PRECISION_BFLOAT16 = 2,
} DeepFGSPrecision;

typedef struct {
    /* Threads for one picture; 0 means as many as the process may run on. */
    uint32_t threads;
    DeepFGSPrecision precision;
} DeepFGSCompute;

/* Makes frames of pictures. */
typedef struct DeepFGSEncoder DeepFGSEncoder;

/* Loads the model, or shares it with an element that has it already: a path where `model` contains a slash or ends in
 * .safetensors, else a name in the search path. NULL on failure. */
DeepFGSEncoder *_Nullable deepfgs_encoder_new(const char *model, DeepFGSCompute compute, DeepFGSError *error);
void deepfgs_encoder_free(DeepFGSEncoder *encoder);

/* The name of the model that encodes where none is named, shortened to `length` bytes. */
void deepfgs_default_model(char *name, size_t length);

/* The model's identity, and its name shortened to `length` bytes. */
void deepfgs_encoder_get_model(DeepFGSEncoder *encoder, char identity[_Nonnull DEEPFGS_IDENTITY_LENGTH], char *name,
                               size_t length);

/* Prepares for pictures of another size or colour; the first frame needs it too. */
DeepFGSStatus deepfgs_encoder_set_format(DeepFGSEncoder *encoder, uint32_t width, uint32_t height, DeepFGSColour colour,
                                         DeepFGSPixelAspect pixel, DeepFGSError *error);

typedef struct {
    /* Bytes of the frame, after the cut that was asked for; of its header and base; and before the cut. */
    size_t size, base, whole;
} DeepFGSEncoded;

/* How one picture is encoded. */
typedef struct {
    /* Nanoseconds or DEEPFGS_TIME_NONE; the frame carries the time since the first frame. */
    uint64_t time, duration;
    /* Over 0 cuts the frame to so many bits for each pixel, but never into its base. */
    double bits_per_pixel;
    /* Over 0 cuts it to so many bytes, likewise. */
    uint64_t most_bytes;
    /* Quantiser steps of the base and of the scalable part in sixteenths, 1 to 32. */
    uint32_t base_step, step;
} DeepFGSFrameSettings;

/* Encodes one picture of the size that was set. The frame is read with deepfgs_encoder_read. */
DeepFGSStatus deepfgs_encoder_encode(DeepFGSEncoder *encoder, const DeepFGSRawPicture *picture,
                                     const DeepFGSFrameSettings *settings, DeepFGSEncoded *encoded,
                                     DeepFGSError *error);

/* Copies the last frame to `bytes`, at most `size` of it. */
void deepfgs_encoder_read(DeepFGSEncoder *encoder, uint8_t *bytes, size_t size);

/* What deepfgsenc counts from its start on; `base_step` is the last base's, in sixteenths, `latency` what it announces, in
 * nanoseconds. */
typedef struct {
    uint64_t encoded, late, skipped, bytes, base_step, latency;
} DeepFGSEncoderCounts;

/* Fills in up to `capacity` fields, at most DEEPFGS_MOST_STATISTICS, and returns how many there are. */
size_t deepfgs_encoder_statistics(const DeepFGSEncoderCounts *counts, DeepFGSStatistic *fields, size_t capacity);

/* Makes pictures of frames. */
typedef struct DeepFGSDecoder DeepFGSDecoder;

/* `model_path`: directories, or model files, to search before the standard ones, separated by colons; may be empty.
 * Pictures of more than `max_pixels` pixels are refused. */
DeepFGSDecoder *deepfgs_decoder_new(const char *model_path, DeepFGSCompute compute, uint64_t max_pixels);
void deepfgs_decoder_free(DeepFGSDecoder *decoder);

/* Loads a model before the first frame asks for it; `identity` is what caps say. */
DeepFGSStatus deepfgs_decoder_load_model(DeepFGSDecoder *decoder, const char *identity, DeepFGSError *error);

typedef struct {
    uint32_t width, height;
    DeepFGSColour colour;
    DeepFGSPixelAspect pixel;
} DeepFGSPicture;

/* Reads a frame's header, checks the limits, and loads the model where the last frame had another. */
DeepFGSStatus deepfgs_decoder_begin(DeepFGSDecoder *decoder, const uint8_t *bytes, size_t size, DeepFGSPicture *picture,
                                    DeepFGSError *error);

typedef struct {
    /* Bytes of the frame that were there, and when it was whole. */
    size_t size, whole;
    /* The frame is whole but its scalable part is damaged: the picture is good, less fine than it could be. */
    bool tail_damaged;
} DeepFGSDecoded;

/* Decodes a frame that `begin` accepted into a picture of the size that it said. On failure the picture is as it was. */
DeepFGSStatus deepfgs_decoder_decode(DeepFGSDecoder *decoder, const uint8_t *bytes, size_t size,
                                     const DeepFGSRawPicture *picture, DeepFGSDecoded *decoded, DeepFGSError *error);

/* What deepfgsdec counts from its start on; `latency` is what it announces, in nanoseconds. */
typedef struct {
    uint64_t decoded, cut, damaged, repeated, late, bytes, latency;
} DeepFGSDecoderCounts;

/* As deepfgs_encoder_statistics. */
size_t deepfgs_decoder_statistics(const DeepFGSDecoderCounts *counts, DeepFGSStatistic *fields, size_t capacity);

#pragma clang assume_nonnull end

#endif
