// What a WebAssembly module has instead of an operating system: memory, threads, a clock.
#ifndef CDEEPFGSWEB_H
#define CDEEPFGSWEB_H

#include <stddef.h>
#include <stdint.h>

// Most threads that work on a job, the caller included.
enum { DEEPFGS_WEB_WIDEST = 16 };

// Says how many threads there are besides the caller, before the first job: they have entered `deepfgs_web_work`, or will
// soon.
void deepfgs_web_set_threads(int32_t count);

// Threads that work on a job, the caller included: 1 where the module was built without them.
int32_t deepfgs_web_threads(void);

// Runs `body` for the tasks 0 to `tasks` - 1 on all threads, and returns when all have ended.
//
// `worker` is 0 for the caller and otherwise the number that the thread entered with. One job at a time.
void deepfgs_web_run(int32_t tasks, void *_Nonnull context,
                     void (*_Nonnull body)(void *_Nonnull context, int32_t task, int32_t worker));

#endif
