// What compilers expect of a C library.
#if defined(__wasm__)
#include <stddef.h>
#include <stdint.h>

#include "string.h"

// One instruction each, with bulk memory.
void *memcpy(void *restrict to, const void *restrict from, size_t count) { return __builtin_memcpy(to, from, count); }
void *memmove(void *to, const void *from, size_t count) { return __builtin_memmove(to, from, count); }
void *memset(void *to, int value, size_t count) { return __builtin_memset(to, value, count); }

int memcmp(const void *first, const void *second, size_t count)
{
    const uint8_t *a = first, *b = second;
    for (size_t i = 0; i < count; i++)
        if (a[i] != b[i])
            return a[i] < b[i] ? -1 : 1;
    return 0;
}

// Swift's functions look after the end of their arrays on the stack.
uintptr_t __stack_chk_guard = 0x5A17E0F3;
void __stack_chk_fail(void) { __builtin_trap(); }

#define HOST(name) __attribute__((import_module("host"), import_name(name)))
HOST("seconds") double deepfgs_host_seconds(void);
HOST("random") int32_t deepfgs_host_random(void);

// Swift's dictionaries are seeded with it.
void arc4random_buf(void *to, size_t count)
{
    uint8_t *bytes = to;
    for (size_t i = 0; i < count; i++)
        bytes[i] = (uint8_t)deepfgs_host_random();
}

// The clock of CKernels.h.
double deepfgs_seconds(void) { return deepfgs_host_seconds(); }
#endif
