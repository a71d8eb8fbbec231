/* Frames of a live source: which are worth coding, how long that takes, and whether it is kept up with. */
#ifndef CDEEPFGS_LIVE_H
#define CDEEPFGS_LIVE_H

#include <stdbool.h>
#include <stdint.h>

#include "error.h"

#pragma clang assume_nonnull begin

/* One element's, from its start to its stop. Times are nanoseconds of any one steady clock. */
typedef struct DeepFGSPace DeepFGSPace;

DeepFGSPace *deepfgs_pace_new(void);
void deepfgs_pace_free(DeepFGSPace *pace);

/* A frame comes in at `now`, `lateness` behind what the clock and the latency of the elements before allow for. False
 * where it should be dropped: it is later than `most`, and was not waited for but had to wait itself. `interval` is from
 * frame to frame, or DEEPFGS_TIME_NONE. */
bool deepfgs_pace_admit(DeepFGSPace *pace, uint64_t now, int64_t lateness, int64_t most, uint64_t interval);

/* Work on a frame ended at `now` after `took`. Returns the latency to announce; DEEPFGS_TIME_NONE where what was
 * announced before holds. */
uint64_t deepfgs_pace_done(DeepFGSPace *pace, uint64_t now, uint64_t took);

typedef struct {
    /* Frames coded a second, and dropped, since the last report. */
    double framerate;
    uint64_t dropped;
} DeepFGSOverload;

/* True once a second at most, where frames were dropped. */
bool deepfgs_pace_report(DeepFGSPace *pace, uint64_t now, DeepFGSOverload *overload);

#pragma clang assume_nonnull end

#endif
