/* The bit-sliced update with 512-bit vectors (AVX-512F). The algorithm, the memory layout and the
 * references are in ising_bitsliced_sweep.h. */
#include "models/ising/bitsliced/ising_bitsliced_update.h"

#if RSMI_X86
#pragma GCC target("avx512f")
#include <immintrin.h>
#define TERNARY(a, b, c, table)                                                                    \
    ((vector)_mm512_ternarylogic_epi64((__m512i)(a), (__m512i)(b), (__m512i)(c), table))
#define ANY(a) (_mm512_test_epi64_mask((__m512i)(a), (__m512i)(a)) != 0)
#define VECTOR_LANES 8
#define WORDS_AT_ONCE 2
#define PRIVATE_DRAWS 8
#define TOTAL_DRAWS 16
#define UPDATE bitsliced_update_avx512
#include "models/ising/bitsliced/ising_bitsliced_sweep.h"
#endif
