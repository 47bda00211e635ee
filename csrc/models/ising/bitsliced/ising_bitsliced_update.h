/* Private to models/ising: half a sweep of one block, in one function per instruction set.
 *
 * The functions are made from one source, ising_bitsliced_sweep.h, by the files of the same name
 * that end in the name of the instruction set. */
#ifndef RSMI_ISING_BITSLICED_UPDATE_H
#define RSMI_ISING_BITSLICED_UPDATE_H

#include <string.h>

#include "base/instructions.h"
#include "base/random.h"
#include "models/ising/bitsliced/ising_bitsliced_layout.h"

/* What one block of one sublattice needs to be updated. */
typedef struct {
    bitsliced_shape shape;
    int dimension, metropolis, strip, sublattice;
    int64_t first, last;     /* pairs of words: see ising_bitsliced_walk.h */
    uint64_t *own;           /* first word of layer 0 of this sublattice */
    const uint64_t *other;   /* and of the other sublattice */
    uint64_t *generator;     /* [17][8] */
    uint64_t probability[3]; /* times 2^64: probabilities to go against the sum of the neighbours
                                when its magnitude is 2, 4, 6 */
    uint64_t digits[3][BITSLICED_DRAWS]; /* digit j of c = p ^ p >> 1 for magnitude 2; of the XOR
                                            with it for 4 and 6; all zeros or all ones */
    uint64_t opposite; /* all ones if the spins prefer the opposite of their neighbours */
    uint64_t lazy;     /* all ones if Metropolis accepts moves of zero cost with probability 1/2 */
} bitsliced_job;

void bitsliced_update_avx512(const bitsliced_job *job);
void bitsliced_update_avx2(const bitsliced_job *job);
void bitsliced_update_sse2(const bitsliced_job *job);
void bitsliced_update_portable(const bitsliced_job *job);
void bitsliced_update_stress(const bitsliced_job *job);

#endif
