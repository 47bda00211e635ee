/* The probability that a block rule gives to a block.
 *
 * The spins of one block, read as a binary number, are its state: spin i of the block is bit i. The
 * field of the hidden unit is summed spin by spin. A probability becomes a threshold on 64 random
 * bits, in which 0, 1/2 (a fair tie: the top bit decides) and 1 are exact.
 *
 * Reference: M. Koch-Janusz, Z. Ringel, Nature Physics 14, 578 (2018), supplement. */
#include "blocking/block_rule.h"

#include <math.h>

#include "base/random.h"

uint64_t block_threshold(const double *filter, double bias, int hard, int64_t n_block,
                         uint64_t state)
{
    double field = bias, scale = 0.0;
    for (int64_t i = 0; i < n_block; i++) {
        field += (state >> i) & 1 ? filter[i] : -filter[i];
        scale += fabs(filter[i]);
    }
    if (hard)
        return fabs(field) <= 1e-9 * scale ? BLOCK_TIE : field > 0.0 ? BLOCK_ALWAYS : 0;
    const double probability = 1.0 / (1.0 + exp(-field));
    return probability < 1.0 ? probability_threshold(probability) : BLOCK_ALWAYS;
}
