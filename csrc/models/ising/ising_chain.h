/* What a chain of the Ising model is: a lattice, a coupling and an algorithm.
 *
 * The lattice is periodic and hypercubic, with one, two or three axes. It is stored as int8_t spins
 * of value +1 or -1 in row-major order (depth, height, width). Axes that are absent have size 1 and
 * stand in front; they carry no bonds. The energy is E = - sum over bonds s_i s_j, in units of the
 * bond strength J. Every site owns the bond to its next neighbour along each axis, so that an axis
 * of size 2 has double bonds. A chain samples exp(-coupling E). */
#ifndef RSMI_ISING_CHAIN_H
#define RSMI_ISING_CHAIN_H

#include <stdint.h>

enum { ISING_METROPOLIS, ISING_HEAT_BATH, ISING_SWENDSEN_WANG, ISING_WOLFF };

typedef struct {
    int64_t depth, height, width; /* at most 2^31 - 1 sites together */
    double coupling; /* K = J / (k_B T): finite, and not negative for the cluster algorithms */
    int algorithm;
    int64_t clusters_per_sweep; /* at least 1: how many Wolff clusters are one sweep (the other
                                   algorithms ignore it) */
} ising_chain;

static inline int64_t ising_sites(const ising_chain *chain)
{
    return chain->depth * chain->height * chain->width;
}
static inline int ising_dimension(const ising_chain *chain)
{
    return 1 + (chain->height > 1) + (chain->depth > 1);
}

#endif
