/* The main thread's loop. */
#ifndef DGS_LOOP_H
#define DGS_LOOP_H

#include <glib.h>

typedef void (*DGSCall)(void *user);

/* Runs `call` once on the main thread, soon; from any thread. */
void dgs_main_call(DGSCall call, void *user);
/* Runs `call` once on the main thread, so many milliseconds from now; from any thread. */
void dgs_main_after(guint milliseconds, DGSCall call, void *user);
/* Runs `call` on the main thread every so many milliseconds, as long as the process lives. */
void dgs_main_every(guint milliseconds, DGSCall call, void *user);
/* Runs `call` on the main thread whenever the signal comes. */
void dgs_on_signal(int number, DGSCall call, void *user);
/* Lets threads share pools of memory, as many as there are processors, where eight times as many would each keep what was
 * the most they ever had. Before the first thread. */
void dgs_keep_memory_small(void);
/* Gives memory that is free back to the system; takes milliseconds, in which other threads may wait for memory. */
void dgs_return_memory(void);

#endif
