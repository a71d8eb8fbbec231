/* The adaptive sender as deepfgsadapt calls it. */
#ifndef CDEEPFGS_ADAPTIVE_SENDER_H
#define CDEEPFGS_ADAPTIVE_SENDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bases.h"
#include "statistic.h"

#pragma clang assume_nonnull begin

/* The sender that keeps a stream of packets to a bitrate by leaving out the tails of its frames. The caller holds the
 * packets and names them by tokens; each token taken comes back once, in a step that sends or drops it. Times are
 * nanoseconds of one steady clock. */
typedef struct DeepFGSAdaptiveSender DeepFGSAdaptiveSender;

typedef struct {
    /* Not 0. */
    uint64_t token;
    const uint8_t *payload;
    size_t payload_size;
    /* Bytes of RTP header and header extensions. */
    uint32_t rtp_header_size;
    uint32_t timestamp;
    uint16_t sequence_number;
    bool marker;
} DeepFGSIncomingPacket;

typedef enum {
    /* Nothing waits. */
    DEEPFGS_STEP_IDLE = 0,
    /* Nothing is due before `until`. */
    DEEPFGS_STEP_WAIT = 1,
    /* Send `token` with `payload_size` bytes of its payload, this marker and this sequence number. */
    DEEPFGS_STEP_SEND = 2,
    /* Free `token`. */
    DEEPFGS_STEP_DROP = 3,
} DeepFGSStepKind;

typedef struct {
    DeepFGSStepKind kind;
    int64_t until;
    uint64_t token;
    size_t payload_size;
    uint16_t sequence_number;
    bool marker;
    /* Nothing else waits to be sent or dropped; a frame that is still coming does not count. */
    bool is_empty;
} DeepFGSStep;

/* Why something was not sent. */
typedef enum {
    DEEPFGS_DROP_NONE = -1,
    DEEPFGS_DROP_BUDGET = 0,
    DEEPFGS_DROP_DEADLINE = 1,
    DEEPFGS_DROP_QUEUE = 2,
    DEEPFGS_DROP_FIXED_CUT = 3,
    DEEPFGS_DROP_GAP = 4,
    DEEPFGS_DROP_PROTECTION = 5,
    DEEPFGS_DROP_BLOCKED = 6,
} DeepFGSDropReason;

/* As messages say it; static, "none" for DEEPFGS_DROP_NONE. */
const char *deepfgs_drop_reason_name(DeepFGSDropReason reason);

/* What became of a frame. */
typedef struct {
    uint16_t frame_number;
    uint32_t timestamp;
    /* Bytes of the frame as it came and as it was sent; packets sent and their bytes on the wire; repair packets among them. */
    uint64_t bytes, bytes_sent, packets_sent, wire_bytes, repair_packets_sent;
    /* The first reason for which something of it was left out. */
    DeepFGSDropReason reason;
} DeepFGSFrameReport;

/* Which repair packets are passed on. */
typedef enum {
    DEEPFGS_PROTECTION_ALL = 0,
    /* As many as the loss calls for that feedback tells of, all where there is no feedback; but no more than the frame's share
     * of the bitrate has room for. */
    DEEPFGS_PROTECTION_AUTO = 1,
    DEEPFGS_PROTECTION_NONE = 2,
} DeepFGSProtection;

/* What the user sets; bitrates in bit/s on the wire. */
typedef struct {
    /* Follow the estimate, which begins with `start_bitrate` and keeps between the bounds; else the target. */
    bool is_automatic;
    double target_bitrate, min_bitrate, max_bitrate, start_bitrate;
    /* Bytes that the network adds to each RTP packet. */
    uint32_t network_overhead;
    /* Cut of every frame in bytes, never into its base; 0: none. */
    uint32_t max_frame_bytes;
    bool pacing;
    DeepFGSProtection base_protection;
} DeepFGSAdaptiveSenderSettings;

/* One packet of transport-wide feedback; times in nanoseconds, negative where not known. */
typedef struct {
    uint16_t sequence_number;
    bool is_lost;
    /* Bytes of RTP payload. */
    uint32_t size;
    /* On the sender's clock, that of `now`; on the receiver's. */
    int64_t sent, arrived;
} DeepFGSFeedback;

/* What the bitrate follows in automatic mode. */
typedef enum {
    /* Not known yet: the first feedback is still waited for. */
    DEEPFGS_FEEDBACK_AWAITED = -1,
    /* None has come: the target counts. */
    DEEPFGS_FEEDBACK_NONE = 0,
    DEEPFGS_FEEDBACK_TRANSPORT_WIDE = 1,
    DEEPFGS_FEEDBACK_RECEIVER_REPORTS = 2,
    /* Some came and has stopped: the estimate falls to its minimum. */
    DEEPFGS_FEEDBACK_STOPPED = 3,
} DeepFGSFeedbackState;

/* As messages and statistics say it; static. */
const char *deepfgs_feedback_state_name(DeepFGSFeedbackState state);

DeepFGSAdaptiveSender *deepfgs_adaptive_sender_new(void);
void deepfgs_adaptive_sender_free(DeepFGSAdaptiveSender *sender);
/* Takes effect with the next packet. */
void deepfgs_adaptive_sender_set(DeepFGSAdaptiveSender *sender, const DeepFGSAdaptiveSenderSettings *settings);
/* The nominal time between frames in nanoseconds; where it is not told, timestamps tell. */
void deepfgs_adaptive_sender_set_interval(DeepFGSAdaptiveSender *sender, int64_t interval);
/* Takes a packet; false where it is not one of this format: then the token stays with the caller. */
bool deepfgs_adaptive_sender_take(DeepFGSAdaptiveSender *sender, const DeepFGSIncomingPacket *packet, int64_t now);
/* What to do now; ask again after SEND and DROP. */
DeepFGSStep deepfgs_adaptive_sender_next(DeepFGSAdaptiveSender *sender, int64_t now);
/* Closes the frame that is still coming. */
void deepfgs_adaptive_sender_finish(DeepFGSAdaptiveSender *sender, int64_t now);
/* Hands every token back in DROP steps. */
void deepfgs_adaptive_sender_flush(DeepFGSAdaptiveSender *sender);
/* The next frame that is done with; false where there is none. */
bool deepfgs_adaptive_sender_report(DeepFGSAdaptiveSender *sender, DeepFGSFrameReport *report);
/* The bitrate that is kept to, and what the path is believed to carry, in bit/s. */
double deepfgs_adaptive_sender_target_bitrate(DeepFGSAdaptiveSender *sender, int64_t now);
double deepfgs_adaptive_sender_estimated_bitrate(DeepFGSAdaptiveSender *sender);
DeepFGSFeedbackState deepfgs_adaptive_sender_feedback_state(DeepFGSAdaptiveSender *sender, int64_t now);
/* What is to be asked of the encoder; false where what was asked last still holds. */
bool deepfgs_adaptive_sender_base_request(DeepFGSAdaptiveSender *sender, int64_t now, DeepFGSBaseRequest *request);
/* What to announce as latency, in nanoseconds: what frames are held here, measured, and until then the time between frames as
 * far as it is known. */
int64_t deepfgs_adaptive_sender_latency(DeepFGSAdaptiveSender *sender);
/* Fills in up to `capacity` fields, at most DEEPFGS_MOST_STATISTICS, and returns how many there are. */
size_t deepfgs_adaptive_sender_statistics(DeepFGSAdaptiveSender *sender, int64_t now, DeepFGSStatistic *fields,
                                          size_t capacity);
/* Takes one report of transport-wide feedback. */
void deepfgs_adaptive_sender_feedback(DeepFGSAdaptiveSender *sender, const DeepFGSFeedback *packets, size_t count,
                                      int64_t now);
/* Takes a receiver report: share lost, 0 to 1; jitter and round trip in nanoseconds, negative where not known. */
void deepfgs_adaptive_sender_receiver_report(DeepFGSAdaptiveSender *sender, double lost, int64_t jitter,
                                             int64_t round_trip, int64_t now);

#pragma clang assume_nonnull end

#endif
