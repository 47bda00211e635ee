/* Operators and windows against their definition site by site. */
#include "expect.h"
#include "operators.h"
#include "windows.h"

static void check_sums(int64_t planes, int64_t height, int64_t width)
{
    enum { SAMPLES = 21, TERMS = 30, OPERATORS = 7 };
    const int64_t sites = planes * height * width, n_bytes = (sites + 7) / 8, shape[3] = {planes, height, width};
    const uint8_t *rows = random_bytes(SAMPLES * n_bytes);
    int32_t terms[TERMS][OPERATOR_SPINS][3], term_operator[TERMS];
    int64_t *sums = take(SAMPLES * OPERATORS * 8), expected[OPERATORS];
    for (int t = 0; t < TERMS; t++) {
        const int spins = 1 + t % OPERATOR_SPINS;
        term_operator[t] = (int32_t)random_below(OPERATORS);
        for (int i = 0; i < OPERATOR_SPINS; i++)
            for (int axis = 0; axis < 3; axis++) terms[t][i][axis] = i < spins ? (int32_t)random_below(axis < 2 ? 3 : 1 + OPERATOR_RANGE) : -1;
    }
    expect(operator_sums(rows, SAMPLES, shape, terms[0][0], term_operator, TERMS, OPERATORS, sums) == RSMI_OK);
    for (int64_t s = 0; s < SAMPLES; s++) {
        memset(expected, 0, sizeof expected);
        for (int t = 0; t < TERMS; t++)
            for (int64_t site = 0; site < sites; site++) {
                int product = 1;
                for (int i = 0; i < OPERATOR_SPINS && terms[t][i][0] >= 0; i++) {
                    const int32_t *offset = terms[t][i];
                    const int64_t z = (site / width / height + offset[0]) % planes, y = (site / width % height + offset[1]) % height;
                    product *= spin_at(rows + s * n_bytes, (z * height + y) * width + (site % width + offset[2]) % width);
                }
                expected[term_operator[t]] += product;
            }
        expect(memcmp(sums + s * OPERATORS, expected, sizeof expected) == 0);
    }
    release_all();
}

static void check_bad_terms(void)
{
    const int32_t good[12] = {0, 0, 0, 0, 0, 1, -1, -1, -1, -1, -1, -1}, empty[12] = {-1}, far[12] = {0, 0, 0, 0, 0, OPERATOR_RANGE + 1, -1, -1, -1, -1, -1, -1};
    const int64_t shape[3] = {1, 4, 4};
    const uint8_t rows[2] = {0, 0};
    int64_t sums[2];
    for (int32_t number = -1; number <= 2; number++)
        expect(operator_sums(rows, 1, shape, good, &number, 1, 2, sums) == (number == 0 || number == 1 ? RSMI_OK : RSMI_BAD_VALUE));
    expect(operator_sums(rows, 1, shape, empty, &(int32_t){0}, 1, 2, sums) == RSMI_BAD_VALUE);
    expect(operator_sums(rows, 1, shape, far, &(int32_t){0}, 1, 2, sums) == RSMI_BAD_VALUE);
}

static void check_products(int64_t n_left, int64_t n_right)
{
    enum { SAMPLES = 5, BLOCKS = 3 };
    const int64_t blocks[SAMPLES] = {2, 0, 2, 1, 2}, size = n_left * n_right;
    int64_t *left = take(8 * SAMPLES * n_left), *right = take(8 * SAMPLES * n_right), *products = take(8 * BLOCKS * size);
    int64_t *expected = take(8 * BLOCKS * size);
    for (int64_t i = 0; i < SAMPLES * n_left; i++) left[i] = (int64_t)random_below(1 << 20) - (1 << 19);
    for (int64_t i = 0; i < SAMPLES * n_right; i++) right[i] = (int64_t)random_below(1 << 20) - (1 << 19);
    for (int64_t i = 0; i < BLOCKS * size; i++) products[i] = expected[i] = i;
    expect(accumulate_products(left, right, blocks, SAMPLES, n_left, n_right, products) == RSMI_OK);
    for (int64_t i = 0; i < SAMPLES * size; i++) {
        const int64_t s = i / size, a = i % size / n_right, b = i % n_right;
        expected[blocks[s] * size + a * n_right + b] += left[s * n_left + a] * right[s * n_right + b];
    }
    expect(memcmp(products, expected, (size_t)(8 * BLOCKS * size)) == 0);
    release_all();
}

static void check_windows(const int64_t *shape, int dimension)
{
    enum { CONFIGURATIONS = 3, WINDOWS = 50, SITES = 11 };
    const uint64_t key[2] = {1, 2};
    int64_t sites = 1, *configurations = take(8 * WINDOWS), *origins = take(8 * WINDOWS * dimension), *offsets = take(8 * SITES * dimension);
    int8_t *flips = take(WINDOWS), *windows = take(WINDOWS * SITES);
    for (int axis = 0; axis < dimension; axis++) sites *= shape[axis];
    const int64_t row_bytes = (sites + 7) / 8;
    const uint8_t *rows = random_bytes(CONFIGURATIONS * row_bytes);
    for (int64_t i = 0; i < SITES * dimension; i++) offsets[i] = (int64_t)random_below((uint64_t)shape[i % dimension]);
    for (int symmetric = 0; symmetric < 2; symmetric++) {
        int64_t flipped = 0;
        expect(choose_windows(key, CONFIGURATIONS, shape, dimension, symmetric, WINDOWS, configurations, origins, flips) == RSMI_OK);
        expect(extract_windows(rows, CONFIGURATIONS, row_bytes, shape, dimension, offsets, SITES, configurations, origins, flips, WINDOWS, windows)
               == RSMI_OK);
        expect(configurations[0] == 0 && configurations[WINDOWS - 1] == CONFIGURATIONS - 1 && all_spins(WINDOWS, flips));
        for (int64_t w = 0; w < WINDOWS; w++, flipped += flips[w - 1] < 0)
            for (int64_t k = 0; k < SITES; k++) {
                int64_t site = 0;
                for (int axis = 0; axis < dimension; axis++)
                    site = site * shape[axis] + (origins[w * dimension + axis] + offsets[k * dimension + axis]) % shape[axis];
                expect(windows[w * SITES + k] == flips[w] * spin_at(rows + configurations[w] * row_bytes, site));
            }
        expect(symmetric ? flipped > 0 && flipped < WINDOWS : flipped == 0);
    }
#define EXTRACT extract_windows(rows, CONFIGURATIONS, row_bytes, shape, dimension, offsets, SITES, configurations, origins, flips, WINDOWS, windows)
    int64_t *const last[] = {&configurations[WINDOWS - 1], &origins[WINDOWS * dimension - 1], &offsets[SITES * dimension - 1]};
    const int64_t too_large[] = {CONFIGURATIONS, shape[dimension - 1], shape[dimension - 1]};
    for (int i = 0; i < 3; i++) {
        const int64_t kept = *last[i];
        expect((*last[i] = too_large[i], EXTRACT) == RSMI_BAD_VALUE && (*last[i] = -1, EXTRACT) == RSMI_BAD_VALUE);
        *last[i] = kept;
    }
    flips[0] = 0;
    expect(EXTRACT == RSMI_BAD_VALUE);
    expect(extract_windows(rows, CONFIGURATIONS, row_bytes + 1, shape, dimension, offsets, SITES, configurations, origins, flips, 1, windows)
           == RSMI_BAD_SHAPE);
    release_all();
}

int main(void)
{
    const int64_t sizes[][2] = {{1, 1}, {1, 2}, {2, 1}, {2, 2}, {3, 5}, {7, 64}, {2, 65}, {9, 128}, {5, 130}, {63, 3}, {64, 1}, {1, 64}, {8, 8}, {4, 127}};
    for (int64_t i = 0; i < COUNT(sizes); i++) check_sums(1 + 2 * (i % 3), sizes[i][0], sizes[i][1]);
    check_bad_terms();
    for (int64_t n = 1; n < 10; n++) check_products(n, 2 * n - 1);
    const int64_t shapes[][4] = {{2, 3, 5, 3}, {4, 4, 4, 4}, {9, 1, 7, 2}, {64, 64, 2, 1}, {129, 3, 3, 5}};
    for (int64_t i = 0; i < COUNT(shapes); i++)
        for (int dimension = 1; dimension <= WINDOWS_MAX_DIMENSION; dimension++) check_windows(shapes[i], dimension);
    for (int dimension = 0; dimension <= 5; dimension += 5)
        expect(extract_windows(NULL, 0, 1, (const int64_t[5]){2, 2, 2, 1, 1}, dimension, NULL, 0, NULL, NULL, NULL, 0, NULL) == RSMI_BAD_SHAPE);
    return 0;
}
