/* Checks the blocking and the operators of variables with several states against their definition,
 * site by site. */
#include "blocking/state_blocks.h"
#include "blocking/state_operators.h"
#include "tests/expect.h"

static const uint64_t KEY[2] = {0x0123456789abcdefULL, 42};

static int64_t planes_of(int64_t states)
{
    int64_t planes = 1;
    while (1LL << planes < states)
        planes++;
    return planes;
}

/* Packed planes of random codes, which are also returned. */
static uint8_t *random_codes(int64_t sites, int64_t states, uint8_t *codes)
{
    const int64_t planes = planes_of(states);
    uint8_t *row = take((planes * sites + 7) / 8);
    for (int64_t i = 0; i < sites; i++) {
        codes[i] = (uint8_t)random_below((uint64_t)states);
        for (int64_t p = 0; p < planes; p++)
            row[(p * sites + i) / 8] |= (uint8_t)((codes[i] >> p & 1) << ((p * sites + i) % 8));
    }
    return row;
}

static int code_at(const uint8_t *row, int64_t sites, int64_t planes, int64_t site)
{
    int code = 0;
    for (int64_t p = 0; p < planes; p++)
        code |= (spin_at(row, p * sites + site) == 1) << p;
    return code;
}

static void check_blocks(int64_t states, int64_t coarse_states, int64_t height, int64_t width)
{
    const int64_t shape[3] = {1, height, width}, sites = height * width, n_coarse = sites / 4,
                  n_states = states * states * states * states, sample = 9;
    uint8_t *codes = take(sites), *row = random_codes(sites, states, codes);
    uint64_t *thresholds = take(n_states * (coarse_states - 1) * 8);
    for (int64_t v = 0; v < n_states; v++)
        for (int64_t k = 0; k < coarse_states - 1; k++)
            thresholds[v * (coarse_states - 1) + k] =
                v % 3 == 0 ? (k < v % coarse_states ? 0 : UINT64_MAX)
                           : UINT64_MAX / (uint64_t)coarse_states * (uint64_t)(k + 1);
    state_rule rule = {
        {1, 2, 2}, states, planes_of(states), coarse_states, planes_of(coarse_states), thresholds};
    uint8_t *coarse = take((rule.coarse_planes * n_coarse + 7) / 8);
    const uint64_t number = (uint64_t)sample;
    expect(coarse_grain_states(row, 1, shape, &rule, KEY, &number, coarse) == RSMI_OK);
    for (int64_t c = 0; c < n_coarse; c++) {
        const int64_t y = c / (width / 2) * 2, x = c % (width / 2) * 2;
        int64_t v = 0, expected = 0, power = 1;
        for (int64_t i = 0; i < 4; i++, power *= states)
            v += power * codes[(y + i / 2) * width + x + i % 2];
        const uint64_t bits = keyed_bits(KEY, number, (uint64_t)c);
        for (int64_t k = 0; k < coarse_states - 1; k++) {
            const uint64_t threshold = thresholds[v * (coarse_states - 1) + k];
            expected += threshold != UINT64_MAX && bits >= threshold;
        }
        expect(code_at(coarse, n_coarse, rule.coarse_planes, c) == expected);
    }
    rule.block[2] = 3;
    expect(width % 3 == 0 ||
           coarse_grain_states(row, 1, shape, &rule, KEY, &number, coarse) == RSMI_BAD_SHAPE);
    rule.block[2] = 2;
    memset(row, 255, (size_t)((rule.planes * sites + 7) / 8));
    expect((states & (states - 1)) == 0 ||
           coarse_grain_states(row, 1, shape, &rule, KEY, &number, coarse) == RSMI_BAD_VALUE);
    release_all();
}

static void check_operators(int64_t states, int64_t height, int64_t width)
{
    enum { TERMS = 12, EVEN = 3, ODD = 4 };
    const int64_t shape[2] = {height, width}, sites = height * width;
    int32_t pairs[TERMS][STATE_PAIRS][2], points[TERMS], owner[TERMS];
    uint8_t *codes = take(sites), *row = random_codes(sites, states, codes);
    int64_t *even = take(EVEN * 8), *odd = take(states * ODD * 8),
            *expected = take((EVEN + states * ODD) * 8);
    for (int t = 0; t < TERMS; t++) {
        const int count = t == 0 ? 0 : 1 + t % STATE_PAIRS;
        points[t] = t % 2 ? -1 : (int32_t)random_below(STATE_POINTS);
        owner[t] = (int32_t)random_below(t % 2 ? EVEN : ODD);
        for (int k = 0; k < STATE_PAIRS; k++)
            for (int end = 0; end < 2; end++)
                pairs[t][k][end] = k < count ? (int32_t)random_below(STATE_POINTS) : -1;
        for (int64_t i = 0; i < sites; i++) {
            int holds = 1;
            uint8_t at[STATE_POINTS];
            for (int p = 0; p < STATE_POINTS; p++)
                at[p] = codes[(i / width + p / 3) % height * width + (i % width + p % 3) % width];
            for (int k = 0; k < count; k++)
                holds &= at[pairs[t][k][0]] == at[pairs[t][k][1]];
            if (points[t] < 0)
                expected[owner[t]] += holds;
            else
                expected[EVEN + at[points[t]] * ODD + owner[t]] += holds;
        }
    }
    expect(state_operator_sums(row, 1, shape, states, pairs[0][0], points, owner, TERMS, EVEN, ODD,
                               even, odd) == RSMI_OK);
    expect(memcmp(even, expected, EVEN * 8) == 0);
    expect(memcmp(odd, expected + EVEN, (size_t)(states * ODD) * 8) == 0);
    owner[1] = EVEN;
    expect(state_operator_sums(row, 1, shape, states, pairs[0][0], points, owner, TERMS, EVEN, ODD,
                               even, odd) == RSMI_BAD_VALUE);
    owner[1] = 0;
    pairs[1][0][0] = STATE_POINTS;
    expect(state_operator_sums(row, 1, shape, states, pairs[0][0], points, owner, TERMS, EVEN, ODD,
                               even, odd) == RSMI_BAD_VALUE);
    release_all();
}

int main(void)
{
    for (int64_t states = 2; states <= 5; states++) {
        check_blocks(states, states, 4, 6);
        check_blocks(states, 7, 2, 140);
        check_operators(states, 3, 5);
        check_operators(states, 1, 1);
        check_operators(states, 4, 64);
        check_operators(states, 2, 127);
    }
    return 0;
}
