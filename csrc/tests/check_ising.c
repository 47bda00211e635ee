/* Checks Ising chains: energies by hand, no broken bonds at strong coupling, samples against their
 * own bits, split runs, and refusals. */
#include "models/ising/ising.h"
#include "tests/expect.h"

static const int64_t SHAPES[][3] = {{1, 1, 2},   {1, 1, 7},  {1, 1, 64}, {1, 1, 130}, {1, 2, 2},
                                    {1, 6, 10},  {1, 5, 9},  {1, 4, 66}, {1, 3, 64},  {1, 3, 65},
                                    {1, 2, 63},  {1, 10, 2}, {2, 2, 2},  {2, 4, 6},   {3, 5, 7},
                                    {4, 2, 128}, {2, 6, 2},  {3, 3, 70}, {1, 65, 3},  {6, 4, 8},
                                    {1, 90, 70}, {8, 6, 66}};

/* The sum of a_i a_j over the bonds with b_i = b_j; over all bonds if b is NULL. */
static int64_t bond_sum(const ising_chain *c, const int8_t *a, const int8_t *b)
{
    const int64_t shape[3] = {c->depth, c->height, c->width},
                  stride[3] = {c->height * c->width, c->width, 1};
    int64_t sum = 0;
    for (int64_t site = 0; site < ising_sites(c); site++)
        for (int axis = 0; axis < 3; axis++) {
            const int64_t x = site / stride[axis] % shape[axis],
                          next = site + ((x + 1) % shape[axis] - x) * stride[axis];
            if (shape[axis] > 1 && (!b || b[site] == b[next]))
                sum += a[site] * a[next];
        }
    return sum;
}

static int64_t plain_energy(const ising_chain *c, const int8_t *spins)
{
    return -bond_sum(c, spins, NULL);
}

/* factor^(sum of the coordinates) at every site. */
static int8_t *ordered(const ising_chain *c, int factor)
{
    int8_t *spins = take(ising_sites(c));
    for (int64_t site = 0; site < ising_sites(c); site++) {
        const int64_t sum =
            site / (c->height * c->width) + site / c->width % c->height + site % c->width;
        spins[site] = (int8_t)(sum % 2 ? factor : 1);
    }
    return spins;
}

static void check_energies(const ising_chain *c)
{
    const int64_t sites = ising_sites(c), bonds = sites * ising_dimension(c);
    const int8_t *spins = random_spins(sites), *up = ordered(c, 1), *staggered = ordered(c, -1);
    const int even = c->width % 2 == 0 && (c->height == 1 || c->height % 2 == 0) &&
                     (c->depth == 1 || c->depth % 2 == 0);
    expect(ising_energy(c, up) == -bonds && ising_magnetization(c, up) == sites);
    expect(!even ||
           (ising_energy(c, staggered) == bonds && ising_magnetization(c, staggered) == 0));
    expect(ising_energy(c, spins) == plain_energy(c, spins));
}

/* Checks every sample against its bits. */
static void check_samples(const ising_chain *c)
{
    enum { SAMPLES = 5 };
    const int64_t sites = ising_sites(c), row_bytes = (sites + 7) / 8;
    int8_t *spins = random_spins(sites), *row = take(sites);
    uint64_t rng[4] = {5, 6, 7, 8}, *workspace = take(8 * ising_workspace(c));
    uint8_t *packed = random_bytes(SAMPLES * row_bytes);
    int64_t energy[SAMPLES], magnetization[SAMPLES];
    expect(ising_sample(c, 3, SAMPLES, spins, rng, workspace, packed, energy, magnetization) ==
           RSMI_OK);
    for (int i = 0; i < SAMPLES; i++) {
        int64_t sum = 0;
        for (int64_t site = 0; site < sites; site++)
            sum += row[site] = (int8_t)spin_at(packed + i * row_bytes, site);
        for (int64_t bit = sites; bit < 8 * row_bytes; bit++)
            expect(spin_at(packed + i * row_bytes, bit) == -1);
        expect(energy[i] == plain_energy(c, row) && magnetization[i] == sum);
    }
    expect(memcmp(spins, row, (size_t)sites) == 0);
}

/* 2 + 3 sweeps are 5 sweeps. */
static void check_split(const ising_chain *c)
{
    const int64_t sites = ising_sites(c);
    int8_t *once = random_spins(sites), *twice = take(sites);
    uint64_t rng[2][4] = {{5, 6, 7, 8}, {5, 6, 7, 8}}, *workspace = take(8 * ising_workspace(c));
    memcpy(twice, once, (size_t)sites);
    expect(ising_sweep(c, 5, once, rng[0], workspace) == RSMI_OK);
    expect(ising_sweep(c, 2, twice, rng[1], workspace) == RSMI_OK &&
           ising_sweep(c, 3, twice, rng[1], workspace) == RSMI_OK);
    expect(memcmp(once, twice, (size_t)sites) == 0 && memcmp(rng[0], rng[1], sizeof rng[0]) == 0 &&
           all_spins(sites, once));
}

/* At a very strong coupling K E never rises, and clusters keep every satisfied bond. */
static void check_strong_coupling(ising_chain c, double coupling, int8_t *spins)
{
    const int64_t sites = ising_sites(&c);
    int8_t *before = take(sites);
    uint64_t rng[4] = {5, 6, 7, 8}, *workspace = take(8 * ising_workspace(&c));
    c.coupling = coupling;
    for (int64_t sweep = 0; sweep < 10; sweep++) {
        memcpy(before, spins, (size_t)sites);
        expect(ising_sweep(&c, 1, spins, rng, workspace) == RSMI_OK);
        expect((coupling > 0 ? 1 : -1) * (ising_energy(&c, spins) - ising_energy(&c, before)) <= 0);
        expect(c.algorithm <= ISING_HEAT_BATH ||
               bond_sum(&c, spins, before) == bond_sum(&c, before, before));
    }
}

static void check_refusals(void)
{
    const ising_chain good = {1, 4, 6, 0.4, ISING_METROPOLIS, 1};
    const double bad_couplings[] = {NAN, INFINITY, -INFINITY};
    const int64_t bad_shapes[][3] = {{1, 4, 1},
                                     {1, 1, 1},
                                     {4, 1, 4},
                                     {0, 4, 4},
                                     {1, 0, 4},
                                     {1, 4, 0},
                                     {1, -2, 4},
                                     {1, 5, 4},
                                     {1, 4, 5},
                                     {3, 4, 4},
                                     {1, 1 << 16, 1 << 16},
                                     {1 << 12, 1 << 10, 1 << 10}};
    ising_chain c = good;
    expect(ising_check(&c) == RSMI_OK && ising_sweep(&c, -1, NULL, NULL, NULL) == RSMI_BAD_VALUE);
    for (int i = 0; i < 3; i++, c = good)
        expect((c.coupling = bad_couplings[i], ising_check(&c)) == RSMI_BAD_VALUE);
    for (int64_t i = 0; i < COUNT(bad_shapes); i++, c = good) {
        c.depth = bad_shapes[i][0], c.height = bad_shapes[i][1], c.width = bad_shapes[i][2];
        expect(ising_check(&c) == RSMI_BAD_SHAPE);
        expect(ising_sample(&c, 1, 1, NULL, NULL, NULL, NULL, NULL, NULL) == RSMI_BAD_SHAPE);
    }
    for (int algorithm = -1; algorithm <= 4; algorithm += 5, c = good)
        expect((c.algorithm = algorithm, ising_check(&c)) == RSMI_BAD_VALUE);
    expect((c.clusters_per_sweep = 0, ising_check(&c)) == RSMI_BAD_VALUE);
    c = good, c.coupling = -0.1;
    expect(ising_check(&c) == RSMI_OK);
    for (c.algorithm = ISING_SWENDSEN_WANG; c.algorithm <= ISING_WOLFF; c.algorithm++)
        expect(ising_check(&c) == RSMI_BAD_VALUE);
}

int main(void)
{
    const double couplings[] = {0.0, 0.2, 0.44, 3.0, 1e3, 1e300};
    for (int64_t i = 0; i < COUNT(SHAPES); i++)
        for (int algorithm = ISING_METROPOLIS; algorithm <= ISING_WOLFF; algorithm++) {
            ising_chain c = {SHAPES[i][0], SHAPES[i][1], SHAPES[i][2],
                             0.44,         algorithm,    1 + algorithm};
            check_energies(&c);
            if (ising_check(&c) != RSMI_OK)
                continue;
            for (int64_t k = 0; k < COUNT(couplings); k++) {
                c.coupling = couplings[k];
                check_samples(&c);
                check_split(&c);
            }
            check_strong_coupling(c, 1e3, ordered(&c, 1));
            check_strong_coupling(c, 1e3, random_spins(ising_sites(&c)));
            if (algorithm <= ISING_HEAT_BATH)
                check_strong_coupling(c, -1e3, ordered(&c, -1));
            if (algorithm <= ISING_HEAT_BATH)
                check_strong_coupling(c, -1e3, random_spins(ising_sites(&c)));
            release_all();
        }
    check_refusals();
    return 0;
}
