/* Checks weights of blocks of any bond weight (bond_weights.c), and features of codes
 * (features.c), in cases with known answers. */
#include "base/dense.h"
#include "base/status.h"
#include "learning/features.h"
#include "models/bonds/bond_weights.h"
#include "tests/expect.h"

/* With bonds of weight one, every state of the block has the weight of all states of the buffer. */
static void check_without_bonds(bond_window window)
{
    const int size = bond_ring_size(window), q = window.states;
    const int64_t blocks = (int64_t)pow(q, window.rows * window.columns);
    const double buffer =
        (window.rows + 2.0 * window.buffer) * (window.columns + 2.0 * window.buffer) -
        window.rows * window.columns;
    int8_t *rings = take((size_t)(3 * size));
    double *bond = take_doubles(q * q), *weights = take_doubles(3 * blocks);
    for (int i = 0; i < 3 * size; i++)
        rings[i] = (int8_t)(i * 7 % q);
    for (int i = 0; i < q * q; i++)
        bond[i] = 2.0;
    expect(bond_block_weights(rings, 3, window, bond, weights) == RSMI_OK);
    for (int64_t i = 0; i < 3 * blocks; i++)
        expect(close_to(weights[i], pow(q, buffer), 1e-12));
    rings[size] = (int8_t)q;
    expect(bond_block_weights(rings, 3, window, bond, weights) == RSMI_BAD_VALUE);
    release_all();
}

/* A block of one site without a buffer has the product of four bonds. */
static void check_one_site(void)
{
    enum { Q = 5 };
    const int8_t ring[4] = {1, 4, 0, 2};
    double *bond = random_doubles(Q * Q, 1), weights[Q], largest = 0.0;
    for (int i = 0; i < Q * Q; i++)
        bond[i] = fabs(bond[i]) + 0.1;
    for (int a = 0; a < Q; a++)
        for (int b = 0; b < a; b++)
            bond[a * Q + b] = bond[b * Q + a];
    for (int i = 0; i < Q * Q; i++)
        largest = bond[i] > largest ? bond[i] : largest;
    expect(bond_block_weights(ring, 1, (bond_window){1, 1, 0, Q}, bond, weights) == RSMI_OK);
    for (int a = 0; a < Q; a++) {
        double product = 1.0;
        for (int i = 0; i < 4; i++)
            product *= bond[a * Q + ring[i]] / largest;
        expect(close_to(weights[a], product, 1e-13));
    }
    release_all();
}

static void check_features(void)
{
    enum { SITES = 3, STATES = 4, WIDTH = 2, N = 5 };
    double *values = random_doubles(STATES * WIDTH, 1), *weights = random_doubles(SITES, 1);
    const feature_table f = {STATES, WIDTH, values};
    double *filters = take_doubles(STATES * SITES * WIDTH), *back = take_doubles(SITES),
           *out = take_doubles(SITES * WIDTH * padded(N));
    int8_t codes[N * SITES];
    int64_t index[N];
    for (int i = 0; i < N * SITES; i++)
        codes[i] = (int8_t)(i % STATES);
    for (int i = 0; i < N; i++)
        index[i] = N - 1 - i;
    gather_features(&f, N, SITES, codes, index, out);
    for (int s = 0; s < N; s++)
        for (int i = 0; i < SITES; i++)
            for (int a = 0; a < WIDTH; a++)
                expect(out[(i * WIDTH + a) * padded(N) + s] ==
                       values[codes[index[s] * SITES + i] * WIDTH + a]);
    expand_ties(&f, SITES, weights, filters);
    contract_ties(&f, SITES, filters, back);
    double norm = 0.0;
    for (int i = 0; i < STATES * WIDTH; i++)
        norm += values[i] * values[i];
    for (int i = 0; i < SITES; i++)
        expect(close_to(back[i], weights[i] * norm, 1e-12));
    release_all();
}

int main(void)
{
    for (int states = 2; states <= 3; states++)
        for (int rows = 1; rows <= 3; rows++)
            for (int columns = 1; columns <= 2; columns++)
                for (int buffer = 0; buffer <= 1; buffer++)
                    check_without_bonds((bond_window){rows, columns, buffer, states});
    check_one_site();
    check_features();
    const double bond[4] = {1, 1, 1, 1};
    expect(bond_block_weights(NULL, 0, (bond_window){5, 4, 1, 2}, bond, NULL) == RSMI_BAD_SHAPE);
    expect(bond_block_weights(NULL, 0, (bond_window){1, 1, 0, 17}, bond, NULL) == RSMI_BAD_SHAPE);
    return 0;
}
