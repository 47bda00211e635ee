/* Heat bath of 512 replicas of any lattice (lattice_system.h), 512 spins at a time.
 *
 * spins[sites][8] has a word of 512 bits for each site; bit b of lane l is replica 64 l + b, and 1
 * means up. A sweep updates the batches of a plan in turn. Spins and the generator
 * (base/generator.h) together are the checkpoint. The instruction set is no part of the trajectory.
 * An alignment of 64 bytes makes both fast; 8 bytes are enough. */
#ifndef RSMI_LATTICE_REPLICAS_H
#define RSMI_LATTICE_REPLICAS_H

#include "models/lattice/lattice_system.h"

enum { LATTICE_REPLICAS = 512 };

typedef struct {
    lattice_system system;
    int64_t batches;
    const int32_t *order; /* [batches][LATTICE_BATCH], of lattice_plan */
    int path;             /* see base/instructions.h */
} lattice_replicas;

/* Returns what lattice_check does, but RSMI_BAD_SHAPE too for a table of more than LATTICE_CLASSES
 * entries; RSMI_BAD_VALUE for an unknown path; RSMI_UNSUPPORTED for a path that this processor or
 * build does not have. The order is not checked. */
int lattice_replicas_check(const lattice_replicas *replicas);

/* The number of 64-bit integers that lattice_replicas_sweep needs. */
int64_t lattice_replicas_workspace(const lattice_replicas *replicas);

/* Makes a generator from the state of one xoshiro256++, which is only read. */
void lattice_replicas_seed(const uint64_t rng[4], uint64_t *generator);

/* Advances all replicas by the given number of sweeps, of a system that passed
 * lattice_replicas_check: calls may be short, and it is not checked again. Returns RSMI_BAD_VALUE
 * for a number below zero. */
int lattice_replicas_sweep(const lattice_replicas *replicas, int64_t sweeps, uint64_t *spins,
                           uint64_t *generator, uint64_t *workspace);

#endif
