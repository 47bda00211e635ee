/* Hard rules of 2x2 blocks, where every state is up, down or a tie, as logic of four bits: two
 * truth tables of 16 entries are looked up by multiplexers, whatever the weights. A tie is up where
 * the top bit of its random bits is 0. */
#ifndef RSMI_SQUARES_H
#define RSMI_SQUARES_H

#include "blocking/blocking.h"
#include "base/lanes.h"

enum { SQUARE_SITES = 4, SQUARE_STATES = 16 };

typedef struct {
    lanes up[SQUARE_STATES], tie[SQUARE_STATES]; /* the truth tables, all ones or zeros */
    int ties;
} square_rule;

/* Whether a rule on a lattice of this shape is one of these, and its tables. */
int square_rule_of(const block_rule *rule, const int64_t shape[3], square_rule *square);

/* Entry number site[0] + 2 site[1] + 4 site[2] + 8 site[3] of a truth table, bit by bit. */
static inline __attribute__((always_inline)) lanes look_up(const lanes table[SQUARE_STATES],
                                                           const lanes site[SQUARE_SITES])
{
    lanes entry[SQUARE_STATES / 2];
#pragma GCC unroll 8
    for (int k = 0; k < 8; k++)
        entry[k] = table[2 * k] ^ (site[0] & (table[2 * k] ^ table[2 * k + 1]));
#pragma GCC unroll 4
    for (int k = 0; k < 4; k++)
        entry[k] = entry[2 * k] ^ (site[1] & (entry[2 * k] ^ entry[2 * k + 1]));
#pragma GCC unroll 2
    for (int k = 0; k < 2; k++)
        entry[k] = entry[2 * k] ^ (site[2] & (entry[2 * k] ^ entry[2 * k + 1]));
    return entry[0] ^ (site[3] & (entry[0] ^ entry[1]));
}

/* mix64, of which the top bit only is right. */
static inline __attribute__((always_inline)) lanes mix_lanes(lanes z)
{
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    return (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
}

#endif
