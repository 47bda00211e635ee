/* Checks dimers: coverings of every shape, counts against their definition, chains in turn against
 * single chains, noise, and refusals. */
#include "models/dimers/dimers.h"
#include "models/dimers/dimers_worm.h"
#include "tests/expect.h"

static const int64_t SHAPES[][2] = {{2, 2},  {2, 4},   {4, 2},   {6, 4},
                                    {2, 66}, {10, 14}, {4, 130}, {34, 6}};

static int8_t *columns(const dimer_lattice *lattice, int64_t chains)
{
    const int64_t vertices = dimer_vertices(lattice);
    int8_t *partners = take(chains * vertices);
    for (int64_t i = 0; i < chains * vertices; i++)
        partners[i] = i % vertices / lattice->columns % 2 ? 2 : 0;
    return partners;
}

static int64_t plain_pairs(const dimer_lattice *lattice, const int8_t *partners)
{
    int64_t pairs = 0;
    for (int64_t y = 0; y < lattice->rows; y++)
        for (int64_t x = 0; x < lattice->columns; x++)
            for (int direction = 0; direction < 2; direction++) {
                const int64_t beside_y = y + (direction == 1), beside_x = x + (direction == 0);
                if (lattice->open && (beside_y == lattice->rows || beside_x == lattice->columns))
                    continue;
                pairs += partners[y * lattice->columns + x] == direction &&
                         partners[beside_y % lattice->rows * lattice->columns +
                                  beside_x % lattice->columns] == direction;
            }
    return pairs;
}

/* The last row of a chain against its partners. */
static void check_row(const dimer_lattice *lattice, const int8_t *partners, const uint8_t *packed,
                      int64_t pairs)
{
    const int64_t vertices = dimer_vertices(lattice);
    expect(dimer_check_covering(lattice, partners) == RSMI_OK);
    expect(pairs == plain_pairs(lattice, partners) &&
           pairs == dimer_parallel_pairs(lattice, partners));
    for (int64_t bit = 0; bit < 8 * dimer_link_bytes(lattice); bit++)
        expect((spin_at(packed, bit) > 0) ==
               (bit < 2 * vertices && partners[bit % vertices] == bit / vertices));
}

enum { CHAINS = 6, ROWS = 20 };

typedef struct {
    int8_t *partners;
    uint64_t *rng;
    uint8_t *packed;
    int64_t *pairs, *steps;
} rows;

static rows make_rows(const dimer_lattice *lattice, int64_t chains, int64_t first_chain,
                      int64_t count)
{
    rows r = {columns(lattice, chains), take(32 * chains),
              random_bytes(count * dimer_link_bytes(lattice)), take(8 * count), take(8 * count)};
    for (int64_t k = 0; k < 4 * chains; k++)
        r.rng[k] = (uint64_t)(1 + 4 * first_chain + k);
    expect(dimer_sample(lattice, chains, 3, 0, count, r.partners, r.rng,
                        take(8 * dimer_workspace(lattice, chains)), r.packed, r.pairs,
                        r.steps) == RSMI_OK);
    return r;
}

static void check_chains(const dimer_lattice *lattice)
{
    const int64_t vertices = dimer_vertices(lattice), n_bytes = dimer_link_bytes(lattice);
    const rows all = make_rows(lattice, CHAINS, 0, ROWS);
    for (int64_t chain = 0; chain < CHAINS; chain++) {
        const int64_t count = (ROWS - chain + CHAINS - 1) / CHAINS,
                      last = chain + (count - 1) * CHAINS;
        check_row(lattice, all.partners + chain * vertices, all.packed + last * n_bytes,
                  all.pairs[last]);
        const rows alone = make_rows(lattice, 1, chain, count);
        expect(!memcmp(alone.partners, all.partners + chain * vertices, (size_t)vertices) &&
               !memcmp(alone.rng, all.rng + 4 * chain, 32));
        for (int64_t i = 0; i < count; i++) {
            const int64_t row = chain + i * CHAINS;
            expect(
                !memcmp(alone.packed + i * n_bytes, all.packed + row * n_bytes, (size_t)n_bytes));
            expect(alone.pairs[i] == all.pairs[row] && alone.steps[i] == all.steps[row]);
        }
    }
    release_all();
}

static void check_noise(const dimer_lattice *lattice, int straddling)
{
    enum { SAMPLES = 3 };
    const int64_t vertices = dimer_vertices(lattice), n_bytes = dimer_link_bytes(lattice),
                  row_bytes = (4 * vertices + 7) / 8;
    const uint64_t key[2] = {7, 8};
    const rows r = make_rows(lattice, 1, 0, SAMPLES);
    uint8_t *packed = random_bytes(SAMPLES * row_bytes);
    expect(dimer_add_noise(lattice, 1.0, straddling, key, 0, SAMPLES, r.packed, packed) == RSMI_OK);
    for (int64_t i = 0; i < SAMPLES; i++) {
        const uint8_t *row = packed + i * row_bytes;
        for (int64_t k = 0; k < 2 * vertices; k++)
            expect(spin_at(row, vertices + k) == spin_at(r.packed + i * n_bytes, k));
        for (int64_t v = 0; v < vertices; v++) {
            const int64_t y = v / lattice->columns + straddling,
                          x = v % lattice->columns + straddling;
            expect(spin_at(row, 3 * vertices + v) ==
                   spin_at(row, y % lattice->rows * lattice->columns + x % lattice->columns));
        }
        for (int64_t bit = 4 * vertices; bit < 8 * row_bytes; bit++)
            expect(spin_at(row, bit) == -1);
    }
    release_all();
}

static void check_refusals(void)
{
    const dimer_lattice odd = {3, 4, 0}, empty = {0, 4, 0}, huge = {1 << 20, 1 << 20, 0},
                        torus = {4, 4, 0}, open = {4, 4, 1};
    expect(dimer_check(&odd) == RSMI_BAD_SHAPE && dimer_check(&empty) == RSMI_BAD_SHAPE &&
           dimer_check(&huge) == RSMI_BAD_SHAPE);
    int8_t around[16];
    for (int i = 0; i < 16; i++)
        around[i] = i / 4 % 2 ? 0 : 2;
    expect(dimer_check_covering(&torus, around) == RSMI_OK &&
           dimer_check_covering(&open, around) == RSMI_BAD_VALUE);
    around[5] = 1;
    expect(dimer_check_covering(&torus, around) == RSMI_BAD_VALUE);
    uint64_t rng[4] = {1, 2, 3, 4}, workspace[64];
    uint8_t packed[4];
    int64_t pairs, steps;
    expect(dimer_sample(&torus, 1, 1, 0, 1, around, rng, workspace, packed, &pairs, &steps) ==
           RSMI_BAD_VALUE);
    expect(dimer_sample(&torus, 1, 0, 0, 1, around, rng, workspace, packed, &pairs, &steps) ==
           RSMI_BAD_VALUE);
    expect(dimer_add_noise(&torus, 1.5, 0, rng, 0, 0, packed, packed) == RSMI_BAD_VALUE);
    expect(dimer_add_noise(&odd, 0.5, 0, rng, 0, 0, packed, packed) == RSMI_BAD_SHAPE);
}

int main(void)
{
    for (int64_t i = 0; i < COUNT(SHAPES); i++)
        for (int k = 0; k < 2; k++) {
            const dimer_lattice lattice = {SHAPES[i][0], SHAPES[i][1], k};
            check_chains(&lattice);
            check_noise(&lattice, k);
        }
    check_refusals();
    return 0;
}
