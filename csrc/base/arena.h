/* The workspace of one top-level call: a few zeroed, 64-byte aligned blocks that are freed
 * together.
 *
 * arena_take() never fails in the middle of a set-up. It records the failure, and the caller looks
 * at `failed` once, after all blocks were taken. */
#ifndef RSMI_ARENA_H
#define RSMI_ARENA_H

#include <stdlib.h>
#include <string.h>

enum { ARENA_BLOCKS = 48 };

typedef struct {
    void *block[ARENA_BLOCKS];
    int count, failed;
} arena;

static inline void *arena_take(arena *a, size_t bytes)
{
    const size_t size = (bytes + 127) / 64 * 64;
    void *block = a->count < ARENA_BLOCKS ? aligned_alloc(64, size) : NULL;
    if (!block) {
        a->failed = 1;
        return NULL;
    }
    a->block[a->count++] = block;
    return memset(block, 0, size);
}

static inline double *arena_doubles(arena *a, size_t n)
{
    return arena_take(a, n * sizeof(double));
}

static inline void arena_free(arena *a)
{
    while (a->count > 0)
        free(a->block[--a->count]);
}

#endif
