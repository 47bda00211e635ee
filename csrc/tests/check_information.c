/* Checks the enumeration of the block and the Monte Carlo chains (chains.c) in cases with known
 * answers. */
#include "base/dense.h"
#include "learning/chains.h"
#include "learning/channel.h"
#include "learning/enumerate.h"
#include "learning/lambda.h"
#include "tests/expect.h"

/* I(H:E) of filters followed by the bias, from a table P(V|e). */
static double information(const double *posterior, int64_t n, int64_t n_block, int64_t n_hidden,
                          const double *parameters, double *gradient)
{
    double value;
    const int64_t filters = n_hidden * n_block;
    const feature_table spins = {0};
    expect(enumerate_information(posterior, n, n_block, n_hidden, 0, &spins, parameters,
                                 parameters + filters, &value, gradient,
                                 gradient + filters) == RSMI_OK);
    return value;
}

static void check_enumeration(int64_t n_block, int64_t n_hidden)
{
    const int64_t n_blocks = (int64_t)1 << n_block, ld = padded(n_blocks),
                  size = n_hidden * (n_block + 1), n = 5;
    double *spins = random_doubles(n_block * ld, 1), *rows = random_doubles(n * ld, 9),
           *posterior = take_doubles(n * n_blocks);
    double *parameters = random_doubles(size, 1), *gradient = take_doubles(size),
           *other = take_doubles(size);
    all_blocks(&(feature_table){0}, n_block, spins);
    for (int64_t i = 0; i < n_block * ld; i++)
        expect(spins[i] == (i % ld < n_blocks ? 2 * (double)(i % ld >> (i / ld) & 1) - 1 : 0));
    normalize_rows(n, n_blocks, rows);
    for (int64_t e = 0; e < n; e++) {
        expect(close_to(lane_sum(ld, rows + e * ld), 1, 1e-13));
        memcpy(posterior + e * n_blocks, rows + e * ld, (size_t)n_blocks * sizeof(double));
    }
    const double value = information(posterior, n, n_block, n_hidden, parameters, gradient);
    expect(value >= 0 && value < log((double)n) && value < (double)n_hidden * log(2.0));
    for (int64_t k = 0; k < size; k += 1 + size / 5) { /* central differences */
        const double kept = parameters[k], step = 1e-5;
        parameters[k] = kept + step;
        const double above = information(posterior, n, n_block, n_hidden, parameters, other);
        parameters[k] = kept - step;
        expect(fabs(gradient[k] -
                    (above - information(posterior, n, n_block, n_hidden, parameters, other)) /
                        (2 * step)) < 1e-8);
        parameters[k] = kept;
    }
    for (int64_t e = 1; e < n; e++)
        memcpy(posterior + e * n_blocks, posterior, (size_t)n_blocks * sizeof(double));
    expect(fabs(information(posterior, n, n_block, n_hidden, parameters, gradient)) <
           1e-13); /* environments that say nothing */
    memset(posterior, 0, (size_t)(4 * n_blocks) * sizeof(double));
    for (int64_t e = 0; e < 4; e++)
        posterior[e * n_blocks + (e & 1)] =
            1; /* environments that tell the first spin, and h copies it */
    memset(parameters, 0, (size_t)size * sizeof(double));
    for (int64_t j = 0; j < n_hidden; j++)
        parameters[j * n_block] = 300;
    expect(close_to(information(posterior, 4, n_block, n_hidden, parameters, gradient), log(2.0),
                    1e-12));
    release_all();
}

/* Runs the chains in one piece and in two. */
static void check_slices(void)
{
    enum { STATES = 4, BLOCKS = 8 };
    const int64_t ld = padded(BLOCKS);
    double *posterior = random_doubles(7 * ld, 3), *q = take_doubles(STATES * ld), value[2];
    for (int64_t i = 0; i < STATES * ld; i++)
        q[i] = i % ld < BLOCKS ? (i / ld == i % 4 ? 0.7 : 0.1) : 0;
    normalize_rows(7, BLOCKS, posterior);
    for (int64_t pieces = 0; pieces < 2; pieces++) {
        arena a = {0};
        enumeration e;
        enumeration_take(&a, STATES, BLOCKS, 7, &e);
        enumeration_reset(&e);
        enumeration_add(&e, 7 - 3 * pieces, posterior, q);
        if (pieces)
            enumeration_add(&e, 3, posterior + 4 * ld, q);
        value[pieces] = enumeration_finish(&e);
        arena_free(&a);
    }
    expect(value[0] > 0 && close_to(value[0], value[1], 1e-13));
    release_all();
}

/* Without weights f is the same for all blocks: no information, no gradient, and spins under P(V)
 * q(h|V) with known odds. */
static void check_chains(int64_t n_block, int64_t n_hidden, int64_t n_chains)
{
    const int64_t n = 9, n_states = (int64_t)1 << n_hidden, parameters = n_hidden * n_block,
                  ld = padded(n);
    const double *zeros = take_doubles(64 * n_block), *filters = random_doubles(parameters, 1),
                 *bias = random_doubles(n_hidden, 1);
    double *visible_bias = random_doubles(n_block + 2, 0.5),
           *gradient = take_doubles(parameters + n_hidden);
    double *spins = take_doubles(n_block * ld), *p = take_doubles(n_hidden * ld),
           *q = take_doubles(n_states * ld);
    double *derivative = take_doubles(n_states * ld), *scratch = take_doubles((n_hidden + 1) * ld),
           *environments = take_doubles(2 * ld);
    const theta_pair theta = {n_block,      2,     3, 2, zeros, visible_bias, zeros, zeros,
                              visible_bias, zeros, 0};
    const channel c = {n_hidden, n_block, filters, bias, 0};
    int8_t *chains = random_spins(n_states * n_block * n_chains);
    arena a = {0};
    theta_fields fields;
    chain_workspace w;
    theta_take(&a, &theta, n, n_chains, &fields);
    chains_take(&a, &theta, n_hidden, n_chains, 3, n, &w);
    expect(!a.failed);
    theta_prepare(1, &fields);
    theta_set_environments(&fields, n, environments);
    for (int64_t i = 0; i < n_block * ld; i++)
        spins[i] = i % ld < n ? (random_below(2) ? 1 : -1) : 0;
    channel_probabilities(&c, n, spins, p, q);
    const double value = chains_objective(&c, &fields, n, spins, p, q, &w, chains, test_stream,
                                          derivative, scratch, gradient, gradient + parameters);
    expect(fabs(value) < 1e-6 && all_spins(n_states * n_block * n_chains, chains));
    for (int64_t k = 0; k < parameters + n_hidden; k++)
        expect(fabs(gradient[k]) < 1e-6);
    for (int64_t h = 0; h < n_states && n_block == 1; h++) {
        double weight[2], up = 0;
        for (int64_t k = 0; k < 2; k++) { /* P(v) q(h|v) */
            weight[k] = exp((double)(2 * k - 1) * visible_bias[0]);
            for (int64_t j = 0; j < n_hidden; j++)
                weight[k] /=
                    1 + exp((h >> j & 1 ? -1 : 1) * (bias[j] + (double)(2 * k - 1) * filters[j]));
        }
        for (int64_t m = 0; m < n_chains; m++)
            up += (chains[h * n_chains + m] > 0) / (double)n_chains;
        expect(fabs(up - weight[1] / (weight[0] + weight[1])) <
               2.5 / sqrt((double)n_chains)); /* five standard errors */
    }
    arena_free(&a);
    release_all();
}

int main(void)
{
    for (int64_t n_block = 1; n_block <= 9; n_block += 2)
        for (int64_t n_hidden = 1; n_hidden <= CHANNEL_MOST_HIDDEN; n_hidden += 7)
            check_enumeration(n_block, n_hidden);
    check_slices();
    check_chains(1, 1, 2001);
    check_chains(1, 3, 2000);
    check_chains(5, 2, 9);
    check_chains(16, 4, 2);
    return 0;
}
