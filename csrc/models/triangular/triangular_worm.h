/* Ground states of the Ising antiferromagnet on the triangular lattice, sampled by worms.
 *
 * Lattice, bonds, streams and packed rows are those of triangular.h. Trajectories are integers and
 * the same on every machine. */
#ifndef RSMI_TRIANGULAR_WORM_H
#define RSMI_TRIANGULAR_WORM_H

#include "models/triangular/triangular.h"

/* The number of 64-bit words of workspace that triangular_sample needs. The content of the
 * workspace does not matter before a call and has no meaning after it. */
int64_t triangular_workspace(const triangular_lattice *lattice);

/* Makes `count` rows of spins from `chains` chains in turn: row j belongs to chain (first + j) mod
 * chains. Before each of its rows a chain makes `worms` >= 1 worms that end in bonds with spins;
 * worms that end in others are made and not counted. steps[j] is the number of steps of all of
 * them. Returns RSMI_BAD_VALUE for bonds that triangular_check refuses. */
int triangular_sample(const triangular_lattice *lattice, int64_t chains, int64_t worms,
                      int64_t first, int64_t count, uint8_t *bonds, uint64_t *rng,
                      uint64_t *workspace, uint8_t *packed, int64_t *steps);

#endif
