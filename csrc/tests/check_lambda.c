/* Checks the training of Lambda with every objective: gradients against differences, split runs,
 * sizes that are no multiple of the vectors, and refusals. */
#include "base/dense.h"
#include "learning/chains.h"
#include "learning/channel.h"
#include "learning/enumerate.h"
#include "learning/lambda.h"
#include "tests/expect.h"

typedef struct {
    theta_pair theta;
    window_table windows;
    lambda_settings settings;
    lambda_state state;
    int64_t size, step, n_chain_spins;
    uint64_t rng[4];
} problem;

static problem *make_problem(int64_t objective, int64_t n_block, int64_t n_environment,
                             int64_t n_hidden, int64_t batch, double scale)
{
    enum { THETA_HIDDEN = 7, MARGINAL_HIDDEN = 3 };
    problem *p = take(sizeof *p);
    const int64_t n = batch + 5, sites = n_block + n_environment;
    p->theta = (theta_pair){n_block,
                            n_environment,
                            THETA_HIDDEN,
                            MARGINAL_HIDDEN,
                            random_doubles(sites * THETA_HIDDEN, scale),
                            random_doubles(sites, scale),
                            random_doubles(THETA_HIDDEN, scale),
                            random_doubles(n_block * MARGINAL_HIDDEN, scale),
                            random_doubles(n_block, scale),
                            random_doubles(MARGINAL_HIDDEN, scale),
                            0};
    p->windows = (window_table){
        .n_windows = n,
        .n_block = n_block,
        .n_environment = n_environment,
        .blocks = random_spins(n * n_block),
        .environments = random_spins(n * n_environment),
        .theta = objective == LAMBDA_DECODER || objective == LAMBDA_GAUSSIAN ? NULL : &p->theta,
        .critic =
            objective == LAMBDA_GAUSSIAN ? random_doubles(n_block * n_environment, scale) : NULL};
    if (batch % 3 == 1)
        p->windows.block_mean = random_doubles(n_block, 0.5),
        p->windows.environment_mean = random_doubles(n_environment, 0.5);
    p->settings = (lambda_settings){.objective = objective,
                                    .n_hidden = n_hidden,
                                    .batch = batch,
                                    .total_steps = 10,
                                    .steps_per_epoch = 3,
                                    .n_chains = 9,
                                    .n_sweeps = 2,
                                    .decoder_units = 4,
                                    .adam = 1,
                                    .free_bias = 1,
                                    .distinct_blocks = batch % 2,
                                    .learning_rate = 0.05,
                                    .decoder_learning_rate = 0.02};
    p->size = lambda_size(&p->settings, &p->windows);
    p->n_chain_spins = (n_block * p->settings.n_chains) << n_hidden;
    memcpy(p->rng, (uint64_t[4]){9, 8, 7, 6}, sizeof p->rng);
    p->state = (lambda_state){random_doubles(p->size, 0.5),
                              take_doubles(p->size),
                              take_doubles(p->size),
                              random_spins(p->n_chain_spins),
                              p->rng,
                              &p->step};
    return p;
}

static double value_of(problem *p, double *gradient)
{
    double value;
    p->windows.n_windows = p->settings.batch;
    expect(lambda_evaluate(&p->windows, &p->settings, &p->state, &value, gradient) == RSMI_OK);
    return value;
}

/* Checks the gradient of filters and biases. The step is wide because pair energies carry float32
 * rounding. */
static void check_gradient(problem *p)
{
    double *gradient = take_doubles(p->size), *unused = take_doubles(p->size);
    const double value = value_of(p, gradient), step = 1e-3;
    const int64_t own =
        p->settings.n_hidden *
        (p->windows.n_block +
         1); /* beyond: the decoder, which climbs its likelihood (check_decoder.c) */
    expect(isfinite(value) && (p->settings.objective != LAMBDA_ENUMERATE || value >= -1e-5));
    if (p->settings.objective == LAMBDA_CHAINS)
        return; /* an estimate */
    for (int64_t k = 0; k < own; k += 1 + own / BRIEFLY(7, 2)) {
        double *parameter = p->state.parameters + k, kept = *parameter;
        *parameter = kept + step;
        const double above = value_of(p, unused);
        *parameter = kept - step;
        expect(close_to(gradient[k], (above - value_of(p, unused)) / (2 * step), 1e-4));
        *parameter = kept;
    }
}

/* 4 epochs (3 + 3 + 3 + 1 steps) are 1 + 3 epochs; only what training may change has changed. */
static void check_training(int64_t objective, int64_t n_block, int64_t n_hidden, int64_t batch,
                           double scale, int adam)
{
    enum { EPOCHS = 4 };
    uint64_t before[4];
    problem *p[2];
    double objectives[2][EPOCHS], *filters[2], *bias[2];
    memcpy(before, test_stream, sizeof before);
    for (int split = 0; split < 2; split++) {
        memcpy(test_stream, before, sizeof before); /* twice the same problem */
        p[split] = make_problem(objective, n_block, 6, n_hidden, batch, scale);
        p[split]->settings.adam = p[split]->settings.free_bias = adam;
        filters[split] = take_doubles(EPOCHS * n_hidden * n_block),
        bias[split] = take_doubles(EPOCHS * n_hidden);
        const double first_bias = p[split]->state.parameters[n_hidden * n_block];
        for (int64_t done = 0, epochs = split ? 1 : EPOCHS; done < EPOCHS;
             done += epochs, epochs = EPOCHS - done)
            expect(lambda_train(&p[split]->windows, &p[split]->settings, &p[split]->state, epochs,
                                objectives[split] + done,
                                filters[split] + done * n_hidden * n_block,
                                bias[split] + done * n_hidden) == RSMI_OK);
        expect(p[split]->step == 10 &&
               (adam || first_bias == p[split]->state.parameters[n_hidden * n_block]));
    }
    const lambda_state *a = &p[0]->state, *b = &p[1]->state;
    const size_t bytes = (size_t)p[0]->size * sizeof(double);
    expect(memcmp(a->parameters, b->parameters, bytes) == 0 &&
           memcmp(a->second_moment, b->second_moment, bytes) == 0);
    expect(memcmp(objectives[0], objectives[1], sizeof objectives[0]) == 0 &&
           memcmp(p[0]->rng, p[1]->rng, sizeof before) == 0);
    expect(memcmp(filters[0], filters[1], (size_t)(EPOCHS * n_hidden * n_block) * sizeof(double)) ==
           0);
    expect(memcmp(bias[0], bias[1], (size_t)(EPOCHS * n_hidden) * sizeof(double)) == 0);
    expect(memcmp(a->chains, b->chains, (size_t)p[0]->n_chain_spins) == 0 &&
           all_spins(p[0]->n_chain_spins, a->chains));
    release_all();
}

static int train_once(problem *p)
{
    double objective, *filters = take_doubles(p->settings.n_hidden * p->windows.n_block + 1),
                      *bias = take_doubles(p->settings.n_hidden + 1);
    return lambda_train(&p->windows, &p->settings, &p->state, 1, &objective, filters, bias);
}

static void check_refusals(void)
{
    problem *p = make_problem(LAMBDA_CHAINS, 4, 6, 2, 11, 0.3);
    const lambda_settings good = p->settings;
    expect(train_once(p) == RSMI_OK);
    for (int64_t n_hidden = 0; n_hidden <= CHANNEL_MOST_HIDDEN + 1;
         n_hidden += CHANNEL_MOST_HIDDEN + 1, p->settings = good)
        expect((p->settings.n_hidden = n_hidden, train_once(p)) == RSMI_BAD_SHAPE);
    expect((p->settings.batch = 1, train_once(p)) == RSMI_BAD_SHAPE);
    p->settings = good;
    expect((p->settings.n_chains = 1, train_once(p)) == RSMI_BAD_SHAPE);
    p->settings = good;
    for (int64_t objective = -1; objective <= LAMBDA_GAUSSIAN + 1;
         objective += LAMBDA_GAUSSIAN + 2, p->settings = good)
        expect((p->settings.objective = objective, train_once(p)) == RSMI_BAD_VALUE);
    p->theta.n_marginal_hidden = CHAINS_MOST_UNITS;
    expect(train_once(p) == RSMI_BAD_SHAPE);
    p->theta.n_marginal_hidden = 3;
    double value, gradient[16];
    expect(lambda_evaluate(&p->windows, &p->settings, &p->state, &value, gradient) ==
           RSMI_BAD_SHAPE); /* not all windows in the batch */
    p->windows.theta = NULL;
    expect(train_once(p) == RSMI_BAD_VALUE);
    expect((p->settings.objective = LAMBDA_GAUSSIAN, train_once(p)) ==
           RSMI_BAD_VALUE); /* no critic */
    p->settings = good;
    p->windows.n_windows = 0;
    expect(train_once(p) == RSMI_BAD_SHAPE);
    release_all();

    const feature_table spins = {0};
    p = make_problem(LAMBDA_ENUMERATE, 17, 6, 2, 11, 0.3);
    expect(train_once(p) == RSMI_BAD_SHAPE);
    for (int64_t n_block = 4; n_block <= 17; n_block += 13)
        expect(enumerate_information(NULL, 0, n_block, n_block == 4 ? 9 : 2, 0, &spins, NULL, NULL,
                                     NULL, NULL, NULL) == RSMI_BAD_SHAPE);
    release_all();

    p = make_problem(LAMBDA_PAIRS, 4, 6, 2, 11, 0.3);
    p->state.parameters[0] = NAN;
    expect(train_once(p) == RSMI_DIVERGED);
    release_all();
}

int main(void)
{
    for (int64_t objective = LAMBDA_PAIRS; objective <= LAMBDA_GAUSSIAN; objective++) {
        for (int64_t batch = 2; batch < BRIEFLY(70, 10); batch = 3 * batch + 1) {
            check_gradient(make_problem(objective, 4, 6, 1, batch, 0.3));
            check_gradient(make_problem(objective, 9, 5, 3, batch, 0.3));
            release_all();
        }
        for (int adam = 0; adam < 2; adam++) {
            check_training(objective, 1, 1, 2, 0.3, adam);
            check_training(objective, 5, BRIEFLY(8, 5), 33, 0.3, adam);
            check_training(objective, 4, 2, 40, 8,
                           adam); /* fields beyond the float32 product of pairs */
        }
        check_training(objective, objective == LAMBDA_ENUMERATE ? BRIEFLY(16, 9) : 64, 2, 70, 0.1,
                       1); /* 70 environments in two slices */
    }
    check_refusals();
    return 0;
}
