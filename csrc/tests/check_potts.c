/* Checks chains of q states: pairs by hand, samples against their own bits, ordered lattices at
 * strong coupling, split runs, tables of heat bath, and refusals. */
#include "models/potts/potts.h"
#include "models/potts/potts_heat_bath.h"
#include "tests/expect.h"

static const int64_t SHAPES[][3] = {{1, 1, 2},  {1, 1, 7},  {1, 1, 64}, {1, 1, 130}, {1, 2, 2},
                                    {1, 5, 9},  {1, 4, 66}, {1, 3, 64}, {1, 3, 65},  {1, 10, 2},
                                    {2, 2, 2},  {2, 4, 6},  {3, 5, 7},  {4, 2, 128}, {3, 3, 70},
                                    {1, 65, 3}, {1, 90, 70}};

/* A clock model whose clusters are reflected, with all tables of one size. */
typedef struct {
    potts_chain chain;
    uint8_t *classes;
    int64_t n_classes;
} system_of_q;

static system_of_q make_system(const int64_t shape[3], int q, int algorithm, double coupling)
{
    double *weights = take_doubles(q * q);
    uint8_t *moves = take(q * q), *classes = take(q * q);
    int32_t *choices = take(4 * q * q);
    uint64_t *bonds = take(8 * q * q * q), *alias = NULL;
    for (int a = 0; a < q; a++)
        for (int b = 0; b < q; b++) {
            weights[a * q + b] = a == b ? 1 : exp(-coupling);
            moves[a * q + b] = (uint8_t)((a + q - b) % q);
            classes[a * q + b] = a != b;
            choices[a * q + b] = b;
        }
    for (int move = 0; move < q; move++)
        for (int a = 0; a < q; a++)
            for (int b = 0; b < q; b++) {
                const int image = (move + q - b) % q;
                const double p = 1 - weights[a * q + image] / weights[a * q + b];
                bonds[(move * q + a) * q + b] = p > 0 ? bernoulli_threshold(p, 1 - p) : 0;
            }
    potts_chain chain = {shape[0], shape[1], shape[2], q,     algorithm, coupling, weights,
                         NULL,     q,        q,        moves, choices,   bonds};
    const int64_t entries = potts_alias_entries(q, potts_dimension(&chain));
    if (algorithm == POTTS_HEAT_BATH && entries && entries < 1 << 16) {
        alias = take(8 * entries);
        potts_alias_table(weights, q, potts_dimension(&chain), alias);
        chain.alias = alias;
    }
    return (system_of_q){chain, classes, 2};
}

static uint8_t *random_states(int64_t n, int q)
{
    uint8_t *states = take(n);
    for (int64_t i = 0; i < n; i++)
        states[i] = (uint8_t)random_below((uint64_t)q);
    return states;
}

static int64_t equal_bonds(const potts_chain *c, const uint8_t *states)
{
    const int64_t shape[3] = {c->depth, c->height, c->width},
                  stride[3] = {c->height * c->width, c->width, 1};
    int64_t sum = 0;
    for (int64_t site = 0; site < potts_sites(c); site++)
        for (int axis = 0; axis < 3; axis++) {
            const int64_t x = site / stride[axis] % shape[axis],
                          next = site + ((x + 1) % shape[axis] - x) * stride[axis];
            sum += shape[axis] > 1 && states[site] == states[next];
        }
    return sum;
}

static int planes_of(int q)
{
    return q <= 2 ? 1 : q <= 4 ? 2 : q <= 8 ? 3 : 4;
}

/* Every row holds the states whose bonds were counted, and ends with zeros. */
static void check_samples(const system_of_q *s)
{
    enum { SAMPLES = 4 };
    const potts_chain *c = &s->chain;
    const int64_t sites = potts_sites(c), bonds = sites * potts_dimension(c);
    const int planes = planes_of(c->states);
    const int64_t row_bytes = (planes * sites + 7) / 8;
    uint8_t *states = random_states(sites, c->states), *row = take(sites),
            *packed = random_bytes(SAMPLES * row_bytes);
    uint64_t rng[4] = {5, 6, 7, 8}, *workspace = take(8 * potts_workspace(c) + 1);
    int64_t pairs[2 * SAMPLES], moved;
    expect(potts_sample(c, 2, SAMPLES, states, rng, workspace, s->classes, 2, packed, pairs,
                        &moved) == RSMI_OK);
    expect((moved > 0) == (c->algorithm == POTTS_WOLFF));
    for (int i = 0; i < SAMPLES; i++) {
        memset(row, 0, (size_t)sites);
        for (int plane = 0; plane < planes; plane++)
            for (int64_t site = 0; site < sites; site++)
                if (spin_at(packed + i * row_bytes, plane * sites + site) > 0)
                    row[site] |= (uint8_t)(1 << plane);
        for (int64_t bit = planes * sites; bit < 8 * row_bytes; bit++)
            expect(spin_at(packed + i * row_bytes, bit) == -1);
        for (int64_t site = 0; site < sites; site++)
            expect(row[site] < c->states);
        expect(pairs[2 * i] == equal_bonds(c, row) && pairs[2 * i] + pairs[2 * i + 1] == bonds);
    }
    expect(memcmp(states, row, (size_t)sites) == 0);
}

/* 2 + 3 updates are 5 updates. */
static void check_split(const system_of_q *s)
{
    const potts_chain *c = &s->chain;
    const int64_t sites = potts_sites(c), row_bytes = (planes_of(c->states) * sites + 7) / 8;
    uint8_t *once = random_states(sites, c->states), *twice = take(sites),
            *packed = take(row_bytes);
    uint64_t rng[2][4] = {{5, 6, 7, 8}, {5, 6, 7, 8}},
             *workspace = take(8 * potts_workspace(c) + 1);
    int64_t pairs[2], moved;
    memcpy(twice, once, (size_t)sites);
    potts_sample(c, 5, 1, once, rng[0], workspace, s->classes, 2, packed, pairs, &moved);
    potts_sample(c, 2, 1, twice, rng[1], workspace, s->classes, 2, packed, pairs, &moved);
    potts_sample(c, 3, 1, twice, rng[1], workspace, s->classes, 2, packed, pairs, &moved);
    expect(memcmp(once, twice, (size_t)sites) == 0 && memcmp(rng[0], rng[1], sizeof rng[0]) == 0);
}

/* At K = 60 Swendsen-Wang breaks no bond of an ordered lattice. */
static void check_order(const int64_t shape[3], int q)
{
    const system_of_q s = make_system(shape, q, POTTS_SWENDSEN_WANG, 60);
    const int64_t sites = potts_sites(&s.chain), bonds = sites * potts_dimension(&s.chain),
                  row_bytes = (planes_of(q) * sites + 7) / 8;
    uint8_t *states = take(sites), *packed = take(row_bytes);
    uint64_t rng[4] = {1, 2, 3, 4}, *workspace = take(8 * potts_workspace(&s.chain) + 1);
    int64_t pairs[2], moved;
    memset(states, q - 1, (size_t)sites);
    potts_sample(&s.chain, 3, 1, states, rng, workspace, s.classes, 2, packed, pairs, &moved);
    expect(pairs[0] == bonds);
}

static void check_refusals(void)
{
    const int64_t good[3] = {1, 4, 6}, flat[3] = {1, 4, 1}, huge[3] = {1, 65536, 65536};
    system_of_q s = make_system(good, 3, POTTS_SWENDSEN_WANG, 1);
    expect(potts_check(&s.chain) == RSMI_OK);
    expect(potts_alias_entries(16, 3) == 0 && potts_alias_entries(3, 2) == 243);
    s.chain.states = 17;
    expect(potts_check(&s.chain) == RSMI_BAD_VALUE);
    s.chain.states = 3;
    s.chain.coupling = -1;
    expect(potts_check(&s.chain) == RSMI_BAD_VALUE);
    s.chain.coupling = 1;
    s.chain.algorithm = 3;
    expect(potts_check(&s.chain) == RSMI_BAD_VALUE);
    s = make_system(flat, 3, POTTS_WOLFF, 1);
    expect(potts_check(&s.chain) == RSMI_BAD_SHAPE);
    s = make_system(good, 3, POTTS_WOLFF, 1);
    s.chain.depth = huge[0], s.chain.height = huge[1], s.chain.width = huge[2];
    expect(potts_check(&s.chain) == RSMI_BAD_SHAPE);
}

int main(void)
{
    static const int STATES[] = {2, 3, 4, 7, 16};
    for (int64_t i = 0; i < COUNT(SHAPES); i++)
        for (int64_t k = 0; k < COUNT(STATES); k++) {
            for (int algorithm = POTTS_HEAT_BATH; algorithm <= POTTS_WOLFF; algorithm++) {
                const system_of_q s = make_system(SHAPES[i], STATES[k], algorithm, 0.9);
                check_samples(&s);
                check_split(&s);
            }
            check_order(SHAPES[i], STATES[k]);
            release_all();
        }
    check_refusals();
    release_all();
    return 0;
}
