/* Private to blocking: hard rules of 2x2 blocks as logic of four bits.
 *
 * Where every state of a 2x2 block is up, down or a tie, a rule is two truth tables of 16 entries.
 * They are looked up by multiplexers, which cost the same whatever the weights of the rule are. A
 * tie becomes up where the top bit of its random bits is 0. */
#ifndef RSMI_SQUARES_H
#define RSMI_SQUARES_H

#include "base/compiler.h"
#include "base/lanes.h"
#include "blocking/block_rule.h"

enum { SQUARE_SITES = 4, SQUARE_STATES = 16 };

typedef struct {
    lanes up[SQUARE_STATES], tie[SQUARE_STATES]; /* the truth tables, all ones or all zeros */
    int ties;
} square_rule;

/* Whether a rule on a lattice of this shape is a hard rule of 2x2 blocks; fills in its tables if it
 * is. */
int square_rule_of(const block_rule *rule, const int64_t shape[3], square_rule *square);

/* Does what coarse_grain does, for such a rule. */
int coarse_grain_squares(const uint8_t *rows, int64_t n_samples, const int64_t shape[3],
                         const square_rule *rule, const uint64_t key[2], const uint64_t *samples,
                         uint8_t *coarse);

/* Entry number site[0] + 2 site[1] + 4 site[2] + 8 site[3] of a truth table, bit by bit. */
RSMI_INLINE lanes look_up(const lanes table[SQUARE_STATES], const lanes site[SQUARE_SITES])
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

/* mix64 without its last step, so that only the top bit is right. */
RSMI_INLINE lanes mix_lanes(lanes z)
{
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    return (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
}

#endif
