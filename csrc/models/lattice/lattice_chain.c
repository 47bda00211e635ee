/* One lattice of binary variables, one site at a time.
 *
 * The place of a probability in its table is a sum over neighbours, each with the stride of its
 * group, so that one loop serves every kind of site. A uniform number of 64 bits is compared with
 * the probability.
 *
 * Memory: spins[sites], a byte each, 0 or 1; see lattice_system.h for the lattice.
 *
 * Reference: M. Creutz, L. Jacobs, C. Rebbi, Phys. Rev. D 20, 1915 (1979), for the heat bath. */
#include "models/lattice/lattice_chain.h"

#include <string.h>

#include "base/compiler.h"
#include "base/random.h"
#include "base/status.h"

/* The class of a site from the spins of its neighbours. */
RSMI_INLINE int64_t class_of(const lattice_kind *kind, const int32_t *near, const uint8_t *spins)
{
    int64_t class = 0, stride = 1;
    for (int64_t g = 0; g < kind->groups; g++) {
        int64_t up = 0;
        const int64_t size = kind->size[g];
        for (int64_t i = 0; i < size; i++)
            up += spins[near[i]];
        near += size;
        if (g < kind->exclusive) {
            class += up > 0;
            stride = 2;
        } else {
            class += stride * up;
            stride *= size + 1;
        }
    }
    return class;
}

static void sweep(const lattice_system *system, uint8_t *spins, uint64_t rng[4])
{
    for (int64_t site = 0; site < system->sites; site++) {
        const lattice_kind *kind = system->kind + system->kind_of[site];
        const int64_t class = class_of(kind, system->neighbour + system->start[site], spins);
        spins[site] = xoshiro_next(rng) < system->probability[kind->first + class];
    }
}

static void pack(int64_t sites, const uint8_t *spins, uint8_t *row)
{
    memset(row, 0, (size_t)(sites + 7) / 8);
    for (int64_t site = 0; site < sites; site++)
        row[site / 8] |= (uint8_t)(spins[site] << site % 8);
}

int lattice_chain_sample(const lattice_system *system, int64_t interval, int64_t count,
                         uint8_t *spins, uint64_t rng[4], uint8_t *rows)
{
    if (interval < 0 || count < 0)
        return RSMI_BAD_VALUE;
    const int64_t row_bytes = (system->sites + 7) / 8;
    for (int64_t row = 0; row < count; row++) {
        for (int64_t i = 0; i < interval; i++)
            sweep(system, spins, rng);
        if (rows)
            pack(system->sites, spins, rows + row * row_bytes);
    }
    return RSMI_OK;
}
