/* Checks bit-sliced chains: configurations survive a round trip, energies are those of the plain
 * kernel, every path gives the same bits, blocks and samples agree with sweeps, no satisfied bond
 * breaks at strong coupling, and bad arguments are refused. */
#include "base/instructions.h"
#include "models/ising/bitsliced/ising_bitsliced.h"
#include "models/ising/ising.h"
#include "tests/expect.h"

static const int64_t REPLICAS[][3] = {{1, 1, 2},  {1, 1, 10},  {1, 1, 36}, {1, 2, 2}, {1, 6, 4},
                                      {1, 2, 10}, {1, 16, 18}, {2, 2, 2},  {4, 6, 2}, {2, 4, 6}};
static const int64_t STRIPS[][3] = {
    {1, 16, 128}, {1, 32, 256}, {16, 2, 128}, {32, 6, 256}, {16, 4, 384}};

static int64_t lattices(const bitsliced_chain *c)
{
    return c->layout == BITSLICED_STRIP ? 1 : BITSLICED_BITS;
}
static int64_t row_bytes(const bitsliced_chain *c)
{
    return (ising_sites(&c->ising) + 7) / 8;
}

static int64_t spin_bytes(const bitsliced_chain *c)
{
    const bitsliced_shape s = bitsliced_shape_of(c);
    return 2 * (s.layers + 2) * s.rows * s.columns * 64;
}

/* Random configurations with clean padding, and their spins. */
static uint8_t *random_rows(const bitsliced_chain *c)
{
    const int64_t bytes = row_bytes(c), used = ising_sites(&c->ising) % 8;
    uint8_t *rows = random_bytes(lattices(c) * bytes);
    for (int64_t i = 0; used && i < lattices(c); i++)
        rows[(i + 1) * bytes - 1] &= (uint8_t)((1 << used) - 1);
    return rows;
}

static uint64_t *spins_from(const bitsliced_chain *c, const uint8_t *rows)
{
    uint64_t *spins = take(spin_bytes(c));
    bitsliced_unpack(c, rows, spins);
    return spins;
}

static uint64_t *seeded(const bitsliced_chain *c)
{
    uint64_t *generators = take(c->blocks * BITSLICED_GENERATOR * 8);
    bitsliced_seed((uint64_t[4]){1, 2, 3, 4}, c->blocks, generators);
    return generators;
}

static void check_rows(const bitsliced_chain *c)
{
    const int64_t bytes = row_bytes(c), sites = ising_sites(&c->ising);
    const uint8_t *rows = random_rows(c);
    const uint64_t *spins = spins_from(c, rows);
    uint8_t *again = take(lattices(c) * bytes);
    int64_t *energy = take(8 * lattices(c)), *magnetization = take(8 * lattices(c));
    int8_t *lattice = take(sites);
    bitsliced_pack(c, spins, again);
    bitsliced_measure(c, spins, energy, magnetization);
    expect(memcmp(rows, again, (size_t)(lattices(c) * bytes)) == 0);
    for (int64_t i = 0; i < lattices(c); i++) {
        for (int64_t site = 0; site < sites; site++)
            lattice[site] = (int8_t)spin_at(rows + i * bytes, site);
        expect(energy[i] == ising_energy(&c->ising, lattice) &&
               magnetization[i] == ising_magnetization(&c->ising, lattice));
    }
}

/* Runs every path from the same start: after some sweeps at once, and block by block in reverse
 * order. */
static void check_paths(bitsliced_chain c)
{
    const uint8_t *rows = random_rows(&c);
    const uint64_t *first = NULL, *first_generators = NULL;
    for (c.path = PATH_AUTO; c.path <= PATH_PORTABLE; c.path++) {
        if (!path_supported(c.path))
            continue;
        uint64_t *spins = spins_from(&c, rows), *generators = seeded(&c);
        if (c.path % 2)
            expect(bitsliced_sweep(&c, 6, spins, generators) == RSMI_OK);
        else
            for (int half = 0; half < 12; half++) {
                for (int64_t block = c.blocks - 1; block >= 0; block--)
                    bitsliced_update(&c, half & 1, block, spins, generators);
                bitsliced_renew_halo(&c, half & 1, spins);
            }
        if (!first)
            first = spins, first_generators = generators;
        expect(memcmp(spins, first, (size_t)spin_bytes(&c)) == 0);
        expect(memcmp(generators, first_generators, (size_t)(c.blocks * BITSLICED_GENERATOR * 8)) ==
               0);
    }
}

/* Two rows of three sweeps each must be what sweeping, packing and measuring make. */
static void check_sample(const bitsliced_chain *c)
{
    const int64_t n = lattices(c), bytes = n * row_bytes(c);
    const uint8_t *rows = random_rows(c);
    uint64_t *spins[2] = {spins_from(c, rows), spins_from(c, rows)},
             *generators[2] = {seeded(c), seeded(c)};
    uint8_t *packed = take(2 * bytes), *expected = take(bytes);
    int64_t *measured = take(4 * 8 * n), *exact = take(2 * 8 * n);
    expect(bitsliced_sample(c, 3, 2, spins[0], generators[0], packed, measured, measured + 2 * n) ==
           RSMI_OK);
    for (int64_t row = 0; row < 2; row++) {
        expect(bitsliced_sweep(c, 3, spins[1], generators[1]) == RSMI_OK);
        bitsliced_pack(c, spins[1], expected);
        bitsliced_measure(c, spins[1], exact, exact + n);
        expect(memcmp(packed + row * bytes, expected, (size_t)bytes) == 0);
        for (int64_t i = 0; i < n; i++)
            expect(measured[row * n + i] == exact[i] &&
                   measured[(2 + row) * n + i] == exact[n + i]);
    }
}

/* At a very strong coupling K E never rises. */
static void check_strong_coupling(bitsliced_chain c, double coupling)
{
    uint64_t *spins = spins_from(&c, random_rows(&c)), *generators = seeded(&c);
    int64_t *energy = take(8 * lattices(&c)), *before = take(8 * lattices(&c)),
            *magnetization = take(8 * lattices(&c));
    c.ising.coupling = coupling;
    bitsliced_measure(&c, spins, before, magnetization);
    for (int sweep = 0; sweep < 10; sweep++) {
        expect(bitsliced_sweep(&c, 1, spins, generators) == RSMI_OK);
        bitsliced_measure(&c, spins, energy, magnetization);
        for (int64_t i = 0; i < lattices(&c); i++)
            expect((coupling > 0 ? 1 : -1) * (energy[i] - before[i]) <= 0);
        memcpy(before, energy, (size_t)(8 * lattices(&c)));
    }
}

static void check_chain(int layout, const int64_t shape[3])
{
    for (int algorithm = ISING_METROPOLIS; algorithm <= ISING_HEAT_BATH; algorithm++)
        for (int64_t blocks = 1; blocks <= 7; blocks += 3) {
            const bitsliced_chain c = {
                {shape[0], shape[1], shape[2], 0.3, algorithm, 1}, layout, PATH_AUTO, blocks};
            bitsliced_chain stress = c;
            stress.path = PATH_STRESS;
            expect(bitsliced_check(&c) == RSMI_OK);
            check_rows(&c);
            check_paths(c);
            check_sample(&c);
            check_strong_coupling(c, 1e3);
            check_strong_coupling(c, -1e3);
            check_strong_coupling(stress, 1e3);
            release_all();
        }
}

static int refuses(int status, bitsliced_chain c)
{
    return bitsliced_check(&c) == status && bitsliced_sweep(&c, 1, NULL, NULL) == status;
}

static void check_refusals(void)
{
    const bitsliced_chain good = {
        {1, 16, 128, 0.4, ISING_HEAT_BATH, 1}, BITSLICED_STRIP, PATH_AUTO, 1};
    bitsliced_chain c = good;
    expect(bitsliced_check(&c) == RSMI_OK && bitsliced_sweep(&c, -1, NULL, NULL) == RSMI_BAD_VALUE);
    for (c.ising.height = 8; c.ising.height <= 136; c.ising.height += 16)
        expect(refuses(RSMI_BAD_SHAPE, c));
    for (c = good, c.ising.width = 64; c.ising.width <= 1000; c.ising.width += 128)
        expect(refuses(RSMI_BAD_SHAPE, c));
    for (c = good, c.ising.height = 3; c.ising.depth < 3; c.ising.depth++)
        expect(refuses(RSMI_BAD_SHAPE, c));
    c = good, c.ising.height = 1;
    expect(refuses(RSMI_BAD_SHAPE, c));
    c = good, c.blocks = 0;
    expect(refuses(RSMI_BAD_VALUE, c));
    for (c = good, c.layout = -1; c.layout <= 2; c.layout += 3)
        expect(refuses(RSMI_BAD_VALUE, c));
    for (c = good, c.path = -1; c.path <= 6; c.path += 7)
        expect(refuses(RSMI_BAD_VALUE, c));
    for (c = good, c.ising.algorithm = ISING_SWENDSEN_WANG; c.ising.algorithm <= ISING_WOLFF;
         c.ising.algorithm++)
        expect(refuses(RSMI_BAD_VALUE, c));
    c = good, c.ising.coupling = NAN;
    expect(refuses(RSMI_BAD_VALUE, c));
    for (c = good, c.path = PATH_AVX512; c.path <= PATH_SSE2; c.path++)
        expect(path_supported(c.path) || refuses(RSMI_UNSUPPORTED, c));
}

int main(void)
{
    for (int64_t i = 0; i < COUNT(REPLICAS); i++)
        check_chain(BITSLICED_REPLICAS, REPLICAS[i]);
    for (int64_t i = 0; i < COUNT(STRIPS); i++)
        check_chain(BITSLICED_STRIP, STRIPS[i]);
    check_refusals();
    return 0;
}
