/* Chains that advance in turn, one step each.
 *
 * A step of a worm or of a loop is a sequence of loads that wait for each other, so IN_TURN chains
 * advance in turn, and the processor works on all of them at once. Their draws are made by vector
 * instructions: every chain has the words that xoshiro_next() gives from its own state. When a
 * chain has made its rows, the next one takes its place, or else the last of those that run, so
 * that the chains that run have the first places. */
#ifndef RSMI_TURNS_H
#define RSMI_TURNS_H

#include <string.h>

#include "base/compiler.h"
#include "base/random.h"

enum { IN_TURN = 8 };

typedef uint64_t words_in_turn __attribute__((vector_size(8 * IN_TURN)));

typedef union {
    words_in_turn vector;
    uint64_t of[IN_TURN];
} turn_words;

/* What a call asks for: `count` rows of `chains` chains, of which row j belongs to chain (first +
 * j) mod chains, with `moves` worms or loops before each row. A chain is uint8_t[sites] and the
 * uint64_t[4] state of xoshiro256++; steps[j] is the number of steps before row j. */
typedef struct {
    int64_t chains, moves, first, count, sites;
    uint8_t *states;
    uint64_t *rng;
    int64_t *steps;
} turn_request;

/* The chains that run, field by field. */
typedef struct {
    turn_words rng[4], draw;
    uint8_t *state[IN_TURN];
    uint64_t steps[IN_TURN]; /* since the last row */
    /* the moves to the end of this row, the row that is being made, the number of the chain */
    int64_t moves_left[IN_TURN], row[IN_TURN], chain[IN_TURN];
} turns;

RSMI_INLINE words_in_turn rotate_all_left(words_in_turn x, int k)
{
    return (x << k) | (x >> (64 - k));
}

/* Draws the next word of every chain. Those without a chain do not matter. */
RSMI_INLINE void turns_draw(turns *t)
{
    words_in_turn a = t->rng[0].vector, b = t->rng[1].vector, c = t->rng[2].vector,
                  d = t->rng[3].vector;
    t->draw.vector = rotate_all_left(a + d, 23) + a;
    const words_in_turn shifted = b << 17;
    c ^= a;
    d ^= b;
    t->rng[1].vector = b ^ c;
    t->rng[0].vector = a ^ d;
    t->rng[2].vector = c ^ shifted;
    t->rng[3].vector = rotate_all_left(d, 45);
}

/* The next word of the chain in place k alone. */
static inline uint64_t turns_draw_one(turns *t, int k)
{
    uint64_t rng[4];
    for (int i = 0; i < 4; i++)
        rng[i] = t->rng[i].of[k];
    const uint64_t word = xoshiro_next(rng);
    for (int i = 0; i < 4; i++)
        t->rng[i].of[k] = rng[i];
    return word;
}

/* Puts a chain into place k. Returns 0 if it has no rows to make. */
static inline int turns_begin(const turn_request *request, turns *t, int k, int64_t chain)
{
    const int64_t chains = request->chains;
    t->row[k] = ((chain - request->first) % chains + chains) % chains;
    if (t->row[k] >= request->count)
        return 0;
    t->chain[k] = chain;
    t->state[k] = request->states + chain * request->sites;
    t->moves_left[k] = request->moves;
    t->steps[k] = 0;
    for (int i = 0; i < 4; i++)
        t->rng[i].of[k] = request->rng[4 * chain + i];
    return 1;
}

/* Ends a row, after the caller has stored it. Returns 0 if it was the last one of the chain. */
static inline int turns_next_row(const turn_request *request, turns *t, int k)
{
    request->steps[t->row[k]] = (int64_t)t->steps[k];
    for (int i = 0; i < 4; i++)
        request->rng[4 * t->chain[k] + i] = t->rng[i].of[k];
    t->row[k] += request->chains;
    t->moves_left[k] = request->moves;
    t->steps[k] = 0;
    return t->row[k] < request->count;
}

static inline void turns_move(turns *t, int from, int to)
{
    for (int i = 0; i < 4; i++)
        t->rng[i].of[to] = t->rng[i].of[from];
    t->state[to] = t->state[from];
    t->steps[to] = t->steps[from];
    t->moves_left[to] = t->moves_left[from];
    t->row[to] = t->row[from];
    t->chain[to] = t->chain[from];
}

#endif
