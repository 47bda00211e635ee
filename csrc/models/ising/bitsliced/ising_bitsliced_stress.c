/* The bit-sliced update with so few draws that open spins, clashes and the hash, which are rare
 * otherwise, happen in every batch. It is for tests. The algorithm, the memory layout and the
 * references are in ising_bitsliced_sweep.h. */
#define VECTOR_LANES 1
#define WORDS_AT_ONCE 1
#define PRIVATE_DRAWS 3
#define TOTAL_DRAWS 6
#define UPDATE bitsliced_update_stress
#include "models/ising/bitsliced/ising_bitsliced_sweep.h"
