/* Checks histograms of local energies against their definition site by site. */
#include "blocking/neighbourhood.h"
#include "tests/expect.h"

enum { OTHERS = NEIGHBOURHOOD_OTHERS, SAMPLES = 4, BLOCKS = 3 };

static int spin_near(const uint8_t *row, const int64_t shape[3], int64_t site,
                     const int32_t offset[3])
{
    const int64_t x[3] = {site / shape[2] / shape[1], site / shape[2] % shape[1], site % shape[2]};
    int64_t at = 0;
    for (int axis = 0; axis < 3; axis++)
        at =
            at * shape[axis] + ((x[axis] + offset[axis]) % shape[axis] + shape[axis]) % shape[axis];
    return spin_at(row, at);
}

/* The bin of a site by multiplying spins. */
static int64_t bin_of(const uint8_t *row, const int64_t shape[3], int64_t site,
                      const int32_t (*terms)[OTHERS][3], const int32_t *owner, int n_terms,
                      const int *radix)
{
    int64_t bin = 0;
    for (int t = 0; t < n_terms; t++) {
        int product = spin_near(row, shape, site, (int32_t[3]){0, 0, 0});
        for (int i = 0;
             i < OTHERS && (i == 0 || terms[t][1][0] || terms[t][1][1] || terms[t][1][2]); i++)
            product *= spin_near(row, shape, site, terms[t][i]);
        int64_t weight = 1;
        for (int a = 0; a < owner[t]; a++)
            weight *= radix[a];
        bin += product < 0 ? weight : 0;
    }
    return bin;
}

static void random_offset(int32_t offset[3], int dimension)
{
    do
        for (int axis = 0; axis < 3; axis++)
            offset[axis] =
                axis < 3 - dimension
                    ? 0
                    : (int32_t)random_below(2 * NEIGHBOURHOOD_RANGE + 1) - NEIGHBOURHOOD_RANGE;
    while (!offset[0] && !offset[1] && !offset[2]);
}

/* Random operators of random sizes on one lattice; the samples jump between blocks. */
static void check_counts(int64_t depth, int64_t height, int64_t width, int n_operators)
{
    const int64_t shape[3] = {depth, height, width}, sites = depth * height * width,
                  n_bytes = (sites + 7) / 8, blocks[SAMPLES] = {2, 0, 0, 2};
    const uint8_t *rows = random_bytes(SAMPLES * n_bytes);
    int32_t terms[NEIGHBOURHOOD_OPERATORS * NEIGHBOURHOOD_TERMS][OTHERS][3] = {{{0}}},
                                            owner[COUNT(terms)];
    int radix[NEIGHBOURHOOD_OPERATORS], n_terms = 0;
    int64_t bins = 1;
    for (int a = 0; a < n_operators; a++) {
        radix[a] = 2 + (int)random_below(n_operators == 1 ? NEIGHBOURHOOD_TERMS : 7);
        bins *= radix[a];
        for (int k = 1; k < radix[a]; k++, n_terms++) {
            owner[n_terms] = a;
            const int others = random_below(2) ? OTHERS : 1;
            for (int i = 0; i < others; i++)
                random_offset(terms[n_terms][i], depth > 1 ? 3 : height > 1 ? 2 : 1);
        }
    }
    int64_t *counts = take(8 * BLOCKS * bins), *expected = take(8 * BLOCKS * bins);
    for (int64_t i = 0; i < BLOCKS * bins; i++)
        counts[i] = expected[i] = i; /* they are added to */
    for (int64_t i = 0; i < SAMPLES * sites; i++)
        expected[blocks[i / sites] * bins + bin_of(rows + i / sites * n_bytes, shape, i % sites,
                                                   (const int32_t (*)[OTHERS][3])terms, owner,
                                                   n_terms, radix)]++;
    expect(neighbourhood_counts(rows, SAMPLES, depth, height, width, terms[0][0], owner, n_terms,
                                blocks, counts) == RSMI_OK);
    expect(memcmp(counts, expected, (size_t)(8 * BLOCKS * bins)) == 0);
    release_all();
}

static int status_of(int32_t dx, const int32_t owner[2], int64_t n_terms, int32_t second)
{
    const int32_t terms[2][OTHERS][3] = {{{0, 0, dx}, {0, 0, second}, {0, 0, 0}}, {{0, 0, 1}}};
    const uint8_t row[2] = {0, 0};
    int64_t counts[9] = {0};
    return neighbourhood_counts(row, 1, 1, 4, 4, terms[0][0], owner, n_terms, (int64_t[1]){0},
                                counts);
}

static void check_bad_terms(void)
{
    const int32_t good[2] = {0, 1}, late[2] = {1, 1}, gap[2] = {0, 2}, back[2] = {0, -1};
    expect(status_of(1, good, 2, 0) == RSMI_OK && status_of(-3, good, 2, 0) == RSMI_OK);
    expect(status_of(0, good, 2, 0) == RSMI_BAD_VALUE &&
           status_of(4, good, 2, 0) == RSMI_BAD_VALUE);
    expect(status_of(1, good, 2, 2) == RSMI_BAD_VALUE); /* three spins: an odd operator */
    expect(status_of(1, late, 2, 0) == RSMI_BAD_VALUE && status_of(1, gap, 2, 0) == RSMI_BAD_VALUE);
    expect(status_of(1, back, 2, 0) == RSMI_BAD_VALUE &&
           status_of(1, good, 0, 0) == RSMI_BAD_VALUE);
}

int main(void)
{
    static const int64_t shapes[][3] = {
        {1, 1, 1},    {1, 1, 2}, {1, 1, 5}, {1, 1, 63}, {1, 1, 64},  {1, 1, 65},
        {1, 1, 1000}, {1, 2, 2}, {1, 3, 4}, {1, 9, 9},  {1, 17, 33}, {1, 5, 129},
        {1, 40, 64},  {2, 2, 2}, {3, 3, 3}, {4, 5, 6},  {3, 9, 65},  {5, 16, 64}};
    for (int64_t i = 0; i < COUNT(shapes); i++)
        for (int n_operators = 1; n_operators <= NEIGHBOURHOOD_OPERATORS; n_operators++)
            check_counts(shapes[i][0], shapes[i][1], shapes[i][2], n_operators);
    check_bad_terms();
    return 0;
}
