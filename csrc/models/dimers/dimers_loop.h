/* Coverings by dimers that interact: the weight of a covering is exp(coupling N), N its plaquettes
 * with two parallel dimers. A coupling > 0 aligns, 0 is the free covering, < 0 repels. Lattice,
 * partners and packed rows as in dimers.h.
 *
 * Trajectories are integers, the same on every machine up to the last digit of exp() in a 64-bit
 * threshold. */
#ifndef RSMI_DIMERS_LOOP_H
#define RSMI_DIMERS_LOOP_H

#include "models/dimers/dimers.h"

/* 64-bit words of workspace for dimer_loop_sample; its content is scratch. */
int64_t dimer_loop_workspace(const dimer_lattice *lattice);

/* A worm on its way can have fewer parallel dimers than the coverings it could close to (on open
 * lattices all have some): at strong repulsion it closes once in exp(-coupling) steps and more, on
 * ladders (open, two wide) in exponentially many in their length. Couplings from here on, T = 0.1
 * |v| / k_B; on ladders from 0 on. */
#define DIMER_LOOP_LEAST_COUPLING (-10.0)

/* As dimer_sample, at any finite coupling from DIMER_LOOP_LEAST_COUPLING on (else
 * RSMI_BAD_VALUE). */
int dimer_loop_sample(const dimer_lattice *lattice, double coupling, int64_t chains, int64_t worms,
                      int64_t first, int64_t count, int8_t *partners, uint64_t *rng,
                      uint64_t *workspace, uint8_t *packed, int64_t *parallel_pairs,
                      int64_t *steps);

/* Probabilities of a head that came through link 0 of its vertex to go on through link 0 (a
 * bounce), 1, 2, 3, where a dimer on link k would have parallel[k] (0, 1, 2) parallel neighbours,
 * or there is no link k (3). */
void dimer_loop_scatter(const int parallel[4], double coupling, double probability[4]);

#endif
