/* Checks random numbers against published values, runs of bits, and block rules against their
 * definition spin by spin. */
#include "base/bits.h"
#include "blocking/blocking.h"
#include "tests/expect.h"

static const uint64_t KEY[2] = {0x0123456789abcdefULL, 42};

static void check_random(void)
{
    const uint64_t published[4] = {41943041, 58720359, 3588806011781223,
                                   3591011842654386}; /* xoshiro256++ from 1, 2, 3, 4 */
    uint64_t state[4] = {1, 2, 3, 4};
    for (int i = 0; i < 4; i++)
        expect(xoshiro_next(state) == published[i]);
    expect(mix64(0x9e3779b97f4a7c15ULL) == 0xe220a8397b1dcdafULL); /* SplitMix64 from 0 */
    expect(probability_threshold(0.5) == 1ULL << 63 && probability_threshold(0.0) == 0);
    expect(keyed_bits(KEY, 0, 1) != keyed_bits(KEY, 1, 0));
}

static void check_bits(void)
{
    for (int64_t n_bytes = 1; n_bytes < 20; n_bytes++) {
        const uint8_t *row = random_bytes(n_bytes);
        for (int64_t position = 0; position < 8 * n_bytes; position++)
            for (int width = 1; width <= 64 && position + width <= 8 * n_bytes; width++) {
                const uint64_t word = read_bits(row, n_bytes, position, width);
                for (int bit = 0; bit < 64; bit++)
                    expect((word >> bit & 1) ==
                           (uint64_t)(bit < width && spin_at(row, position + bit) == 1));
            }
        release_all();
    }
}

typedef struct {
    int64_t shape[3], block[3], n_hidden, components;
} geometry;

static int64_t product(const int64_t x[3])
{
    return x[0] * x[1] * x[2];
}

/* The field of coarse spin j at coarse site c, with the terms in the order of the sites of the
 * block. */
static double field_of(const geometry *g, const uint8_t *row, const block_rule *rule, int64_t c,
                       int64_t j)
{
    const int64_t c0 = c / (g->shape[1] / g->block[1] * (g->shape[2] / g->block[2]));
    const int64_t c1 = c / (g->shape[2] / g->block[2]) % (g->shape[1] / g->block[1]),
                  c2 = c % (g->shape[2] / g->block[2]);
    const double *filter = rule->filters + j * g->components * product(g->block);
    double field = rule->bias[j];
    for (int64_t component = 0; component < g->components; component++)
        for (int64_t i = 0; i < product(g->block); i++) {
            const int64_t z = c0 * g->block[0] + i / (g->block[1] * g->block[2]),
                          y = c1 * g->block[1] + i / g->block[2] % g->block[1],
                          x = c2 * g->block[2] + i % g->block[2];
            field +=
                *filter++ *
                spin_at(row, ((component * g->shape[0] + z) * g->shape[1] + y) * g->shape[2] + x);
        }
    return field;
}

static int drawn(double field, double scale, int hard, uint64_t bits)
{
    if (hard)
        return fabs(field) <= 1e-9 * scale ? (bits >> 63 ? -1 : 1) : field > 0 ? 1 : -1;
    const double p = 1.0 / (1.0 + exp(-field));
    return p == 1.0 || bits < probability_threshold(p) ? 1 : -1;
}

static void check_rule(const geometry *g, const double *filters, const double *bias, int hard)
{
    enum { SAMPLES = 19 };
    const int64_t n_bytes = (g->components * product(g->shape) + 7) / 8,
                  n_coarse = product(g->shape) / product(g->block);
    const int64_t n_coarse_bytes = (g->n_hidden * n_coarse + 7) / 8,
                  n_block = g->components * product(g->block);
    const block_rule rule = {{g->block[0], g->block[1], g->block[2]},
                             g->n_hidden,
                             filters,
                             bias,
                             hard,
                             g->components,
                             0,
                             NULL};
    uint64_t samples[SAMPLES] = {0, 1ULL << 40, 7};
    for (int s = 3; s < SAMPLES; s++)
        samples[s] = (uint64_t)(100 - s);
    const uint8_t *rows = random_bytes(SAMPLES * n_bytes);
    uint8_t *coarse = random_bytes(SAMPLES * n_coarse_bytes);
    expect(coarse_grain(rows, SAMPLES, g->shape, &rule, KEY, samples, coarse) == RSMI_OK);
    for (int s = 0; s < SAMPLES; s++)
        for (int64_t j = 0; j < g->n_hidden; j++) {
            double scale = 0;
            for (int64_t i = 0; i < n_block; i++)
                scale += fabs(filters[j * n_block + i]);
            for (int64_t c = 0; c < n_coarse; c++) {
                const uint64_t bits = keyed_bits(KEY, samples[s], (uint64_t)(c * g->n_hidden + j));
                const double field = field_of(g, rows + s * n_bytes, &rule, c, j);
                expect(spin_at(coarse + s * n_coarse_bytes, j * n_coarse + c) ==
                       drawn(field, scale, hard, bits));
            }
        }
}

static void check_rules(const geometry *g)
{
    const int64_t n_block = g->components * product(g->block);
    double *ones = take_doubles(g->n_hidden * n_block),
           *first = take_doubles(g->n_hidden * n_block), *none = take_doubles(g->n_hidden);
    for (int64_t i = 0; i < g->n_hidden * n_block; i++)
        ones[i] = 1.0, first[i] = i % n_block == 0;
    for (int hard = 0; hard < 2; hard++) {
        check_rule(g, random_doubles(g->n_hidden * n_block, 1), random_doubles(g->n_hidden, 1),
                   hard);
        check_rule(g, random_doubles(g->n_hidden * n_block, 1e3), random_doubles(g->n_hidden, 1),
                   hard);                 /* probabilities 0 and 1 */
        check_rule(g, ones, none, hard);  /* majority, ties */
        check_rule(g, first, none, hard); /* decimation */
    }
    for (int repeat = 0; repeat < 10; repeat++) { /* ties of all kinds */
        for (int64_t i = 0; i < g->n_hidden * n_block; i++)
            ones[i] = (double)random_below(5) - 2;
        for (int64_t j = 0; j < g->n_hidden; j++)
            none[j] = (double)random_below(3) - 1;
        check_rule(g, ones, none, 1);
    }
    release_all();
}

static void check_known_rows(void)
{
    const int64_t shape[3] = {1, 4, 6};
    const uint8_t row[3] = {0x55, 0x05, 0xff}; /* spins 0 2 4 6 8 10 and 16 .. 23 up */
    const double corner[4] = {1, 0, 0, 0}, ones[4] = {1, 1, 1, 1}, zero[1] = {0};
    const uint64_t sample = 0;
    uint8_t coarse[1];
    block_rule rule = {{1, 2, 2}, 1, corner, zero, 1, 1, 0, NULL};
    expect(coarse_grain(row, 1, shape, &rule, KEY, &sample, coarse) == RSMI_OK);
    expect(coarse[0] == 0x27); /* spins 0 2 4 up; of 12 14 16 the last */
    rule.filters = ones;
    expect(coarse_grain((const uint8_t[3]){0xff, 0xff, 0xff}, 1, shape, &rule, KEY, &sample,
                        coarse) == RSMI_OK &&
           coarse[0] == 0x3f);
    const int64_t bad[][3] = {{1, 3, 2},  {1, 2, 4}, {2, 2, 2}, {1, 0, 2},
                              {1, 2, -2}, {1, 8, 2}, {1, 2, 65}};
    for (int64_t i = 0; i < COUNT(bad); i++) {
        memcpy(rule.block, bad[i], sizeof rule.block);
        expect(coarse_grain(row, 1, shape, &rule, KEY, &sample, coarse) == RSMI_BAD_SHAPE);
    }
    const int64_t wide[3] = {1, 13, 5};
    memcpy(rule.block, wide, sizeof wide);
    expect(coarse_grain(row, 1, wide, &rule, KEY, &sample, coarse) ==
           RSMI_BAD_SHAPE); /* 65 sites */
}

/* "All four spins are equal": the sum of the six pairs is 6, else 0 or -2. A flip changes nothing.
 */
static void check_products(void)
{
    const int64_t shape[3] = {1, 4, 6};
    const uint8_t row[3] = {0x55, 0x05, 0xff}, flipped[3] = {0xaa, 0xfa, 0x00};
    const uint64_t pairs[6] = {3, 5, 9, 6, 10, 12}, sample = 0;
    const double ones[6] = {1, 1, 1, 1, 1, 1}, bias[1] = {-3};
    const block_rule rule = {{1, 2, 2}, 1, ones, bias, 1, 1, 6, pairs};
    uint8_t coarse[2];
    expect(coarse_grain(row, 1, shape, &rule, KEY, &sample, &coarse[0]) == RSMI_OK);
    expect(coarse_grain(flipped, 1, shape, &rule, KEY, &sample, &coarse[1]) == RSMI_OK);
    expect(coarse[0] == 0x20 && coarse[1] == 0x20);
}

int main(void)
{
    const geometry geometries[] = {{{1, 1, 1}, {1, 1, 1}, 1, 1},    {{1, 1, 7}, {1, 1, 1}, 2, 1},
                                   {{1, 1, 9}, {1, 1, 3}, 3, 1},    {{1, 1, 64}, {1, 1, 64}, 8, 1},
                                   {{1, 64, 3}, {1, 64, 1}, 8, 1},  {{1, 16, 24}, {1, 8, 8}, 2, 1},
                                   {{4, 8, 12}, {4, 4, 4}, 1, 1},   {{1, 6, 9}, {1, 2, 3}, 8, 1},
                                   {{1, 4, 130}, {1, 2, 2}, 1, 1},  {{1, 8, 12}, {1, 4, 4}, 4, 1},
                                   {{3, 3, 3}, {3, 3, 3}, 1, 1},    {{4, 4, 4}, {2, 2, 2}, 2, 1},
                                   {{1, 17, 17}, {1, 17, 1}, 1, 1}, {{1, 5, 315}, {1, 1, 63}, 5, 1},
                                   {{2, 3, 65}, {1, 3, 13}, 1, 1},  {{1, 2, 2}, {1, 2, 2}, 1, 1},
                                   {{1, 8, 8}, {1, 2, 2}, 1, 1},    {{1, 4, 64}, {1, 2, 2}, 1, 1},
                                   {{1, 6, 22}, {1, 2, 2}, 1, 1},   {{1, 10, 66}, {1, 2, 2}, 1, 1},
                                   {{1, 2, 190}, {1, 2, 2}, 1, 1},  {{1, 4, 6}, {1, 2, 2}, 2, 2},
                                   {{1, 1, 9}, {1, 1, 3}, 1, 3},    {{2, 2, 70}, {2, 2, 2}, 3, 2},
                                   {{1, 8, 8}, {1, 4, 4}, 4, 4}};
    check_random();
    check_bits();
    check_known_rows();
    check_products();
    for (int64_t i = 0; i < COUNT(geometries); i++)
        check_rules(&geometries[i]);
    return 0;
}
