/* Swendsen-Wang and Wolff on any lattice.
 *
 * A bond is satisfied if its ends are alike and its coupling is positive, or unlike and negative. A
 * satisfied bond is open with probability 1 - exp(-2 |K|), and spins that are joined by open bonds
 * flip together. This is right for every set of couplings; on frustrated lattices clusters are too
 * large to be of use.
 *
 * Swendsen-Wang: sites are joined by union-find, where a parent has the lower number. Each cluster
 * is flipped with probability 1/2, or in a field h with 1/(1 + exp(2 K h M)), M its magnetization.
 * Each satisfied bond takes one number of 64 bits, in the order of the sites and of their
 * neighbours with higher numbers; then each cluster takes one.
 *
 * Wolff: one cluster grows from a random site and is flipped, in a field with the probability
 * min(1, exp(-2 K h M)). A number is drawn for this if the energy would rise.
 *
 * References: R. H. Swendsen, J.-S. Wang, Phys. Rev. Lett. 58, 86 (1987); U. Wolff, Phys. Rev.
 * Lett. 62, 361 (1989). */
#include "models/lattice/lattice_clusters.h"

#include <math.h>
#include <string.h>

#include "base/functions.h"
#include "base/random.h"
#include "base/status.h"

int lattice_clusters_check(const lattice_clusters *system)
{
    if (system->sites < 1 || system->sites >= INT32_MAX || system->start[0] != 0)
        return RSMI_BAD_SHAPE;
    for (int64_t site = 0; site < system->sites; site++)
        if (system->start[site + 1] < system->start[site])
            return RSMI_BAD_SHAPE;
    for (int64_t i = 0; i < system->start[system->sites]; i++)
        if (system->neighbour[i] < 0 || system->neighbour[i] >= system->sites ||
            system->group[i] < 0 || system->group[i] >= system->groups)
            return RSMI_BAD_SHAPE;
    if (system->algorithm != LATTICE_SWENDSEN_WANG && system->algorithm != LATTICE_WOLFF)
        return RSMI_BAD_VALUE;
    return isfinite(system->field) ? RSMI_OK : RSMI_BAD_VALUE;
}

/* Whether a satisfied bond is open; the others are not asked, and draw no number. */
static int is_open(const lattice_clusters *system, int64_t bond, int64_t site, const uint8_t *spins,
                   uint64_t rng[4])
{
    const int32_t group = system->group[bond];
    const int unlike = spins[site] ^ spins[system->neighbour[bond]];
    return unlike == system->unlike[group] && xoshiro_next(rng) < system->threshold[group];
}

/* ---- Swendsen-Wang ---- */

static int32_t root_of(int32_t *parent, int32_t site)
{
    while (parent[site] != site) {
        parent[site] = parent[parent[site]];
        site = parent[site];
    }
    return site;
}

static void join(int32_t *parent, int32_t a, int32_t b)
{
    a = root_of(parent, a), b = root_of(parent, b);
    if (a < b)
        parent[b] = a;
    else
        parent[a] = b;
}

static int flips(double field, int32_t magnetization, uint64_t rng[4])
{
    if (field == 0)
        return xoshiro_next(rng) >> 63;
    const double cost = 2 * field * magnetization;
    return xoshiro_next(rng) < bernoulli_threshold(1 / (1 + exp_of(cost)), 1 / (1 + exp_of(-cost)));
}

static int64_t swendsen_wang(const lattice_clusters *system, uint8_t *spins, uint64_t rng[4],
                             int32_t *parent, int32_t *magnetization)
{
    const int32_t sites = (int32_t)system->sites;
    int64_t flipped = 0;
    for (int32_t site = 0; site < sites; site++)
        parent[site] = site, magnetization[site] = 0;
    for (int32_t site = 0; site < sites; site++)
        for (int64_t i = system->start[site]; i < system->start[site + 1]; i++)
            if (system->neighbour[i] > site && is_open(system, i, site, spins, rng))
                join(parent, site, system->neighbour[i]);
    for (int32_t site = 0; site < sites; site++)
        magnetization[root_of(parent, site)] += spins[site] ? 1 : -1;
    int32_t *flip = magnetization; /* of roots; a root comes before the rest of its cluster */
    for (int32_t site = 0; site < sites; site++) {
        const int32_t root = root_of(parent, site);
        if (root == site)
            flip[site] = flips(system->field, magnetization[site], rng);
        spins[site] = (uint8_t)(spins[site] ^ flip[root]);
        flipped += flip[root];
    }
    return flipped;
}

/* ---- Wolff ---- */

static int64_t wolff(const lattice_clusters *system, uint8_t *spins, uint64_t rng[4],
                     int32_t *queue, int32_t *joined)
{
    int32_t tail = 1, magnetization = 0;
    queue[0] = (int32_t)(((unsigned __int128)xoshiro_next(rng) * (uint64_t)system->sites) >> 64);
    joined[queue[0]] = 1;
    for (int32_t head = 0; head < tail; head++) {
        const int32_t site = queue[head];
        magnetization += spins[site] ? 1 : -1;
        for (int64_t i = system->start[site]; i < system->start[site + 1]; i++)
            if (!joined[system->neighbour[i]] && is_open(system, i, site, spins, rng)) {
                queue[tail++] = system->neighbour[i];
                joined[system->neighbour[i]] = 1;
            }
    }
    const double cost = 2 * system->field * magnetization;
    const int flip =
        cost <= 0 || xoshiro_next(rng) < bernoulli_threshold(exp_of(-cost), one_minus_exp(cost));
    for (int32_t i = 0; i < tail; i++) {
        joined[queue[i]] = 0;
        spins[queue[i]] = (uint8_t)(spins[queue[i]] ^ flip);
    }
    return flip ? tail : 0;
}

/* ---- Samples ---- */

static void pack(int64_t sites, const uint8_t *spins, uint8_t *row)
{
    memset(row, 0, (size_t)(sites + 7) / 8);
    for (int64_t site = 0; site < sites; site++)
        row[site / 8] = (uint8_t)(row[site / 8] | spins[site] << site % 8);
}

int lattice_clusters_sample(const lattice_clusters *system, int64_t updates, int64_t count,
                            uint8_t *spins, uint64_t rng[4], int32_t *workspace, uint8_t *rows,
                            int64_t *flipped)
{
    if (updates < 0 || count < 0)
        return RSMI_BAD_VALUE;
    int32_t *second = workspace + system->sites;
    *flipped = 0;
    memset(second, 0, (size_t)system->sites * sizeof *second);
    for (int64_t row = 0; row < count; row++) {
        for (int64_t i = 0; i < updates; i++)
            *flipped += system->algorithm == LATTICE_WOLFF
                            ? wolff(system, spins, rng, workspace, second)
                            : swendsen_wang(system, spins, rng, workspace, second);
        pack(system->sites, spins, rows + row * ((system->sites + 7) / 8));
    }
    return RSMI_OK;
}
