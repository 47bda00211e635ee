/* Checks the heat bath of any lattice: plans hold every site once and no neighbours together, rows
 * survive a round trip, counts are those of the rows, every path gives the same bits, hard cores
 * stay apart, and bad systems are refused. */
#include "base/generator.h"
#include "base/instructions.h"
#include "models/lattice/lattice_chain.h"
#include "models/lattice/lattice_clusters.h"
#include "models/lattice/lattice_replicas.h"
#include "models/lattice/lattice_rows.h"
#include "tests/expect.h"

static const lattice_kind KINDS[] = {
    {1, 1, 2, 0, {4}},        {0, 1, 4, 0, {3}},           {0, 1, 5, 0, {4}},     {0, 1, 7, 0, {6}},
    {0, 1, 9, 0, {8}},        {0, 2, 9, 0, {2, 2}},        {0, 2, 25, 0, {4, 4}}, {1, 1, 2, 0, {6}},
    {1, 3, 12, 0, {3, 2, 1}}, {0, 4, 54, 0, {2, 2, 2, 1}}, {0, 1, 64, 0, {63}},
};

/* A ring in which every site has its nearest sites as neighbours; those of the same group have both
 * directions if the size is even. */
static lattice_system ring(const lattice_kind *kind, int64_t sites)
{
    int64_t near = 0, distance = 0;
    for (int64_t g = 0; g < kind->groups; g++)
        near += kind->size[g];
    int32_t *kind_of = take(4 * sites), *neighbour = take(4 * sites * near);
    int64_t *start = take(8 * (sites + 1));
    uint64_t *probability = take(8 * kind->classes);
    for (int64_t site = 0; site < sites; site++) {
        start[site + 1] = (site + 1) * near;
        for (int64_t i = 0; i < near; i++) {
            distance = 1 + i / 2 % (sites - 1);
            neighbour[site * near + i] =
                (int32_t)((site + (i % 2 ? distance : sites - distance)) % sites);
        }
    }
    for (int64_t c = 0; c < kind->classes; c++)
        probability[c] = kind->exclusive && c % 2 ? 0 : xoshiro_next(test_stream);
    return (lattice_system){sites, 1, kind->classes, kind_of, start, neighbour, kind, probability};
}

static lattice_replicas planned(lattice_system system, int path)
{
    int32_t *order = take(4 * LATTICE_BATCH * system.sites);
    const int64_t batches = lattice_plan(&system, order);
    return (lattice_replicas){system, batches, order, path};
}

static void check_plan(const lattice_replicas *r)
{
    const lattice_system *system = &r->system;
    int64_t *batch_of = take(8 * system->sites), seen = 0;
    for (int64_t i = 0; i < r->batches * LATTICE_BATCH; i++)
        if (r->order[i] >= 0) {
            expect(batch_of[r->order[i]] == 0);
            batch_of[r->order[i]] = 1 + i / LATTICE_BATCH;
            seen++;
        }
    expect(seen == system->sites);
    for (int64_t site = 0; site < system->sites; site++)
        for (int64_t i = system->start[site]; i < system->start[site + 1]; i++)
            expect(batch_of[site] != batch_of[system->neighbour[i]]);
}

static uint8_t *random_rows(int64_t sites)
{
    const int64_t bytes = (sites + 7) / 8;
    uint8_t *rows = random_bytes(LATTICE_REPLICAS * bytes);
    for (int64_t i = 0; sites % 8 && i < LATTICE_REPLICAS; i++)
        rows[(i + 1) * bytes - 1] &= (uint8_t)((1 << sites % 8) - 1);
    return rows;
}

static int is_up(const uint8_t *rows, int64_t sites, int64_t replica, int64_t site)
{
    return spin_at(rows + replica * ((sites + 7) / 8), site) > 0;
}

static void check_rows(const lattice_system *system)
{
    enum { BONDS = 37 };
    const int64_t sites = system->sites, bytes = LATTICE_REPLICAS * ((sites + 7) / 8);
    const uint8_t *rows = random_rows(sites);
    uint8_t *again = take(bytes);
    uint64_t *spins = take(64 * sites);
    int64_t *up = take(8 * 512), *unlike = take(8 * 512), *pairs = take(8 * 512);
    int32_t *bonds = take(8 * BONDS);
    for (int i = 0; i < 2 * BONDS; i++)
        bonds[i] = (int32_t)random_below((uint64_t)sites);
    lattice_unpack(sites, rows, spins);
    lattice_pack(sites, spins, again);
    expect(memcmp(rows, again, (size_t)bytes) == 0);
    lattice_count_up(sites, spins, up);
    lattice_count_unlike(BONDS, bonds, spins, unlike);
    lattice_count_pairs(BONDS, bonds, spins, pairs);
    for (int64_t replica = 0; replica < LATTICE_REPLICAS; replica++) {
        for (int64_t site = 0; site < sites; site++)
            up[replica] -= is_up(rows, sites, replica, site);
        for (int i = 0; i < BONDS; i++) {
            const int a = is_up(rows, sites, replica, bonds[2 * i]),
                      b = is_up(rows, sites, replica, bonds[2 * i + 1]);
            unlike[replica] -= a ^ b, pairs[replica] -= a & b;
        }
        expect(up[replica] == 0 && unlike[replica] == 0 && pairs[replica] == 0);
    }
}

static void check_paths(const lattice_system *system)
{
    const uint8_t *rows = random_rows(system->sites);
    const uint64_t *first = NULL, *first_generator = NULL;
    for (int path = PATH_AUTO; path <= PATH_PORTABLE; path++) {
        if (!path_supported(path))
            continue;
        const lattice_replicas r = planned(*system, path);
        uint64_t *spins = take(64 * system->sites), *generator = take(8 * GENERATOR_WORDS),
                 *workspace = take(8 * lattice_replicas_workspace(&r));
        expect(lattice_replicas_check(&r) == RSMI_OK);
        check_plan(&r);
        lattice_unpack(system->sites, rows, spins);
        lattice_replicas_seed((uint64_t[4]){1, 2, 3, 4}, generator);
        expect(lattice_replicas_sweep(&r, 3, spins, generator, workspace) == RSMI_OK);
        if (!first)
            first = spins, first_generator = generator;
        expect(memcmp(spins, first, (size_t)(64 * system->sites)) == 0);
        expect(memcmp(generator, first_generator, 8 * GENERATOR_WORDS) == 0);
    }
}

/* After one sweep no two particles with a hard core are neighbours. */
static void check_hard_cores(const lattice_system *system, int path)
{
    const int64_t sites = system->sites, hard = system->kind->size[0];
    const lattice_replicas r = planned(*system, path);
    uint64_t *spins = take(64 * sites), *generator = take(8 * GENERATOR_WORDS),
             rng[4] = {1, 2, 3, 4};
    uint8_t *chain = take(sites), *row = take((sites + 7) / 8);
    lattice_replicas_seed(rng, generator);
    expect(lattice_replicas_sweep(&r, 5, spins, generator,
                                  take(8 * lattice_replicas_workspace(&r))) == RSMI_OK);
    expect(lattice_chain_sample(system, 5, 1, chain, rng, row) == RSMI_OK);
    for (int64_t site = 0; site < sites; site++)
        for (int64_t i = 0; i < hard / 2 * 2; i++) {
            const int64_t other = system->neighbour[system->start[site] + i];
            for (int lane = 0; lane < 8; lane++)
                expect((spins[8 * site + lane] & spins[8 * other + lane]) == 0);
            expect((chain[site] & chain[other]) == 0);
            expect(spin_at(row, site) == (chain[site] ? 1 : -1));
        }
}

/* At a strong coupling no cluster breaks a satisfied bond, whatever its sign; in a strong field all
 * spins of a cluster follow it. */
static void check_clusters(const lattice_system *system)
{
    const int64_t sites = system->sites, bonds = system->start[sites];
    const uint64_t always = ~0ULL;
    for (int algorithm = LATTICE_SWENDSEN_WANG; algorithm <= LATTICE_WOLFF; algorithm++)
        for (uint8_t unlike = 0; unlike < 2; unlike++) {
            lattice_clusters c = {sites,           1,       system->start, system->neighbour,
                                  take(4 * bonds), &always, &unlike,       0,
                                  algorithm};
            uint8_t *spins = take(sites), *before = take(sites), *row = take((sites + 7) / 8);
            uint64_t rng[4] = {1, 2, 3, 4};
            int64_t flipped;
            int32_t *workspace = take(8 * sites);
            expect(lattice_clusters_check(&c) == RSMI_OK);
            for (int64_t i = 0; i < sites; i++)
                before[i] = spins[i] = (uint8_t)random_below(2);
            expect(lattice_clusters_sample(&c, 20, 1, spins, rng, workspace, row, &flipped) ==
                   RSMI_OK);
            for (int64_t site = 0; site < sites; site++)
                for (int64_t i = system->start[site]; i < system->start[site + 1]; i++) {
                    const int32_t other = system->neighbour[i];
                    if ((before[site] ^ before[other]) == unlike)
                        expect((spins[site] ^ spins[other]) == unlike);
                }
            const uint64_t never = 0;
            c.threshold = &never, c.field = -50;
            expect(lattice_clusters_sample(&c, algorithm == LATTICE_WOLFF ? 20 * sites : 1, 1,
                                           spins, rng, workspace, row, &flipped) == RSMI_OK);
            for (int64_t site = 0; site < sites; site++)
                expect(spins[site] == 0);
            expect(lattice_clusters_sample(&c, -1, 1, NULL, NULL, NULL, NULL, NULL) ==
                   RSMI_BAD_VALUE);
            c.field = NAN;
            expect(lattice_clusters_check(&c) == RSMI_BAD_VALUE);
            c.field = 0, c.algorithm = 2;
            expect(lattice_clusters_check(&c) == RSMI_BAD_VALUE);
            c.algorithm = algorithm, c.groups = 0;
            expect(lattice_clusters_check(&c) == RSMI_BAD_SHAPE);
        }
}

/* Exchanged twice everything is as before; once, the replicas of the mask have changed places. */
static void check_exchange(const lattice_system *system)
{
    const int64_t sites = system->sites;
    uint64_t *spins[2] = {take(64 * sites), take(64 * sites)};
    const uint64_t mask[8] = {1, 0, ~(uint64_t)0, 3, 0, 1ull << 63, 0, 5};
    uint8_t *again = take(LATTICE_REPLICAS * ((sites + 7) / 8));
    const uint8_t *rows[2] = {random_rows(sites), random_rows(sites)};
    for (int i = 0; i < 2; i++)
        lattice_unpack(sites, rows[i], spins[i]);
    lattice_exchange(sites, mask, spins[0], spins[1]);
    lattice_pack(sites, spins[0], again);
    for (int64_t replica = 0; replica < LATTICE_REPLICAS; replica++)
        for (int64_t site = 0; site < sites; site++)
            expect(is_up(again, sites, replica, site) ==
                   is_up(rows[mask[replica / 64] >> replica % 64 & 1], sites, replica, site));
    lattice_exchange(sites, mask, spins[0], spins[1]);
    for (int i = 0; i < 2; i++) {
        lattice_pack(sites, spins[i], again);
        expect(memcmp(rows[i], again, (size_t)(LATTICE_REPLICAS * ((sites + 7) / 8))) == 0);
    }
}

static void check_refusals(void)
{
    lattice_kind kind = {0, 2, 15, 0, {2, 4}};
    const lattice_system good = ring(&kind, 12);
    expect(lattice_check(&good) == RSMI_OK);
    lattice_replicas r = planned(good, PATH_AUTO);
    expect(lattice_replicas_check(&r) == RSMI_OK);
    expect(lattice_replicas_sweep(&r, -1, NULL, NULL, NULL) == RSMI_BAD_VALUE);
    expect(lattice_chain_sample(&good, -1, 1, NULL, NULL, NULL) == RSMI_BAD_VALUE);
    for (r.path = -1; r.path <= 6; r.path += 7)
        expect(lattice_replicas_check(&r) == RSMI_BAD_VALUE);
    kind.classes = 14;
    expect(lattice_check(&good) == RSMI_BAD_SHAPE);
    kind.classes = 15, kind.groups = LATTICE_GROUPS + 1;
    expect(lattice_check(&good) == RSMI_BAD_SHAPE);
    kind.groups = 2, kind.exclusive = 2;
    expect(lattice_check(&good) == RSMI_BAD_SHAPE);
    kind.exclusive = 0, kind.first = 1;
    expect(lattice_check(&good) == RSMI_BAD_SHAPE);
    kind.first = 0;
    ((int32_t *)good.neighbour)[3] = 12;
    expect(lattice_check(&good) == RSMI_BAD_SHAPE);
    ((int32_t *)good.neighbour)[3] = 0;
    expect(lattice_check(&good) == RSMI_BAD_VALUE);
    const lattice_kind large = {0, 2, 72, 0, {7, 8}};
    r.system = ring(&large, 20), r.path = PATH_AUTO;
    expect(lattice_check(&r.system) == RSMI_OK && lattice_replicas_check(&r) == RSMI_BAD_SHAPE);
    release_all();
}

int main(void)
{
    for (int64_t i = 0; i < COUNT(KINDS); i++)
        for (int64_t sites = 70; sites <= 73; sites += 3) {
            const lattice_system system = ring(KINDS + i, sites);
            expect(lattice_check(&system) == RSMI_OK);
            check_paths(&system);
            check_rows(&system);
            check_exchange(&system);
            if (system.start[1] % 2 == 0) /* both ends of a bond have it */
                check_clusters(&system);
            for (int path = PATH_AUTO; KINDS[i].exclusive && path <= PATH_STRESS; path += 5)
                check_hard_cores(&system, path);
            release_all();
        }
    check_refusals();
    return 0;
}
