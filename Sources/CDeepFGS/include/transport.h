/* Payloader and depayloader as the RTP elements call them. */
#ifndef CDEEPFGS_TRANSPORT_H
#define CDEEPFGS_TRANSPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "error.h"
#include "statistic.h"

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
    /* Width of a pixel over its height; 0:0 where the frame does not say. */
    uint16_t pixel_width, pixel_height;
    char model[17];
} DeepFGSReceivedFrame;

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
/* Fills in up to `capacity` fields, at most DEEPFGS_MOST_STATISTICS, and returns how many there are. */
size_t deepfgs_depacketiser_statistics(DeepFGSDepacketiser *depacketiser, DeepFGSStatistic *fields, size_t capacity);

#pragma clang assume_nonnull end

#endif
