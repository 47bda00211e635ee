/* Input and output of the bit-sliced sampler: packed rows, energies and magnetizations. */
#ifndef RSMI_ISING_BITSLICED_ROWS_H
#define RSMI_ISING_BITSLICED_ROWS_H

#include "models/ising/bitsliced/ising_bitsliced_layout.h"

/* Converts spins to and from rows of packed bits. A lattice has ceil(sites / 8) bytes as in
 * ising.h; there is one row for a strip and 512 rows for replicas. Unpacking also makes the
 * halo. */
void bitsliced_pack(const bitsliced_chain *chain, const uint64_t *spins, uint8_t *packed);
void bitsliced_unpack(const bitsliced_chain *chain, const uint8_t *packed, uint64_t *spins);

/* Measures the energy in units of the bond strength and the sum of the spins: one value each for a
 * strip, 512 values for replicas. */
void bitsliced_measure(const bitsliced_chain *chain, const uint64_t *spins, int64_t *energy,
                       int64_t *magnetization);

#endif
