/* Checks loops of interacting dimers: probabilities in every neighbourhood, coverings of every
 * shape, order and disorder, and refusals. */
#include "models/dimers/dimers_loop.h"
#include "tests/expect.h"

static const int64_t SHAPES[][2] = {{2, 2},  {2, 4},   {4, 2},   {6, 4},
                                    {2, 66}, {10, 14}, {4, 130}, {34, 6}};
enum { CHAINS = 6, ROWS = 20 };

static int8_t *columns(const dimer_lattice *lattice)
{
    const int64_t vertices = dimer_vertices(lattice);
    int8_t *partners = take(CHAINS * vertices);
    for (int64_t i = 0; i < CHAINS * vertices; i++)
        partners[i] = i % vertices / lattice->columns % 2 ? 2 : 0;
    return partners;
}

/* w_i P_ij = w_j P_ji between the links 0 and k, seen from either. */
static void check_balance(double coupling)
{
    for (int lanes = 0; lanes < 256; lanes++) {
        const int parallel[4] = {lanes & 3, lanes >> 2 & 3, lanes >> 4 & 3, lanes >> 6};
        double here[4], there[4], sum = 0;
        if (parallel[0] == 3)
            continue;
        dimer_loop_scatter(parallel, coupling, here);
        for (int k = 0; k < 4; k++) {
            expect(here[k] >= 0 && (parallel[k] < 3 || here[k] == 0));
            sum += here[k];
            if (parallel[k] == 3)
                continue;
            const int turned[4] = {parallel[k], parallel[(k + 1) % 4], parallel[(k + 2) % 4],
                                   parallel[(k + 3) % 4]};
            dimer_loop_scatter(turned, coupling, there);
            expect(fabs(coupling) > 10 ||
                   close_to(here[k],
                            there[(4 - k) % 4] * exp(coupling * (parallel[k] - parallel[0])),
                            1e-12));
        }
        expect(close_to(sum, 1, 1e-14));
    }
}

static int64_t *make_rows(const dimer_lattice *lattice, double coupling, int8_t *partners,
                          uint64_t *rng, int64_t first, int64_t count, uint8_t *packed)
{
    int64_t *pairs = take(8 * count), *steps = take(8 * count);
    expect(dimer_loop_sample(lattice, coupling, CHAINS, 3, first, count, partners, rng,
                             take(8 * dimer_loop_workspace(lattice)), packed, pairs,
                             steps) == RSMI_OK);
    for (int64_t i = 0; i < count; i++)
        expect(steps[i] >= 3);
    return pairs;
}

/* Rows must be coverings with the stated number of pairs, and the same if they are made in two
 * parts. */
static void check_rows(const dimer_lattice *lattice, double coupling)
{
    const int64_t vertices = dimer_vertices(lattice), n_bytes = dimer_link_bytes(lattice);
    int8_t *once = columns(lattice), *twice = columns(lattice);
    uint64_t *rng[2] = {take(32 * CHAINS), take(32 * CHAINS)};
    uint8_t *packed = random_bytes(ROWS * n_bytes), *parts = random_bytes(ROWS * n_bytes),
            *last = take(n_bytes);
    for (int k = 0; k < 4 * CHAINS; k++)
        rng[0][k] = rng[1][k] = 1 + (uint64_t)k;
    const int64_t *pairs = make_rows(lattice, coupling, once, rng[0], 0, ROWS, packed);
    make_rows(lattice, coupling, twice, rng[1], 0, 7, parts);
    make_rows(lattice, coupling, twice, rng[1], 7, ROWS - 7, parts + 7 * n_bytes);
    expect(!memcmp(once, twice, (size_t)(CHAINS * vertices)) &&
           !memcmp(rng[0], rng[1], 32 * CHAINS) &&
           !memcmp(packed, parts, (size_t)(ROWS * n_bytes)));
    for (int64_t row = ROWS - CHAINS; row < ROWS; row++) {
        const int8_t *partners = once + row % CHAINS * vertices;
        expect(dimer_check_covering(lattice, partners) == RSMI_OK &&
               dimer_parallel_pairs(lattice, partners) == pairs[row]);
        dimer_pack(lattice, partners, last);
        expect(!memcmp(last, packed + row * n_bytes, (size_t)n_bytes));
    }
    release_all();
}

/* At a very strong attraction the columns stay as they are; under repulsion they melt. */
static void check_strong_coupling(void)
{
    const dimer_lattice lattice = {10, 14, 0};
    int8_t *partners = columns(&lattice);
    uint64_t rng[4 * CHAINS];
    for (int k = 0; k < 4 * CHAINS; k++)
        rng[k] = 1 + (uint64_t)k;
    expect(make_rows(&lattice, 1e300, partners, rng, 0, ROWS,
                     take(ROWS * dimer_link_bytes(&lattice)))[ROWS - 1] == 70);
    expect(make_rows(&lattice, -5, partners, rng, 0, 50 * CHAINS,
                     take(50 * CHAINS * dimer_link_bytes(&lattice)))[50 * CHAINS - 1] < 30);
    release_all();
}

static void check_refusals(void)
{
    const dimer_lattice lattice = {4, 6, 0};
    int8_t *partners = columns(&lattice);
    uint64_t rng[4 * CHAINS] = {1};
    uint64_t *workspace = take(8 * dimer_loop_workspace(&lattice));
    const double bad[] = {NAN, INFINITY, -INFINITY};
    for (int i = 0; i < 3; i++)
        expect(dimer_loop_sample(&lattice, bad[i], 1, 1, 0, 1, partners, rng, workspace, NULL, NULL,
                                 NULL) == RSMI_BAD_VALUE);
    expect(dimer_loop_sample(&lattice, 1, 1, 0, 0, 1, partners, rng, workspace, NULL, NULL, NULL) ==
           RSMI_BAD_VALUE);
    expect(dimer_loop_sample(&(dimer_lattice){4, 5, 0}, 1, 1, 1, 0, 1, partners, rng, workspace,
                             NULL, NULL, NULL) == RSMI_BAD_SHAPE);
    expect(dimer_loop_sample(&(dimer_lattice){2, 6, 1}, -0.1, 1, 1, 0, 1, partners, rng, workspace,
                             NULL, NULL, NULL) == RSMI_BAD_VALUE);
    expect(dimer_loop_sample(&lattice, -10.1, 1, 1, 0, 1, partners, rng, workspace, NULL, NULL,
                             NULL) == RSMI_BAD_VALUE);
    partners[3] = 1;
    expect(dimer_loop_sample(&lattice, 1, 1, 1, 0, 1, partners, rng, workspace, NULL, NULL, NULL) ==
           RSMI_BAD_VALUE);
    release_all();
}

int main(void)
{
    const double couplings[] = {0, 0.4, 1.6, -0.9, 1e3, -5};
    for (int64_t k = 0; k < COUNT(couplings); k++) {
        check_balance(couplings[k]);
        for (int64_t i = 0; i < COUNT(SHAPES); i++)
            for (int open = 0; open < 2; open++) {
                const int ladder = open && (SHAPES[i][0] == 2 || SHAPES[i][1] == 2);
                if (!ladder || couplings[k] >= 0)
                    check_rows(&(dimer_lattice){SHAPES[i][0], SHAPES[i][1], open}, couplings[k]);
            }
    }
    check_strong_coupling();
    check_refusals();
    return 0;
}
