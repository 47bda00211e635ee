/* Markov chains of variables with q states on hypercubic lattices: heat bath, Swendsen-Wang, Wolff.
 *
 * One chain is its states (potts_chain.h) and the uint64_t[4] state of xoshiro256++ (random.h).
 * Both are updated in place, and together they are the checkpoint of the chain. Trajectories are
 * integers and the same on every machine, up to the last digit of exp() in a 64-bit threshold. */
#ifndef RSMI_POTTS_H
#define RSMI_POTTS_H

#include "models/potts/potts_chain.h"

/* Returns RSMI_BAD_SHAPE for an axis of size < 2 that is not absent and for too many sites,
 * RSMI_BAD_VALUE if the number of states, the algorithm or the coupling is outside its range. */
int potts_check(const potts_chain *chain);

/* The number of 64-bit words of workspace that potts_sample needs. The content of the workspace
 * does not matter before a call and has no meaning after it. */
int64_t potts_workspace(const potts_chain *chain);

/* Repeats `count` times: `updates` sweeps or clusters, then one row of each output. A packed row
 * has the bits of (planes, sites): bit s of plane p, at position p * sites + s from the lowest bit
 * of the first byte on, is bit p of the state of site s. pairs[i * n_classes + c] is the number of
 * bonds whose pair of states (a, b) has classes[a * q + b] = c. *moved is the sum of the sizes of
 * all clusters of Wolff's algorithm, else 0. Calls potts_check and returns its status. */
int potts_sample(const potts_chain *chain, int64_t updates, int64_t count, uint8_t *spins,
                 uint64_t rng[4], uint64_t *workspace, const uint8_t *classes, int64_t n_classes,
                 uint8_t *packed, int64_t *pairs, int64_t *moved);

/* Adds the number of bonds of every class to pairs[n_classes]. */
void potts_pairs(const potts_chain *chain, const uint8_t *spins, const uint8_t *classes,
                 int64_t n_classes, int64_t *pairs);

#endif
