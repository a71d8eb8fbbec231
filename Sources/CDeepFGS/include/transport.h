/* Payloader, depayloader and the adaptive sender as the RTP elements call them. */
#ifndef CDEEPFGS_TRANSPORT_H
#define CDEEPFGS_TRANSPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "error.h"

#pragma clang assume_nonnull begin

/* Bytes of the payload header, and of a payload with one byte of a frame: docs/30-rtp-payload.md. */
#define DEEPFGS_PAYLOAD_HEADER_LENGTH 12

/* Packets from frames. */
typedef struct DeepFGSPacketiser DeepFGSPacketiser;

/* One packet: what stands before the frame's bytes, and which bytes they are. Of a repair packet `length` bytes are given by
 * `deepfgs_packetiser_read_repair`. */
typedef struct {
    uint8_t header[DEEPFGS_PAYLOAD_HEADER_LENGTH];
    uint32_t offset, length;
    /* The chunk of the first byte; 0: header or base, which must be kept, or repair. */
    uint8_t priority;
    bool is_last, is_repair;
} DeepFGSPacket;

/* `frame_number` is the first frame's. */
DeepFGSPacketiser *deepfgs_packetiser_new(uint16_t frame_number);
void deepfgs_packetiser_free(DeepFGSPacketiser *packetiser);

/* Divides a frame into packets of at most `maximum_payload` bytes of RTP payload and counts them; `deepfgs_packetiser_packet`
 * then gives each. Behind the base come repair packets, `base_protection` percent of the base's packets. Fails with FORMAT or
 * DAMAGED for what is no decodable frame, SETTINGS where no byte fits. */
DeepFGSStatus deepfgs_packetiser_divide(DeepFGSPacketiser *packetiser, const uint8_t *frame, size_t size,
                                        size_t maximum_payload, uint32_t base_protection, size_t *count,
                                        DeepFGSError *error);
/* The packet of that index, below the last division's count. */
DeepFGSPacket deepfgs_packetiser_packet(DeepFGSPacketiser *packetiser, size_t index);
/* Copies what follows the payload header of the repair packet of that index; `bytes` has room for its `length`. */
void deepfgs_packetiser_read_repair(DeepFGSPacketiser *packetiser, size_t index, uint8_t *bytes, size_t size);

/* Frames from packets. */
typedef struct DeepFGSDepacketiser DeepFGSDepacketiser;

typedef enum {
    DEEPFGS_FRAME_COMPLETE = 0,
    /* All that was sent arrived, less than the frame: a cut on the way. */
    DEEPFGS_FRAME_CUT = 1,
    /* Packets were lost; the prefix before the first of them is left. */
    DEEPFGS_FRAME_TAIL_LOST = 2,
    /* Nothing to decode. */
    DEEPFGS_FRAME_BASE_LOST = 3,
} DeepFGSFrameEnd;

/* A frame that has ended. */
typedef struct {
    DeepFGSFrameEnd end;
    /* Bytes that arrived, 0 for BASE_LOST, and bytes before any cut. */
    size_t size, frame_length;
    uint32_t timestamp;
    uint16_t frame_number;
    /* Lost packets of its base that repair packets gave back. */
    uint32_t recovered_packets;
    /* Frames before it of which nothing came, because packets were lost. */
    uint32_t lost_before;
    /* The caller's mark of its first packet. */
    uint64_t mark;
    /* From its header; 0 and empty for BASE_LOST. */
    uint16_t width, height;
    char model[17];
} DeepFGSReceivedFrame;

/* Counts since the start. */
typedef struct {
    uint64_t frames, complete, cut, tail_lost, base_lost, lost, skipped;
    uint64_t packets, malformed, late, behind_gap;
    /* Frames whose base was lost in part and given back; repair packets that came, and that were needed. */
    uint64_t recovered, repair_packets, repair_packets_used;
    uint64_t bytes, bytes_before_cut;
} DeepFGSDepacketiserStatistics;

DeepFGSDepacketiser *deepfgs_depacketiser_new(void);
void deepfgs_depacketiser_free(DeepFGSDepacketiser *depacketiser);
/* Forgets everything but the counts. */
void deepfgs_depacketiser_reset(DeepFGSDepacketiser *depacketiser);
/* Takes one packet; frames that end with it are then given by `next`. */
void deepfgs_depacketiser_receive(DeepFGSDepacketiser *depacketiser, const uint8_t *payload, size_t size,
                                  uint16_t sequence_number, uint32_t timestamp, bool marker, uint64_t mark);
/* Packets are missing and will not come: ends the frame in progress where nothing can follow that is of use. */
void deepfgs_depacketiser_lost(DeepFGSDepacketiser *depacketiser);
/* Ends the frame in progress, as at the end of the stream. */
void deepfgs_depacketiser_finish(DeepFGSDepacketiser *depacketiser);
/* The next frame that has ended; false where there is none. */
bool deepfgs_depacketiser_next(DeepFGSDepacketiser *depacketiser, DeepFGSReceivedFrame *frame);
/* Copies the bytes of the frame that `next` gave last; `bytes` has room for its `size`. */
void deepfgs_depacketiser_read(DeepFGSDepacketiser *depacketiser, uint8_t *bytes, size_t size);
DeepFGSDepacketiserStatistics deepfgs_depacketiser_statistics(DeepFGSDepacketiser *depacketiser);

/* The sender that keeps a stream of packets to a bitrate by leaving out the tails of its frames. The caller holds the
 * packets and names them by tokens; each token taken comes back once, in a step that sends or drops it. Times are
 * nanoseconds of one steady clock. */
typedef struct DeepFGSCutter DeepFGSCutter;

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

/* Why something was not sent; `DEEPFGS_DROP_REASONS` counts them. */
typedef enum {
    DEEPFGS_DROP_NONE = -1,
    DEEPFGS_DROP_BUDGET = 0,
    DEEPFGS_DROP_DEADLINE = 1,
    DEEPFGS_DROP_QUEUE = 2,
    DEEPFGS_DROP_FIXED_CUT = 3,
    DEEPFGS_DROP_GAP = 4,
    DEEPFGS_DROP_PROTECTION = 5,
} DeepFGSDropReason;
#define DEEPFGS_DROP_REASONS 6

/* What became of a frame. */
typedef struct {
    uint16_t frame_number;
    uint32_t timestamp;
    /* Bytes of the frame as it came and as it was sent; packets sent and their bytes on the wire; repair packets among them. */
    uint64_t bytes, bytes_sent, packets_sent, wire_bytes, repair_packets_sent;
    /* The first reason for which something of it was left out. */
    DeepFGSDropReason reason;
} DeepFGSFrameReport;

/* Counts since the start; `bytes` and the like are on the wire. */
typedef struct {
    uint64_t frames, frames_whole, frames_cut, frames_skipped;
    uint64_t packets, packets_sent, packets_malformed, repair_packets, repair_packets_sent, bytes, bytes_sent, bytes_queued;
    uint64_t packets_dropped[DEEPFGS_DROP_REASONS], bytes_dropped[DEEPFGS_DROP_REASONS];
    /* Bit/s on the wire over the last two seconds, and the bitrate that is kept to. */
    double sent_bitrate, target_bitrate;
    int64_t interval;
} DeepFGSCutterStatistics;

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
} DeepFGSCutterSettings;

/* One packet of transport-wide feedback; times in nanoseconds, negative where not known. */
typedef struct {
    uint16_t sequence_number;
    bool is_lost;
    /* Bytes of RTP payload. */
    uint32_t size;
    /* On the sender's clock, that of `now`; on the receiver's. */
    int64_t sent, arrived;
} DeepFGSFeedback;

/* What is known of the path; strings are static. */
typedef struct {
    /* bit/s; 0 where not known */
    double estimated_bitrate, received_bitrate;
    /* 0 to 1 */
    double loss;
    /* nanoseconds; round_trip is negative where not known */
    int64_t queue_delay, round_trip;
    /* What the estimate follows: none, transport-wide, receiver-reports; what it did last, and why. */
    const char *feedback, *state, *reason;
} DeepFGSPath;

DeepFGSCutter *deepfgs_cutter_new(void);
void deepfgs_cutter_free(DeepFGSCutter *cutter);
/* Takes effect with the next packet. */
void deepfgs_cutter_set(DeepFGSCutter *cutter, const DeepFGSCutterSettings *settings);
/* The nominal time between frames in nanoseconds; where it is not told, timestamps tell. */
void deepfgs_cutter_set_interval(DeepFGSCutter *cutter, int64_t interval);
/* Takes a packet; false where it is not one of this format: then the token stays with the caller. */
bool deepfgs_cutter_take(DeepFGSCutter *cutter, const DeepFGSIncomingPacket *packet, int64_t now);
/* What to do now; ask again after SEND and DROP. */
DeepFGSStep deepfgs_cutter_next(DeepFGSCutter *cutter, int64_t now);
/* Closes the frame that is still coming. */
void deepfgs_cutter_finish(DeepFGSCutter *cutter, int64_t now);
/* Hands every token back in DROP steps. */
void deepfgs_cutter_flush(DeepFGSCutter *cutter);
/* The next frame that is done with; false where there is none. */
bool deepfgs_cutter_report(DeepFGSCutter *cutter, DeepFGSFrameReport *report);
DeepFGSCutterStatistics deepfgs_cutter_statistics(DeepFGSCutter *cutter, int64_t now);
/* Takes one report of transport-wide feedback. */
void deepfgs_cutter_feedback(DeepFGSCutter *cutter, const DeepFGSFeedback *packets, size_t count, int64_t now);
/* Takes a receiver report: share lost, 0 to 1; jitter and round trip in nanoseconds, negative where not known. */
void deepfgs_cutter_receiver_report(DeepFGSCutter *cutter, double lost, int64_t jitter, int64_t round_trip, int64_t now);
DeepFGSPath deepfgs_cutter_path(DeepFGSCutter *cutter);

#pragma clang assume_nonnull end

#endif
