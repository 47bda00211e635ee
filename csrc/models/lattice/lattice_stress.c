/* The update of 512 replicas with so few draws that open replicas, clashes and the hash, which are
 * rare otherwise, happen in every batch. It is for tests. The algorithm, the memory layout and the
 * references are in lattice_sweep.h. */
#define VECTOR_LANES 1
#define WORDS_AT_ONCE 1
#define PRIVATE_DRAWS 3
#define TOTAL_DRAWS 6
#define UPDATE lattice_update_stress
#include "models/lattice/lattice_sweep.h"
