/* The bit-sliced update with 64-bit integers, for every processor. */
#define VECTOR_LANES 1
#define WORDS_AT_ONCE 1
#define PRIVATE_DRAWS 8
#define TOTAL_DRAWS 16
#define UPDATE bitsliced_update_portable
#include "models/ising/bitsliced/ising_bitsliced_sweep.h"
