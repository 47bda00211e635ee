/* The random state of the bit-sliced kernels, uint64_t[17][8].
 *
 * Rows 0 .. 15 are four xoshiro256++ streams of 8 lanes, each of four rows. Row 16 holds a key of
 * two words for hashes, then the number of words (of 512 bits) that were updated so far. */
#ifndef RSMI_GENERATOR_H
#define RSMI_GENERATOR_H

#include "base/random.h"

enum {
    GENERATOR_LANES = 8,
    GENERATOR_STREAMS = 4,
    GENERATOR_KEY = 16 * GENERATOR_LANES,
    GENERATOR_NUMBER = GENERATOR_KEY + 2,
    GENERATOR_WORDS = 17 * GENERATOR_LANES
};

/* Makes the independent state of that number from the state of one xoshiro256++, which is only
 * read. */
static inline void generator_seed(const uint64_t rng[4], uint64_t number, uint64_t *generator)
{
    for (uint64_t i = 0; i < GENERATOR_WORDS; i++)
        generator[i] =
            i < GENERATOR_NUMBER ? keyed_bits(rng, number, i) ^ keyed_bits(rng + 2, number, i) : 0;
}

#endif
