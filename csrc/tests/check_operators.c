/* Checks operators and windows against their definition site by site. */
#include "blocking/levels.h"
#include "blocking/operator_products.h"
#include "blocking/operators.h"
#include "blocking/windows.h"
#include "tests/expect.h"

static void check_sums(int64_t planes, int64_t height, int64_t width)
{
    enum { SAMPLES = 21, TERMS = 30, OPERATORS = 7 };
    const int64_t sites = planes * height * width, n_bytes = (sites + 7) / 8,
                  shape[3] = {planes, height, width};
    const uint8_t *rows = random_bytes(SAMPLES * n_bytes);
    int32_t terms[TERMS][OPERATOR_SPINS][3], term_operator[TERMS];
    int64_t *sums = take(SAMPLES * OPERATORS * 8), expected[OPERATORS];
    for (int t = 0; t < TERMS; t++) {
        const int spins = 1 + t % OPERATOR_SPINS;
        term_operator[t] = (int32_t)random_below(OPERATORS);
        for (int i = 0; i < OPERATOR_SPINS; i++)
            for (int axis = 0; axis < 3; axis++)
                terms[t][i][axis] =
                    i < spins ? (int32_t)random_below(axis < 2 ? 3 : 1 + OPERATOR_RANGE) : -1;
    }
    expect(operator_sums(rows, SAMPLES, shape, terms[0][0], term_operator, TERMS, OPERATORS,
                         sums) == RSMI_OK);
    for (int64_t s = 0; s < SAMPLES; s++) {
        memset(expected, 0, sizeof expected);
        for (int t = 0; t < TERMS; t++)
            for (int64_t site = 0; site < sites; site++) {
                int product = 1;
                for (int i = 0; i < OPERATOR_SPINS && terms[t][i][0] >= 0; i++) {
                    const int32_t *offset = terms[t][i];
                    const int64_t z = (site / width / height + offset[0]) % planes,
                                  y = (site / width % height + offset[1]) % height;
                    product *= spin_at(rows + s * n_bytes, (z * height + y) * width +
                                                               (site % width + offset[2]) % width);
                }
                expected[term_operator[t]] += product;
            }
        expect(memcmp(sums + s * OPERATORS, expected, sizeof expected) == 0);
    }
    release_all();
}

static void check_bad_terms(void)
{
    const int32_t good[12] = {0, 0, 0, 0, 0, 1, -1, -1, -1, -1, -1, -1}, empty[12] = {-1},
                  far[12] = {0, 0, 0, 0, 0, OPERATOR_RANGE + 1, -1, -1, -1, -1, -1, -1};
    const int64_t shape[3] = {1, 4, 4};
    const uint8_t rows[2] = {0, 0};
    int64_t sums[2];
    for (int32_t number = -1; number <= 2; number++)
        expect(operator_sums(rows, 1, shape, good, &number, 1, 2, sums) ==
               (number == 0 || number == 1 ? RSMI_OK : RSMI_BAD_VALUE));
    expect(operator_sums(rows, 1, shape, empty, &(int32_t){0}, 1, 2, sums) == RSMI_BAD_VALUE);
    expect(operator_sums(rows, 1, shape, far, &(int32_t){0}, 1, 2, sums) == RSMI_BAD_VALUE);
}

/* Small values are summed as doubles, large ones one by one. */
static void check_products(int64_t n_even, int64_t n_odd, uint64_t largest)
{
    enum { SAMPLES = 301, BLOCKS = 3, LEVELS = 3 };
    const int64_t n_operators[2] = {n_even, n_odd}, stride = n_even + n_odd;
    int64_t *sums = take(8 * LEVELS * SAMPLES * stride), *energies = take(8 * SAMPLES),
            *blocks = take(8 * SAMPLES), *products[2];
    for (int64_t i = 0; i < LEVELS * SAMPLES * stride; i++)
        sums[i] = (int64_t)random_below(2 * largest) - (int64_t)largest;
    for (int64_t i = 0; i < SAMPLES; i++)
        energies[i] = (int64_t)random_below(2 * largest) - (int64_t)largest,
        blocks[i] = (int64_t)random_below(BLOCKS);
    for (int s = 0; s < 2; s++)
        products[s] = take(8 * BLOCKS * LEVELS * n_operators[s] * (2 + 2 * n_operators[s]));
    for (int twice = 0; twice < 2; twice++)
        expect(accumulate_levels(sums, energies, blocks, LEVELS, SAMPLES, n_operators, BLOCKS,
                                 products) == RSMI_OK);
    for (int s = 0; s < 2; s++)
        for (int64_t level = 0, k = n_operators[s]; level < LEVELS; level++)
            for (int64_t i = 0; i < SAMPLES; i++) {
                const int64_t *own = sums + (level * SAMPLES + i) * stride + s * n_even,
                              *before = own - SAMPLES * stride;
                for (int64_t a = 0; a < k; a++)
                    for (int64_t b = 0; b < 2 + 2 * k; b++) {
                        const int64_t right = b == 0      ? 1
                                              : b == 1    ? energies[i]
                                              : b < 2 + k ? own[b - 2]
                                              : level     ? before[b - 2 - k]
                                                          : 0;
                        products[s][((blocks[i] * LEVELS + level) * k + a) * (2 + 2 * k) + b] -=
                            2 * own[a] * right;
                    }
            }
    for (int s = 0; s < 2; s++)
        for (int64_t i = 0; i < BLOCKS * LEVELS * n_operators[s] * (2 + 2 * n_operators[s]); i++)
            expect(products[s][i] == 0);
    release_all();
}

/* Checks many lattices side by side against blocking and operators one after the other. */
static void check_levels(int64_t height, int64_t width, int64_t steps, int64_t n_samples,
                         const double filters[4], double bias)
{
    enum { TERMS = 40, OPERATORS = 7 };
    const int64_t sites = height * width, shape[3] = {1, height, width};
    const block_rule rule = {{1, 2, 2}, 1, filters, &bias, 1, 1, 0, NULL};
    const uint64_t keys[8] = {1, 2, 3, 4, 5, 6, 7, 8};
    int32_t terms[TERMS][OPERATOR_SPINS][3], term_operator[TERMS];
    const uint8_t *rows = random_bytes(n_samples * ((sites + 7) / 8));
    int64_t *sums = take(8 * (steps + 1) * n_samples * OPERATORS),
            *expected = take(8 * n_samples * OPERATORS);
    uint64_t *samples = take(8 * n_samples);
    for (int64_t i = 0; i < n_samples; i++)
        samples[i] = (uint64_t)(3 * i) << (i % 40);
    for (int t = 0; t < TERMS; t++) {
        term_operator[t] = t % 9 < 5 ? t / 9 : (int32_t)random_below(OPERATORS);
        for (int i = 0; i < OPERATOR_SPINS; i++)
            for (int axis = 0; axis < 3; axis++)
                terms[t][i][axis] =
                    i < 1 + t % OPERATOR_SPINS ? axis ? (int32_t)random_below(4) : 0 : -1;
    }
    expect(level_sums(rows, n_samples, shape, &rule, steps, keys, samples, terms[0][0],
                      term_operator, TERMS, OPERATORS, sums) == RSMI_OK);
    for (int64_t level = 0; level <= steps; level++) {
        const int64_t fine[3] = {1, height << 1 >> level, width << 1 >> level},
                      coarse[3] = {1, height >> level, width >> level};
        if (level) {
            uint8_t *blocked = take(n_samples * ((coarse[1] * coarse[2] + 7) / 8));
            expect(coarse_grain(rows, n_samples, fine, &rule, keys + 2 * (level - 1), samples,
                                blocked) == RSMI_OK);
            rows = blocked;
        }
        expect(operator_sums(rows, n_samples, coarse, terms[0][0], term_operator, TERMS, OPERATORS,
                             expected) == RSMI_OK);
        expect(memcmp(sums + level * n_samples * OPERATORS, expected,
                      (size_t)(8 * n_samples * OPERATORS)) == 0);
    }
    const int64_t odd[3] = {1, height + 1, width}, deep[3] = {2, height, width};
    expect(level_sums(rows, 0, odd, &rule, 1, keys, samples, terms[0][0], term_operator, TERMS,
                      OPERATORS, sums) == RSMI_BAD_SHAPE);
    expect(level_sums(rows, 0, deep, &rule, steps, keys, samples, terms[0][0], term_operator, TERMS,
                      OPERATORS, sums) == RSMI_BAD_SHAPE);
    const block_rule soft = {{1, 2, 2}, 1, filters, &bias, 0, 1, 0, NULL};
    expect(level_sums(rows, 0, shape, &soft, steps, keys, samples, terms[0][0], term_operator,
                      TERMS, OPERATORS, sums) == RSMI_UNSUPPORTED);
    release_all();
}

static void check_windows(const int64_t *shape, int dimension)
{
    enum { CONFIGURATIONS = 3, WINDOWS = 50, SITES = 11 };
    const uint64_t key[2] = {1, 2};
    int64_t sites = 1, *configurations = take(8 * WINDOWS),
            *origins = take(8 * WINDOWS * dimension), *offsets = take(8 * SITES * dimension);
    int8_t *flips = take(WINDOWS), *windows = take(WINDOWS * SITES);
    for (int axis = 0; axis < dimension; axis++)
        sites *= shape[axis];
    const int64_t row_bytes = (sites + 7) / 8;
    const uint8_t *rows = random_bytes(CONFIGURATIONS * row_bytes);
    for (int64_t i = 0; i < SITES * dimension; i++)
        offsets[i] = (int64_t)random_below((uint64_t)shape[i % dimension]);
    for (int symmetric = 0; symmetric < 2; symmetric++) {
        int64_t flipped = 0;
        expect(choose_windows(key, CONFIGURATIONS, shape, dimension, symmetric, WINDOWS,
                              configurations, origins, flips) == RSMI_OK);
        expect(extract_windows(rows, CONFIGURATIONS, row_bytes, shape, dimension, offsets, SITES,
                               configurations, origins, flips, WINDOWS, windows) == RSMI_OK);
        expect(configurations[0] == 0 && configurations[WINDOWS - 1] == CONFIGURATIONS - 1 &&
               all_spins(WINDOWS, flips));
        for (int64_t w = 0; w < WINDOWS; w++, flipped += flips[w - 1] < 0)
            for (int64_t k = 0; k < SITES; k++) {
                int64_t site = 0;
                for (int axis = 0; axis < dimension; axis++)
                    site = site * shape[axis] +
                           (origins[w * dimension + axis] + offsets[k * dimension + axis]) %
                               shape[axis];
                expect(windows[w * SITES + k] ==
                       flips[w] * spin_at(rows + configurations[w] * row_bytes, site));
            }
        expect(symmetric ? flipped > 0 && flipped < WINDOWS : flipped == 0);
    }
#define EXTRACT                                                                                    \
    extract_windows(rows, CONFIGURATIONS, row_bytes, shape, dimension, offsets, SITES,             \
                    configurations, origins, flips, WINDOWS, windows)
    int64_t *const last[] = {&configurations[WINDOWS - 1], &origins[WINDOWS * dimension - 1],
                             &offsets[SITES * dimension - 1]};
    const int64_t too_large[] = {CONFIGURATIONS, shape[dimension - 1], shape[dimension - 1]};
    for (int i = 0; i < 3; i++) {
        const int64_t kept = *last[i];
        expect((*last[i] = too_large[i], EXTRACT) == RSMI_BAD_VALUE &&
               (*last[i] = -1, EXTRACT) == RSMI_BAD_VALUE);
        *last[i] = kept;
    }
    flips[0] = 0;
    expect(EXTRACT == RSMI_BAD_VALUE);
    expect(extract_windows(rows, CONFIGURATIONS, row_bytes + 1, shape, dimension, offsets, SITES,
                           configurations, origins, flips, 1, windows) == RSMI_BAD_SHAPE);
    release_all();
}

int main(void)
{
    const int64_t sizes[][2] = {{1, 1},   {1, 2},   {2, 1},  {2, 2},  {3, 5},  {7, 64}, {2, 65},
                                {9, 128}, {5, 130}, {63, 3}, {64, 1}, {1, 64}, {8, 8},  {4, 127}};
    for (int64_t i = 0; i < COUNT(sizes); i++)
        check_sums(1 + 2 * (i % 3), sizes[i][0], sizes[i][1]);
    check_bad_terms();
    for (int64_t n = 1; n < 12; n++)
        check_products(n, 1 + n % 4, n % 3 ? 1 << 15 : 1LL << 26);
    const double majority[4] = {1, 1, 1, 1}, first[4] = {1, 0, 0, 0}, some[4] = {1, -2, 1, 3};
    check_levels(2, 2, 1, 3, majority, 0);
    check_levels(8, 12, 2, 513, majority, 0);
    check_levels(6, 70, 1, 65, some, -1);
    check_levels(24, 32, 3, 100, majority, 0.5);
    check_levels(16, 16, 4, 600, first, 0);
    const int64_t shapes[][4] = {
        {2, 3, 5, 3}, {4, 4, 4, 4}, {9, 1, 7, 2}, {64, 64, 2, 1}, {129, 3, 3, 5}};
    for (int64_t i = 0; i < COUNT(shapes); i++)
        for (int dimension = 1; dimension <= WINDOWS_MAX_DIMENSION; dimension++)
            check_windows(shapes[i], dimension);
    for (int dimension = 0; dimension <= 5; dimension += 5)
        expect(extract_windows(NULL, 0, 1, (const int64_t[5]){2, 2, 2, 1, 1}, dimension, NULL, 0,
                               NULL, NULL, NULL, 0, NULL) == RSMI_BAD_SHAPE);
    return 0;
}
