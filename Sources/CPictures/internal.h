#ifndef CPICTURES_INTERNAL_H
#define CPICTURES_INTERNAL_H

#include <stddef.h>

/* Starts libvips where that has not been done, and keeps other threads out until `cpictures_end`; 0 where it fails. */
int cpictures_begin(void);

/* Copies the reason of a failure and lets other threads in. */
void cpictures_end(char *message, size_t size);

#endif
