/* Checks worms of the triangular ground states: rows without a triangle of equal spins on every
 * shape, rows that do not depend on where they are cut, and refusals. */
#include "models/triangular/triangular_worm.h"
#include "tests/expect.h"

static const int64_t SHAPES[][2] = {{3, 3}, {3, 6}, {6, 3}, {9, 12}, {3, 66}, {33, 3}, {24, 24}};
enum { CHAINS = 11, ROWS = 30, CUT = 13 };

static uint8_t *flat_bonds(const triangular_lattice *lattice)
{
    static const uint8_t bond[3] = {1, 0, 2};
    const int64_t sites = triangular_sites(lattice);
    uint8_t *bonds = take(CHAINS * sites);
    for (int64_t i = 0; i < CHAINS * sites; i++)
        bonds[i] = bond[(i % sites / lattice->columns + i % lattice->columns + i / sites) % 3];
    return bonds;
}

static int64_t *make_rows(const triangular_lattice *lattice, uint8_t *bonds, uint64_t *rng,
                          int64_t first, int64_t count, uint8_t *packed)
{
    int64_t *steps = take(8 * count);
    expect(triangular_sample(lattice, CHAINS, 2, first, count, bonds, rng,
                             take(8 * triangular_workspace(lattice)), packed, steps) == RSMI_OK);
    for (int64_t i = 0; i < count; i++)
        expect(steps[i] >= 2);
    return steps;
}

/* No triangle has three equal spins. */
static void check_ground_state(const triangular_lattice *lattice, const uint8_t *row)
{
    const int64_t rows = lattice->rows, columns = lattice->columns;
    for (int64_t x = 0; x < rows; x++)
        for (int64_t y = 0; y < columns; y++) {
            const int64_t right = (x + 1) % rows, above = (y + 1) % columns;
            const int here = spin_at(row, x * columns + y),
                      across = spin_at(row, right * columns + above);
            expect(here != across || (here != spin_at(row, right * columns + y) &&
                                      here != spin_at(row, x * columns + above)));
        }
}

/* Rows must be the same if they are made in two parts. */
static void check_rows(const triangular_lattice *lattice)
{
    const int64_t sites = triangular_sites(lattice), n_bytes = triangular_row_bytes(lattice);
    uint8_t *once = flat_bonds(lattice), *twice = flat_bonds(lattice);
    uint64_t *rng[2] = {take(32 * CHAINS), take(32 * CHAINS)};
    uint8_t *packed = random_bytes(ROWS * n_bytes), *parts = random_bytes(ROWS * n_bytes),
            *last = take(n_bytes);
    for (int k = 0; k < 4 * CHAINS; k++)
        rng[0][k] = rng[1][k] = 1 + (uint64_t)k;
    make_rows(lattice, once, rng[0], 0, ROWS, packed);
    make_rows(lattice, twice, rng[1], 0, CUT, parts);
    make_rows(lattice, twice, rng[1], CUT, ROWS - CUT, parts + CUT * n_bytes);
    expect(!memcmp(once, twice, (size_t)(CHAINS * sites)) && !memcmp(rng[0], rng[1], 32 * CHAINS) &&
           !memcmp(packed, parts, (size_t)(ROWS * n_bytes)));
    for (int64_t row = 0; row < ROWS; row++)
        check_ground_state(lattice, packed + row * n_bytes);
    for (int64_t row = ROWS - CHAINS; row < ROWS; row++) {
        const uint8_t *bonds = once + row % CHAINS * sites;
        expect(triangular_check(lattice, bonds) == RSMI_OK && triangular_has_spins(lattice, bonds));
        triangular_pack(lattice, bonds, spin_at(packed + row * n_bytes, 0) > 0, last);
        expect(!memcmp(last, packed + row * n_bytes, (size_t)n_bytes));
    }
    release_all();
}

static void check_refusals(void)
{
    const triangular_lattice lattice = {6, 9};
    uint8_t *bonds = flat_bonds(&lattice);
    uint64_t rng[4 * CHAINS] = {1}, *workspace = take(8 * triangular_workspace(&lattice));
    const triangular_lattice bad[] = {{6, 8}, {0, 6}, {3, 16386}};
    for (int64_t i = 0; i < COUNT(bad); i++)
        expect(triangular_check(bad + i, bonds) == RSMI_BAD_SHAPE);
    expect(triangular_sample(&lattice, 1, 0, 0, 1, bonds, rng, workspace, NULL, NULL) ==
           RSMI_BAD_VALUE);
    for (int value = 0; value < 4; value++) {
        const uint8_t kept = bonds[20];
        bonds[20] = (uint8_t)value;
        expect((triangular_check(&lattice, bonds) == RSMI_OK) == (kept == value));
        bonds[20] = kept;
    }
    bonds[53] = 3;
    expect(triangular_sample(&lattice, 1, 1, 0, 1, bonds, rng, workspace, NULL, NULL) ==
           RSMI_BAD_VALUE);
    release_all();
}

int main(void)
{
    for (int64_t i = 0; i < COUNT(SHAPES); i++)
        check_rows(&(triangular_lattice){SHAPES[i][0], SHAPES[i][1]});
    check_refusals();
    return 0;
}
