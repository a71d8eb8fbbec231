#include "deepfgs.h"

/* What C must provide: a string that lasts as long as the program. */
const char *dfgs_version(void) { return DFGS_VERSION; }
