// The part of the C library's header that the kernels use, for a target without a C library.
#ifndef DEEPFGS_FREESTANDING_STRING_H
#define DEEPFGS_FREESTANDING_STRING_H

#include <stddef.h>

void *memcpy(void *restrict to, const void *restrict from, size_t count);
void *memmove(void *to, const void *from, size_t count);
void *memset(void *to, int value, size_t count);
int memcmp(const void *first, const void *second, size_t count);

#endif
