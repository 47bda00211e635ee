/* The bit-sliced update with 128-bit vectors (SSE2, which every x86-64 processor has). The
 * algorithm, the memory layout and the references are in ising_bitsliced_sweep.h. */
#include "models/ising/bitsliced/ising_bitsliced_update.h"

#if RSMI_X86
#pragma GCC target("sse2")
#define VECTOR_LANES 2
#define WORDS_AT_ONCE 2
#define PRIVATE_DRAWS 8
#define TOTAL_DRAWS 16
#define UPDATE bitsliced_update_sse2
#include "models/ising/bitsliced/ising_bitsliced_sweep.h"
#endif
