// Element-wise passes are compiled for several instruction sets, and the fastest is taken when the program is loaded.
#ifndef DEEPFGS_CLONES_H
#define DEEPFGS_CLONES_H

#ifndef __has_feature
#define __has_feature(name) 0
#endif

// Under ThreadSanitizer there is one: what chooses among them runs before the sanitizer is ready, and crashes in it.
#if defined(__x86_64__) && !__has_feature(thread_sanitizer)
#define CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define CLONES
#endif

#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define MAX(a, b) ((a) > (b) ? (a) : (b))
#define CLAMP(a, low, high) MIN(MAX(a, low), high)

#endif
