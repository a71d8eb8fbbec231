/* Bases that fit: what deepfgsadapt asks of the encoder before it, and how deepfgsenc does so. */
#ifndef CDEEPFGS_BASES_H
#define CDEEPFGS_BASES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#pragma clang assume_nonnull begin

/* How much of a sender's bitrate headers and bases may take. */
typedef struct {
    /* Bit/s on the wire. */
    double bitrate;
    /* Bytes on the wire that each packet has beside bytes of the frame, and most bytes of a frame in one packet. */
    uint32_t packet_overhead, packet_bytes;
} DeepFGSBaseRequest;

/* An encoder's, from its start to its stop; times are nanoseconds. `now` is of a steady clock. */
typedef struct DeepFGSBaseControl DeepFGSBaseControl;

DeepFGSBaseControl *deepfgs_base_control_new(void);
void deepfgs_base_control_free(DeepFGSBaseControl *control);

/* Takes the request of a sender, which any number of its own names, in place of the one before; NULL: it asks for nothing any
 * more. A request holds for three seconds. */
void deepfgs_base_control_take(DeepFGSBaseControl *control, uint64_t sender,
                               const DeepFGSBaseRequest *_Nullable request, int64_t now);

/* What the user allows: the base step that counts unless it is asked for a coarser one, the coarsest, in sixteenths; and the
 * longest time that frames left out may leave between two. */
typedef struct {
    uint32_t step, coarsest;
    int64_t longest_gap;
} DeepFGSBaseLimits;

/* The base step of a frame of this time, `interval` after the one before; 0: the frame is to be left out. */
uint32_t deepfgs_base_control_admit(DeepFGSBaseControl *control, int64_t time, int64_t interval,
                                    DeepFGSBaseLimits limits, int64_t now);

/* Notes the size of the header and base of the frame that was encoded last. */
void deepfgs_base_control_note(DeepFGSBaseControl *control, size_t base, int64_t now);

#pragma clang assume_nonnull end

#endif
