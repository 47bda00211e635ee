/* The bit-sliced update with 256-bit vectors (AVX2). The algorithm, the memory layout and the
 * references are in ising_bitsliced_sweep.h. */
#include "models/ising/bitsliced/ising_bitsliced_update.h"

#if RSMI_X86
#pragma GCC target("avx2")
#define VECTOR_LANES 4
#define WORDS_AT_ONCE 2
#define PRIVATE_DRAWS 8
#define TOTAL_DRAWS 16
#define UPDATE bitsliced_update_avx2
#include "models/ising/bitsliced/ising_bitsliced_sweep.h"
#endif
