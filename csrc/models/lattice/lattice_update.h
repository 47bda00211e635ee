/* Private to models/lattice: sweeps of 512 replicas, in one function per instruction set.
 *
 * The functions are made from one source, lattice_sweep.h, by the files whose names end in the name
 * of the instruction set. */
#ifndef RSMI_LATTICE_UPDATE_H
#define RSMI_LATTICE_UPDATE_H

#include "base/instructions.h"
#include "models/lattice/lattice_system.h"

enum { LATTICE_DRAWS = 16 };

typedef struct {
    const lattice_system *system;
    int64_t batches;
    const int32_t *order;   /* [batches][LATTICE_BATCH] */
    const uint64_t *digits; /* [probabilities][LATTICE_DRAWS]: the coefficients of digit j of
                               c = p ^ p >> 1, all zeros or all ones */
    uint64_t *spins;        /* [sites][8] */
    uint64_t *generator;    /* [17][8] */
} lattice_job;

void lattice_update_avx512(const lattice_job *job);
void lattice_update_avx2(const lattice_job *job);
void lattice_update_sse2(const lattice_job *job);
void lattice_update_portable(const lattice_job *job);
void lattice_update_stress(const lattice_job *job);

#endif
