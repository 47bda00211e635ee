/* Metropolis and heat bath of the Ising model, 512 spins at a time.
 *
 * The chains are those of ising.h in everything but the order of their random numbers: the same
 * energy on a periodic lattice, even and odd sublattice in turn, the same acceptance with exact
 * 64-bit thresholds, and independent random bits for every spin. ising_bitsliced_sweep.h explains
 * the algorithm, ising_bitsliced_layout.h the memory.
 *
 * The random state is generators[blocks][17][8]. The words of a sublattice are cut into `blocks`
 * equal ranges, and each range has random streams of its own (base/generator.h), so that threads
 * may share the work. The number of blocks is part of the definition of a trajectory; which thread
 * works on a block, and with which instructions, is not. Spins and generators together are the
 * checkpoint. An alignment of 64 bytes makes both fast; 8 bytes are enough. */
#ifndef RSMI_ISING_BITSLICED_H
#define RSMI_ISING_BITSLICED_H

#include "models/ising/bitsliced/ising_bitsliced_layout.h"
#include "models/ising/bitsliced/ising_bitsliced_rows.h"

/* Returns RSMI_BAD_SHAPE for sizes that the layout cannot hold; RSMI_BAD_VALUE for what
 * ising_check() refuses, another algorithm, no blocks, or an unknown layout or path;
 * RSMI_UNSUPPORTED for a path that this processor or build does not have. */
int bitsliced_check(const bitsliced_chain *chain);

/* Makes independent streams for every block from the state of one xoshiro256++, which is only
 * read. */
void bitsliced_seed(const uint64_t rng[4], int64_t blocks, uint64_t *generators);

/* Advances the chain by the given number of sweeps. The halo must be right before and is right
 * after. Calls bitsliced_check and returns its status. */
int bitsliced_sweep(const bitsliced_chain *chain, int64_t sweeps, uint64_t *spins,
                    uint64_t *generators);

/* Repeats `count` times: `interval` sweeps, then one row of each output for a strip or 512 rows for
 * replicas, as bitsliced_pack and bitsliced_measure make them. Returns the status of
 * bitsliced_sweep. */
int bitsliced_sample(const bitsliced_chain *chain, int64_t interval, int64_t count, uint64_t *spins,
                     uint64_t *generators, uint8_t *packed, int64_t *energy,
                     int64_t *magnetization);

/* Updates one block of one sublattice, for threads. A sweep is: all blocks of sublattice 0 in any
 * order or at once, bitsliced_renew_halo of it, then the same for sublattice 1. The chain is not
 * checked. */
void bitsliced_update(const bitsliced_chain *chain, int sublattice, int64_t block, uint64_t *spins,
                      uint64_t *generators);

#endif
