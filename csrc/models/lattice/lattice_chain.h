/* Heat bath of one lattice (lattice_system.h), one site at a time.
 *
 * spins[sites] are 0 or 1. A sweep updates the sites in turn, with one random number of 64 bits
 * each. Spins and the state of a xoshiro256++ together are the checkpoint. */
#ifndef RSMI_LATTICE_CHAIN_H
#define RSMI_LATTICE_CHAIN_H

#include "models/lattice/lattice_system.h"

/* Repeats `count` times, on a system that passed lattice_check: `interval` sweeps, then one row of
 * packed bits if there are `rows`, of ceil(sites / 8) bytes each. Returns RSMI_BAD_VALUE for a
 * count or an interval below zero. */
int lattice_chain_sample(const lattice_system *system, int64_t interval, int64_t count,
                         uint8_t *spins, uint64_t rng[4], uint8_t *rows);

#endif
