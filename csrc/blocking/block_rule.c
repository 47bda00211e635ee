/* The probability that a block rule gives to a block.
 *
 * The spins of one block, read as a binary number, are its state: spin i of the block is bit i. The
 * field of the hidden unit is summed spin by spin, or product by product: a product of spins +-1 is
 * the parity of those that are -1. A probability becomes a threshold on 64 random bits, in which 0,
 * 1/2 (a fair tie: the top bit decides) and 1 are exact.
 *
 * Reference: M. Koch-Janusz, Z. Ringel, Nature Physics 14, 578 (2018), supplement. */
#include "blocking/block_rule.h"

#include <math.h>

#include "base/functions.h"
#include "base/random.h"

uint64_t block_threshold(const block_rule *rule, int64_t j, uint64_t state)
{
    const uint64_t *products = rule->products;
    const int64_t n_block = rule->components * rule->block[0] * rule->block[1] * rule->block[2],
                  n = products ? rule->n_products : n_block;
    const double *filter = rule->filters + j * n;
    double field = rule->bias[j], scale = 0.0;
    for (int64_t i = 0; i < n; i++) {
        const int up = products ? !__builtin_parityll(~state & products[i]) : (state >> i) & 1;
        field += up ? filter[i] : -filter[i];
        scale += fabs(filter[i]);
    }
    if (rule->hard)
        return fabs(field) <= 1e-9 * scale ? BLOCK_TIE : field > 0.0 ? BLOCK_ALWAYS : 0;
    const double probability = 1.0 / (1.0 + exp_of(-field));
    return probability < 1.0 ? probability_threshold(probability) : BLOCK_ALWAYS;
}
