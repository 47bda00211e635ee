/* Dimers that interact, sampled by directed loops.
 *
 * The weight of a covering is exp(coupling N), where N is its number of plaquettes with two
 * parallel dimers. A coupling > 0 aligns dimers, 0 gives free dimers, a coupling < 0 repels.
 * Lattice, partners and packed rows are those of dimers.h. Trajectories are integers and the same
 * on every machine, up to the last digit of exp() in a 64-bit threshold. */
#ifndef RSMI_DIMERS_LOOP_H
#define RSMI_DIMERS_LOOP_H

#include "models/dimers/dimers.h"

/* The number of 64-bit words of workspace that dimer_loop_sample needs. The content of the
 * workspace does not matter before a call and has no meaning after it. */
int64_t dimer_loop_workspace(const dimer_lattice *lattice);

/* The least coupling, T = 0.1 |v| / k_B. An open worm can have fewer parallel dimers than the
 * coverings to which it could close (on open lattices all coverings have some). At strong repulsion
 * it closes only once in exp(-coupling) steps or more; on ladders (open lattices that are two wide)
 * the number of steps grows exponentially with their length, so that ladders need a coupling >=
 * 0. */
#define DIMER_LOOP_LEAST_COUPLING (-10.0)

/* Does what dimer_sample does, at any finite coupling >= DIMER_LOOP_LEAST_COUPLING (RSMI_BAD_VALUE
 * otherwise). */
int dimer_loop_sample(const dimer_lattice *lattice, double coupling, int64_t chains, int64_t worms,
                      int64_t first, int64_t count, int8_t *partners, uint64_t *rng,
                      uint64_t *workspace, uint8_t *packed, int64_t *parallel_pairs,
                      int64_t *steps);

/* The probabilities that a head which came through link 0 of its vertex goes on through link 0 (a
 * bounce), 1, 2, 3. parallel[k] (0, 1, 2) is the number of parallel neighbours that a dimer on link
 * k would have; 3 says that there is no link k. */
void dimer_loop_scatter(const int parallel[4], double coupling, double probability[4]);

#endif
