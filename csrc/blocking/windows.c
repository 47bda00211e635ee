/* Windows (block and environment) that are cut out of packed configurations.
 *
 * Memory. A configuration is one row of bits: site i of the row-major lattice is bit i % 8 of byte
 * i / 8, 1 = spin +1. A window is an origin (the lattice site of the first site of the block) and a
 * list of offsets that all windows share. The coordinate of a site is origin + offset. It is folded
 * back once at the periodic boundary, since both lie in 0 .. shape - 1. Spins leave as bytes +-1.
 *
 * The choice of windows uses no state of a generator. Window w draws keyed_bits(key, w, 0) for its
 * origin, scaled to the number of sites by a product of 64 x 64 -> 128 bits (the bias is below
 * sites / 2^64), keyed_bits(key, w, 1) for its flip, and keyed_bits(key, w, 2) for its
 * configuration.
 *
 * Reference: M. Koch-Janusz, Z. Ringel, Nature Physics 14, 578 (2018), for block, buffer and
 * environment. */
#include "blocking/windows.h"

#include "base/compiler.h"
#include "base/random.h"
#include "base/status.h"

static int64_t number_of_sites(const int64_t *shape, int dimension)
{
    int64_t sites = 1;
    for (int axis = 0; axis < dimension; axis++)
        sites *= shape[axis];
    return sites;
}

static int64_t scaled(uint64_t bits, int64_t range)
{
    return (int64_t)(((unsigned __int128)bits * (uint64_t)range) >> 64);
}

/* The first configuration of stratum w of n_windows equal strata. */
static int64_t stratum(int64_t w, int64_t n_configurations, int64_t n_windows)
{
    return (int64_t)((__int128)w * n_configurations / n_windows);
}

int choose_windows(const uint64_t key[2], int64_t n_configurations, const int64_t *shape,
                   int dimension, int symmetric, int64_t n_windows, int64_t *configurations,
                   int64_t *origins, int8_t *flips)
{
    const int64_t sites = number_of_sites(shape, dimension);
    for (int64_t w = 0; w < n_windows; w++) {
        const int64_t first = stratum(w, n_configurations, n_windows),
                      next = stratum(w + 1, n_configurations, n_windows);
        configurations[w] = next > first + 1
                                ? first + scaled(keyed_bits(key, (uint64_t)w, 2), next - first)
                                : first;
        int64_t site = scaled(keyed_bits(key, (uint64_t)w, 0), sites);
        for (int axis = dimension - 1; axis >= 0; axis--) {
            origins[w * dimension + axis] = site % shape[axis];
            site /= shape[axis];
        }
        flips[w] = symmetric && keyed_bits(key, (uint64_t)w, 1) >> 63 ? -1 : 1;
    }
    return RSMI_OK;
}

static int inside(const int64_t *coordinates, const int64_t *shape, int dimension)
{
    for (int axis = 0; axis < dimension; axis++)
        if (coordinates[axis] < 0 || coordinates[axis] >= shape[axis])
            return 0;
    return 1;
}

RSMI_INLINE void gather(const uint8_t *row, const int64_t *shape, int dimension,
                        const int64_t *offsets, int64_t n_sites, const int64_t *origin, int8_t flip,
                        int8_t *window)
{
    for (int64_t k = 0; k < n_sites; k++) {
        int64_t site = 0;
        for (int axis = 0; axis < dimension; axis++) {
            const int64_t x = origin[axis] + offsets[k * dimension + axis];
            site = site * shape[axis] + (x >= shape[axis] ? x - shape[axis] : x);
        }
        const int bit = row[site >> 3] >> (site & 7) & 1;
        window[k] = (int8_t)(bit ? flip : -flip);
    }
}

int extract_windows(const uint8_t *packed, int64_t n_configurations, int64_t row_bytes,
                    const int64_t *shape, int dimension, const int64_t *offsets, int64_t n_sites,
                    const int64_t *configurations, const int64_t *origins, const int8_t *flips,
                    int64_t n_windows, int8_t *windows)
{
    if (dimension < 1 || dimension > WINDOWS_MAX_DIMENSION ||
        row_bytes != (number_of_sites(shape, dimension) + 7) / 8)
        return RSMI_BAD_SHAPE;
    for (int64_t k = 0; k < n_sites; k++)
        if (!inside(offsets + k * dimension, shape, dimension))
            return RSMI_BAD_VALUE;
    for (int64_t w = 0; w < n_windows; w++) {
        const int64_t configuration = configurations[w], *origin = origins + w * dimension;
        if (configuration < 0 || configuration >= n_configurations ||
            !inside(origin, shape, dimension) || (flips[w] != 1 && flips[w] != -1))
            return RSMI_BAD_VALUE;
        const uint8_t *row = packed + configuration * row_bytes;
        int8_t *window = windows + w * n_sites;
        switch (dimension) { /* constant dimensions, so that the loop over axes is unrolled */
        case 1:
            gather(row, shape, 1, offsets, n_sites, origin, flips[w], window);
            break;
        case 2:
            gather(row, shape, 2, offsets, n_sites, origin, flips[w], window);
            break;
        case 3:
            gather(row, shape, 3, offsets, n_sites, origin, flips[w], window);
            break;
        default:
            gather(row, shape, 4, offsets, n_sites, origin, flips[w], window);
        }
    }
    return RSMI_OK;
}
