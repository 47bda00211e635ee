/* Checks loops of the six-vertex model: rows that obey the ice rule on every shape, rows that do
 * not depend on where they are cut, their numbers of c vertices, and refusals. */
#include "models/six_vertex/six_vertex_loop.h"
#include "tests/expect.h"

static const int64_t SHAPES[][2] = {{2, 2}, {3, 2}, {2, 5}, {4, 4}, {7, 9}, {2, 66}, {24, 16}};
enum { CHAINS = 11, ROWS = 30, CUT = 13 };

static uint8_t *parallel_arrows(const six_vertex_lattice *lattice)
{
    const int64_t vertices = six_vertex_vertices(lattice);
    uint8_t *bytes = take(CHAINS * vertices);
    for (int64_t i = 0; i < CHAINS * vertices; i++)
        bytes[i] = i / vertices % 2 ? 12 : 3;
    return bytes;
}

static int64_t *make_rows(const six_vertex_lattice *lattice, uint8_t *bytes, uint64_t *rng,
                          int64_t first, int64_t count, uint8_t *packed)
{
    int64_t *found = take(8 * count), *steps = take(8 * count);
    expect(six_vertex_sample(lattice, 1.3, CHAINS, 2, first, count, bytes, rng,
                             take(8 * six_vertex_workspace(lattice)), packed, found,
                             steps) == RSMI_OK);
    for (int64_t i = 0; i < count; i++)
        expect(steps[i] >= 2);
    return found;
}

/* As many arrows enter every vertex as leave it. */
static void check_ice_rule(const six_vertex_lattice *lattice, const uint8_t *row, int64_t found)
{
    const int64_t rows = lattice->rows, columns = lattice->columns, all = rows * columns;
    for (int64_t x = 0; x < rows; x++)
        for (int64_t y = 0; y < columns; y++) {
            const int64_t left = (x + rows - 1) % rows, below = (y + columns - 1) % columns;
            const int along_x = spin_at(row, x * columns + y),
                      along_y = spin_at(row, all + x * columns + y),
                      from_left = spin_at(row, left * columns + y),
                      from_below = spin_at(row, all + x * columns + below);
            expect(along_x + along_y == from_left + from_below);
            found -= along_x != from_left;
        }
    expect(found == 0);
}

/* Rows must be the same if they are made in two parts. */
static void check_rows(const six_vertex_lattice *lattice)
{
    const int64_t vertices = six_vertex_vertices(lattice), n_bytes = six_vertex_row_bytes(lattice);
    uint8_t *once = parallel_arrows(lattice), *twice = parallel_arrows(lattice);
    uint64_t *rng[2] = {take(32 * CHAINS), take(32 * CHAINS)};
    uint8_t *packed = random_bytes(ROWS * n_bytes), *parts = random_bytes(ROWS * n_bytes),
            *last = take(n_bytes);
    for (int k = 0; k < 4 * CHAINS; k++)
        rng[0][k] = rng[1][k] = 1 + (uint64_t)k;
    const int64_t *found = make_rows(lattice, once, rng[0], 0, ROWS, packed);
    make_rows(lattice, twice, rng[1], 0, CUT, parts);
    make_rows(lattice, twice, rng[1], CUT, ROWS - CUT, parts + CUT * n_bytes);
    expect(!memcmp(once, twice, (size_t)(CHAINS * vertices)) &&
           !memcmp(rng[0], rng[1], 32 * CHAINS) &&
           !memcmp(packed, parts, (size_t)(ROWS * n_bytes)));
    for (int64_t row = 0; row < ROWS; row++)
        check_ice_rule(lattice, packed + row * n_bytes, found[row]);
    for (int64_t row = ROWS - CHAINS; row < ROWS; row++) {
        const uint8_t *bytes = once + row % CHAINS * vertices;
        expect(six_vertex_check(lattice, bytes) == RSMI_OK);
        expect(six_vertex_c_vertices(lattice, bytes) == found[row]);
        six_vertex_pack(lattice, bytes, last);
        expect(!memcmp(last, packed + row * n_bytes, (size_t)n_bytes));
    }
    release_all();
}

static void check_refusals(void)
{
    const six_vertex_lattice lattice = {4, 6};
    uint8_t *bytes = parallel_arrows(&lattice);
    uint64_t rng[4 * CHAINS] = {1}, *workspace = take(8 * six_vertex_workspace(&lattice));
    const six_vertex_lattice bad[] = {{1, 6}, {4, 0}, {2, 16384}};
    for (int64_t i = 0; i < COUNT(bad); i++)
        expect(six_vertex_check(bad + i, bytes) == RSMI_BAD_SHAPE);
    const double weights[] = {0, 0.0009, 2.0000001, 0.0 / (rng[0] - 1.0)};
    for (int64_t i = 0; i < COUNT(weights); i++)
        expect(six_vertex_sample(&lattice, weights[i], 1, 1, 0, 1, bytes, rng, workspace, NULL,
                                 NULL, NULL) == RSMI_BAD_VALUE);
    expect(six_vertex_sample(&lattice, 1, 1, 0, 0, 1, bytes, rng, workspace, NULL, NULL, NULL) ==
           RSMI_BAD_VALUE);
    for (int value = 0; value < 17; value++) {
        bytes[8] = (uint8_t)value;
        expect((six_vertex_check(&lattice, bytes) == RSMI_OK) == (value == 3));
    }
    release_all();
}

int main(void)
{
    for (int64_t i = 0; i < COUNT(SHAPES); i++)
        check_rows(&(six_vertex_lattice){SHAPES[i][0], SHAPES[i][1]});
    check_refusals();
    return 0;
}
