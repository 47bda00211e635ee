/* The worm. */
#ifndef RSMI_DIMERS_WORM_H
#define RSMI_DIMERS_WORM_H

#include "models/dimers/dimers.h"

/* 64-bit words of workspace for dimer_sample; its content is scratch. */
int64_t dimer_workspace(const dimer_lattice *lattice, int64_t chains);

/* Rows of independent chains in turn: row j of count is made by chain (first + j) % chains, by
 * `worms` >= 1 worms, and stored as packed links, the number of parallel pairs, and the steps its
 * worms took. Every chain draws from its own stream only: the same numbers whatever the other
 * chains do and wherever a run is cut.
 *
 * partners (chains, vertices), rng (chains, 4). Returns the status of dimer_check_covering of each
 * chain. */
int dimer_sample(const dimer_lattice *lattice, int64_t chains, int64_t worms, int64_t first,
                 int64_t count, int8_t *partners, uint64_t *rng, uint64_t *workspace,
                 uint8_t *packed, int64_t *parallel_pairs, int64_t *steps);

#endif
