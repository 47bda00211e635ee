/* The bit-sliced update with so few draws that spins left open, clashes and the hash, rare
 * otherwise, happen in every batch: for tests. */
#define VECTOR_LANES 1
#define WORDS_AT_ONCE 1
#define PRIVATE_DRAWS 3
#define TOTAL_DRAWS 6
#define UPDATE bitsliced_update_stress
#include "models/ising/bitsliced/ising_bitsliced_sweep.h"
