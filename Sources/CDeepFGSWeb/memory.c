// The allocator: blocks with their sizes at both ends, free ones in lists by size, neighbours joined when freed.
//
// Memory that cannot be had ends the instance with a trap, which its host catches: address 0 can be written to in
// WebAssembly, so that no null pointer may reach those who do not look.
#if defined(__wasm__)
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "string.h"

// Before each block's bytes. The bytes of a free block begin with its neighbours in its list.
typedef struct Block {
    // Bytes of the block before this one, its head included; 0 for the first of a run.
    uint32_t before;
    // Bytes of this block, its head included, a multiple of 16; the last bit says that it is in use.
    uint32_t size;
    uint32_t unused[2];
    struct Block *next, *previous;
} Block;

enum { Head = 16, Least = 32, Page = 65536, Lists = 112 };
static const uint32_t Used = 1;

static Block *lists[Lists];
// One bit for each list that is not empty.
static uint32_t filled[(Lists + 31) / 32];
// The end of the last block; what grows behind it joins it.
static Block *end;

#if defined(__wasm_atomics__)
static _Atomic uint32_t taken;
// Allocations are rare while several threads work: waiting awake costs nothing.
static void lock(void)
{
    while (__c11_atomic_exchange(&taken, 1, __ATOMIC_ACQUIRE))
        ;
}
static void unlock(void) { __c11_atomic_store(&taken, 0, __ATOMIC_RELEASE); }
#else
static void lock(void) {}
static void unlock(void) {}
#endif

static uint32_t size_of(const Block *block) { return block->size & ~Used; }
static Block *after(Block *block) { return (Block *)((char *)block + size_of(block)); }

// The list of blocks of a size: four to each power of two.
static int32_t list_of(uint32_t size)
{
    const int32_t power = 31 - __builtin_clz(size);
    return 4 * (power - 5) + (int32_t)(size >> (power - 2) & 3);
}

static void put(Block *block)
{
    const int32_t list = list_of(block->size);
    block->previous = NULL;
    block->next = lists[list];
    if (block->next)
        block->next->previous = block;
    lists[list] = block;
    filled[list / 32] |= 1u << list % 32;
}

static void take(Block *block)
{
    const int32_t list = list_of(block->size);
    if (block->previous)
        block->previous->next = block->next;
    else
        lists[list] = block->next;
    if (block->next)
        block->next->previous = block->previous;
    if (!lists[list])
        filled[list / 32] &= ~(1u << list % 32);
}

// Makes a block of these bytes, joined with free neighbours, and lists it.
static void release(Block *block)
{
    block->size &= ~Used;
    Block *behind = after(block);
    if (!(behind->size & Used)) {
        take(behind);
        block->size += behind->size;
    }
    if (block->before) {
        Block *front = (Block *)((char *)block - block->before);
        if (!(front->size & Used)) {
            take(front);
            front->size += block->size;
            block = front;
        }
    }
    after(block)->before = block->size;
    put(block);
}

// Cuts a block that is in no list after `size` bytes where the rest can be a block.
static void cut(Block *block, uint32_t size)
{
    const uint32_t rest = size_of(block) - size;
    if (rest < Least)
        return;
    block->size = size | (block->size & Used);
    Block *behind = after(block);
    behind->before = size;
    behind->size = rest;
    after(behind)->before = rest;
    release(behind);
}

// Memory behind the last block for at least `size` bytes.
static void grow(uint32_t size)
{
    // A block in use and without bytes ends each run, so that no block looks beyond it.
    const uint32_t pages = (size + 2 * Head + Page - 1) / Page;
    const size_t first = __builtin_wasm_memory_grow(0, pages);
    if (first == (size_t)-1)
        __builtin_trap();
    char *start = (char *)(first * Page);
    Block *block = (char *)end + Head == start ? end : (Block *)start;
    const uint32_t before = block == end ? end->before : 0;
    end = (Block *)(start + pages * Page - Head);
    block->before = before;
    block->size = (uint32_t)((char *)end - (char *)block);
    end->before = block->size;
    end->size = Used;
    release(block);
}

static Block *find(uint32_t size)
{
    const int32_t list = list_of(size);
    for (Block *block = lists[list]; block; block = block->next)
        if (block->size >= size)
            return block;
    for (int32_t word = (list + 1) / 32; word < (int32_t)(sizeof filled / 4); word++) {
        const uint32_t larger = word > (list + 1) / 32 ? ~0u : ~0u << (list + 1) % 32;
        const uint32_t found = filled[word] & larger;
        if (found)
            return lists[32 * word + __builtin_ctz(found)];
    }
    return NULL;
}

void *aligned_alloc(size_t alignment, size_t count)
{
    if (alignment < 16)
        alignment = 16;
    if (count > 0x7F000000 || alignment > 0x10000)
        __builtin_trap();
    uint32_t size = ((uint32_t)count + Head + 15) & ~15u;
    size = size < Least ? Least : size;
    // Room to move the block to where its bytes are aligned, behind a block that is free.
    const uint32_t room = alignment > 16 ? size + (uint32_t)alignment + Least : size;
    lock();
    Block *block = find(room);
    if (!block) {
        grow(room);
        block = find(room);
    }
    take(block);
    block->size |= Used;
    if (alignment > 16) {
        const uintptr_t bytes = (uintptr_t)block + Head, mask = alignment - 1;
        uintptr_t place = (bytes + mask) & ~mask;
        if (place != bytes && place - bytes < Least)
            place += alignment;
        if (place != bytes) {
            Block *moved = (Block *)(place - Head);
            moved->before = (uint32_t)((char *)moved - (char *)block);
            moved->size = (block->size & ~Used) - moved->before;
            moved->size |= Used;
            after(moved)->before = size_of(moved);
            block->size = moved->before | Used;
            release(block);
            block = moved;
        }
    }
    cut(block, size);
    unlock();
    return (char *)block + Head;
}

void *malloc(size_t count) { return aligned_alloc(16, count); }

int posix_memalign(void **result, size_t alignment, size_t count)
{
    *result = aligned_alloc(alignment, count);
    return 0;
}

void free(void *bytes)
{
    if (!bytes)
        return;
    lock();
    release((Block *)((char *)bytes - Head));
    unlock();
}
#endif
