/* The update of 512 replicas with 64-bit integers, for every processor. The algorithm, the memory
 * layout and the references are in lattice_sweep.h. */
#define VECTOR_LANES 1
#define WORDS_AT_ONCE 1
#define PRIVATE_DRAWS 8
#define TOTAL_DRAWS 16
#define UPDATE lattice_update_portable
#include "models/lattice/lattice_sweep.h"
