// Threads that share the numbered tasks of a job. Who submits the job works on it too.
//
// The host makes the threads: workers of the page, each with an instance of the module on the same memory.
#if defined(__wasm__)
#include "CDeepFGSWeb.h"

#if defined(__wasm_atomics__)
#include <stdatomic.h>

static int32_t threads;

static struct {
    // Which job it is, and how many of its tasks nobody has taken, in one number: a thread that comes late takes none
    // of the next job's.
    _Atomic uint64_t ticket;
    // Tasks that have not ended.
    _Atomic int32_t open;
    // The number of the job, which threads sleep on.
    _Atomic int32_t number;
    // Valid while a task is open.
    int32_t tasks;
    void *context;
    void (*body)(void *, int32_t, int32_t);
} job;

// Looks at a number this often before sleeping on it: some 20 µs, about what a wake-up takes.
enum { Patience = 4000 };

void deepfgs_web_set_threads(int32_t count)
{
    threads = count < 0 ? 0 : count > DEEPFGS_WEB_WIDEST - 1 ? DEEPFGS_WEB_WIDEST - 1 : count;
}

int32_t deepfgs_web_threads(void) { return threads + 1; }

static void sleep_while(_Atomic int32_t *number, int32_t value)
{
    for (int32_t patience = Patience; patience > 0; patience--)
        if (atomic_load_explicit(number, memory_order_acquire) != value)
            return;
    __builtin_wasm_memory_atomic_wait32((int32_t *)number, value, -1);
}

static void wake(_Atomic int32_t *number) { __builtin_wasm_memory_atomic_notify((int32_t *)number, 0xFFFFFFFF); }

// Takes tasks of a job until none is left.
static void work_on(uint32_t number, int32_t worker)
{
    uint64_t ticket = atomic_load(&job.ticket);
    while ((uint32_t)(ticket >> 32) == number && (uint32_t)ticket > 0) {
        if (!atomic_compare_exchange_weak(&job.ticket, &ticket, ticket - 1))
            continue;
        // The job cannot become another one before this task has ended.
        job.body(job.context, job.tasks - (int32_t)(uint32_t)ticket, worker);
        if (atomic_fetch_sub(&job.open, 1) == 1)
            wake(&job.open);
        ticket = atomic_load(&job.ticket);
    }
}

void deepfgs_web_run(int32_t tasks, void *context, void (*body)(void *, int32_t, int32_t))
{
    if (tasks < 2 || threads == 0) {
        for (int32_t task = 0; task < tasks; task++)
            body(context, task, 0);
        return;
    }
    job.tasks = tasks;
    job.context = context;
    job.body = body;
    atomic_store(&job.open, tasks);
    const uint32_t number = (uint32_t)atomic_load(&job.number) + 1;
    atomic_store(&job.ticket, (uint64_t)number << 32 | (uint32_t)tasks);
    atomic_store(&job.number, (int32_t)number);
    wake(&job.number);
    work_on(number, 0);
    for (int32_t open; (open = atomic_load(&job.open)) > 0;)
        sleep_while(&job.open, open);
}

// A thread's life; the host calls it with 1, 2, … and never returns from it.
void deepfgs_web_work(int32_t worker)
{
    for (int32_t seen = 0;;) {
        sleep_while(&job.number, seen);
        seen = atomic_load(&job.number);
        work_on((uint32_t)seen, worker);
    }
}
#else
void deepfgs_web_set_threads(int32_t count) { (void)count; }

int32_t deepfgs_web_threads(void) { return 1; }

void deepfgs_web_run(int32_t tasks, void *context, void (*body)(void *, int32_t, int32_t))
{
    for (int32_t task = 0; task < tasks; task++)
        body(context, task, 0);
}
#endif
#endif
