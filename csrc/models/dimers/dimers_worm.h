/* Free dimers, sampled by worms. */
#ifndef RSMI_DIMERS_WORM_H
#define RSMI_DIMERS_WORM_H

#include "models/dimers/dimers.h"

/* The number of 64-bit words of workspace that dimer_sample needs. The content of the workspace
 * does not matter before a call and has no meaning after it. */
int64_t dimer_workspace(const dimer_lattice *lattice, int64_t chains);

/* Makes rows of independent chains in turn: row j of `count` comes from chain (first + j) % chains,
 * after `worms` >= 1 worms. A row is stored as packed links, the number of parallel pairs, and the
 * number of steps that its worms took. Every chain draws from its own stream only, so that the
 * numbers do not depend on the other chains or on where a run is cut.
 *
 * partners (chains, vertices), rng (chains, 4). Returns the status of dimer_check_covering for each
 * chain. */
int dimer_sample(const dimer_lattice *lattice, int64_t chains, int64_t worms, int64_t first,
                 int64_t count, int8_t *partners, uint64_t *rng, uint64_t *workspace,
                 uint8_t *packed, int64_t *parallel_pairs, int64_t *steps);

#endif
