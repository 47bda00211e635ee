/* Input and output of 512 replicas: packed rows, counts of bonds and of sites, and
 * exchanges between two groups of replicas. */
#ifndef RSMI_LATTICE_ROWS_H
#define RSMI_LATTICE_ROWS_H

#include <stdint.h>

/* Converts spins[sites][8] to and from 512 rows of packed bits, ceil(sites / 8) bytes each. */
void lattice_pack(int64_t sites, const uint64_t *spins, uint8_t *rows);
void lattice_unpack(int64_t sites, const uint8_t *rows, uint64_t *spins);

/* Counts, for every replica, the sites that are up; the bonds whose ends are unlike; and the bonds
 * whose ends are both up. bonds[n][2] are pairs of sites. Each of the results has 512 values. */
void lattice_count_up(int64_t sites, const uint64_t *spins, int64_t *number);
void lattice_count_unlike(int64_t n, const int32_t *bonds, const uint64_t *spins, int64_t *number);
void lattice_count_pairs(int64_t n, const int32_t *bonds, const uint64_t *spins, int64_t *number);

/* Interchanges the configurations of those replicas whose bit of mask[8] is 1. */
void lattice_exchange(int64_t sites, const uint64_t *mask, uint64_t *one, uint64_t *other);

#endif
