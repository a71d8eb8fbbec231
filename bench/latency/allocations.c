/* Counts allocations that one shared object makes; loaded before all others by `allocations`. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <link.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);
extern void *__libc_memalign(size_t, size_t);

static uintptr_t first, last;
static atomic_long count;

static int find(struct dl_phdr_info *info, size_t size, void *name)
{
    (void)size;
    if (!strstr(info->dlpi_name, name))
        return 0;
    first = info->dlpi_addr;
    for (int i = 0; i < info->dlpi_phnum; i++)
        if (info->dlpi_phdr[i].p_type == PT_LOAD) {
            uintptr_t end = first + info->dlpi_phdr[i].p_vaddr + info->dlpi_phdr[i].p_memsz;
            last = end > last ? end : last;
        }
    return 1;
}

/* Counts from now on those of the object whose path contains `name`; 0 where there is none. */
int allocations_of(const char *name) { return dl_iterate_phdr(find, (void *)name); }

long allocations(void) { return count; }

static void seen(void *caller)
{
    if ((uintptr_t)caller >= first && (uintptr_t)caller < last)
        count++;
}

#define CALLER __builtin_return_address(0)

void *malloc(size_t size)
{
    seen(CALLER);
    return __libc_malloc(size);
}

void *calloc(size_t number, size_t size)
{
    seen(CALLER);
    return __libc_calloc(number, size);
}

void *realloc(void *memory, size_t size)
{
    seen(CALLER);
    return __libc_realloc(memory, size);
}

void *aligned_alloc(size_t alignment, size_t size)
{
    seen(CALLER);
    return __libc_memalign(alignment, size);
}

int posix_memalign(void **memory, size_t alignment, size_t size)
{
    seen(CALLER);
    *memory = __libc_memalign(alignment, size);
    return *memory ? 0 : 12;
}
