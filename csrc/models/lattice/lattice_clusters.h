/* Cluster algorithms for spins with bonds of any range and either sign.
 *
 * spins[sites] are 0 or 1. The neighbours of a site are those of lattice_system.h: every bond is
 * stored at both of its ends, and belongs to a group of bonds of equal strength. */
#ifndef RSMI_LATTICE_CLUSTERS_H
#define RSMI_LATTICE_CLUSTERS_H

#include <stdint.h>

enum { LATTICE_SWENDSEN_WANG, LATTICE_WOLFF };

typedef struct {
    int64_t sites, groups;
    const int64_t *start;      /* [sites + 1] */
    const int32_t *neighbour;  /* [start[sites]] */
    const int32_t *group;      /* [start[sites]] */
    const uint64_t *threshold; /* [groups]: 1 - exp(-2 |K_g|), times 2^64 */
    const uint8_t *unlike;     /* [groups]: 1 if the bond is satisfied by unlike spins */
    double field;              /* K h */
    int algorithm;
} lattice_clusters;

/* Returns RSMI_BAD_SHAPE if an index is outside its array, and RSMI_BAD_VALUE for an unknown
 * algorithm or a field that is not finite. */
int lattice_clusters_check(const lattice_clusters *system);

/* Repeats `count` times, on a system that passed the check: `updates` sweeps of all clusters, or
 * `updates` single clusters, then one row of packed bits, of ceil(sites / 8) bytes. The workspace
 * has 2 * sites integers. `flipped` becomes the number of spins that were flipped. Returns
 * RSMI_BAD_VALUE for a number below zero. */
int lattice_clusters_sample(const lattice_clusters *system, int64_t updates, int64_t count,
                            uint8_t *spins, uint64_t rng[4], int32_t *workspace, uint8_t *rows,
                            int64_t *flipped);

#endif
