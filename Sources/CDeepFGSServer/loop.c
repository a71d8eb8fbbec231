#include "dgs_loop.h"

#include <glib-unix.h>
#include <malloc.h>

typedef struct {
    DGSCall call;
    void *user;
} Task;

static Task *task(DGSCall call, void *user)
{
    Task *made = g_new(Task, 1);
    *made = (Task){call, user};
    return made;
}

static gboolean once(gpointer data)
{
    Task *made = data;
    made->call(made->user);
    return G_SOURCE_REMOVE;
}

static gboolean again(gpointer data)
{
    Task *made = data;
    made->call(made->user);
    return G_SOURCE_CONTINUE;
}

void dgs_main_call(DGSCall call, void *user) { g_idle_add_full(G_PRIORITY_DEFAULT, once, task(call, user), g_free); }

void dgs_main_after(guint milliseconds, DGSCall call, void *user)
{
    g_timeout_add_full(G_PRIORITY_DEFAULT, milliseconds, once, task(call, user), g_free);
}

void dgs_main_every(guint milliseconds, DGSCall call, void *user)
{
    g_timeout_add_full(G_PRIORITY_DEFAULT, milliseconds, again, task(call, user), g_free);
}

void dgs_on_signal(int number, DGSCall call, void *user)
{
    g_unix_signal_add_full(G_PRIORITY_HIGH, number, again, task(call, user), g_free);
}

void dgs_keep_memory_small(void) { mallopt(M_ARENA_MAX, (int)MAX(2, g_get_num_processors())); }

void dgs_return_memory(void) { malloc_trim(0); }
