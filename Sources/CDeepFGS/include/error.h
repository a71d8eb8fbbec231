/* What all headers need; above all how failure crosses the border: a code that the shim maps to a GStreamer error,
 * and words for the user. */
#ifndef CDEEPFGS_ERROR_H
#define CDEEPFGS_ERROR_H

#include <stdint.h>

/* No time: what GST_CLOCK_TIME_NONE is. */
#define DEEPFGS_TIME_NONE UINT64_MAX

/* A model's identity as text: 16 hexadecimal digits and the final zero. */
#define DEEPFGS_IDENTITY_LENGTH 17

/* What kind of failure; the shims map each to one GStreamer error domain and code. */
typedef enum {
    DEEPFGS_OK = 0,
    /* A file that was asked for, or a model, is missing or unreadable. */
    DEEPFGS_ERROR_NOT_FOUND = 1,
    /* A property or caps field has a value that cannot be used. */
    DEEPFGS_ERROR_SETTINGS = 2,
    /* The stream is of a kind that this version cannot handle: every frame would fail alike. */
    DEEPFGS_ERROR_FORMAT = 3,
    /* This one frame or packet is damaged; the next may be good. */
    DEEPFGS_ERROR_DAMAGED = 4,
    /* The machine failed: the compute library refused, or memory is short. */
    DEEPFGS_ERROR_FAILED = 5,
} DeepFGSStatus;

/* Bytes of DeepFGSError.message, its final zero included. */
#define DEEPFGS_MESSAGE_LENGTH 1024

/* Filled on failure and left alone on success; `message` is UTF-8, always zero-terminated, shortened to fit. */
typedef struct {
    DeepFGSStatus status;
    char message[DEEPFGS_MESSAGE_LENGTH];
} DeepFGSError;

#endif
