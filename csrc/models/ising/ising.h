/* Markov chains of the nearest-neighbour Ising model: Metropolis, heat bath, Swendsen-Wang, Wolff.
 *
 * One chain is its spins (ising_chain.h) and the uint64_t[4] state of xoshiro256++ (random.h). Both
 * are updated in place, and together they are the checkpoint of the chain. Trajectories are
 * integers and the same on every machine, up to the last digit of exp() in a 64-bit threshold. */
#ifndef RSMI_ISING_H
#define RSMI_ISING_H

#include "models/ising/ising_chain.h"

/* Returns RSMI_BAD_SHAPE for an axis of size < 2 that is not absent, for an odd size with a local
 * algorithm (their checkerboard order needs even sizes), and for too many sites. Returns
 * RSMI_BAD_VALUE if the coupling, the algorithm or clusters_per_sweep is outside its range. */
int ising_check(const ising_chain *chain);

/* The number of 64-bit words of workspace that ising_sweep and ising_sample need. The content of
 * the workspace does not matter before a call and has no meaning after it. */
int64_t ising_workspace(const ising_chain *chain);

/* Advances the chain by the given number of sweeps. Calls ising_check and returns its status. */
int ising_sweep(const ising_chain *chain, int64_t sweeps, int8_t *spins, uint64_t rng[4],
                uint64_t *workspace);

/* Repeats `count` times: `interval` sweeps, then one row of each output. A packed row has
 * ceil(sites / 8) bytes; site i is bit i % 8 of byte i / 8, 1 means up, and the padding is 0. The
 * energy is in units of the bond strength; the magnetization is the sum of the spins. */
int ising_sample(const ising_chain *chain, int64_t interval, int64_t count, int8_t *spins,
                 uint64_t rng[4], uint64_t *workspace, uint8_t *packed, int64_t *energy,
                 int64_t *magnetization);

int64_t ising_energy(const ising_chain *chain, const int8_t *spins);
int64_t ising_magnetization(const ising_chain *chain, const int8_t *spins);

#endif
