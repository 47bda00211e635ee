/* The update of 512 replicas with 256-bit vectors (AVX2). The algorithm, the memory layout and the
 * references are in lattice_sweep.h. */
#include "models/lattice/lattice_update.h"

#if RSMI_X86
#pragma GCC target("avx2")
#define VECTOR_LANES 4
#define WORDS_AT_ONCE 2
#define PRIVATE_DRAWS 8
#define TOTAL_DRAWS 16
#define UPDATE lattice_update_avx2
#include "models/lattice/lattice_sweep.h"
#endif
