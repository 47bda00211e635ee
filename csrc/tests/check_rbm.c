/* Checks contrastive divergence: initial states, sizes that are no multiple of the vectors, an
 * update by hand, and refusals. */
#include "learning/rbm.h"
#include "tests/expect.h"

static rbm_state make_state(size_t n_visible, size_t n_hidden, size_t n_chains, double scale)
{
    const int64_t v = (int64_t)n_visible, h = (int64_t)n_hidden;
    rbm_state state = {n_visible,
                       n_hidden,
                       take(4 * v * h),
                       take(4 * v),
                       take(4 * h),
                       take(4 * v * h),
                       take(4 * v),
                       take(4 * h),
                       take(32),
                       take(16 * RBM_LANES),
                       n_chains ? take((int64_t)n_chains * v) : NULL};
    for (int k = 0; k < 4; k++)
        state.rng[k] = 1 + (uint64_t)k;
    expect(rbm_initialize(&state, n_chains, scale) == RSMI_OK);
    return state;
}

static rbm_schedule make_schedule(size_t batch_size, size_t n_gibbs, double rate)
{
    return (rbm_schedule){.batch_size = batch_size,
                          .n_gibbs = n_gibbs,
                          .learning_rate = rate,
                          .momentum = 0.5,
                          .weight_decay = 1e-3,
                          .total_batches = 4};
}

static void check_initial(void)
{
    const rbm_state state = make_state(60, 80, 3, 0.01);
    double square = 0, mean = 0;
    int64_t zeros = 0;
    for (int i = 0; i < 4800; i++)
        square += state.weights[i] * (double)state.weights[i] / 4800,
            mean += state.weights[i] / 4800.0;
    expect(fabs(sqrt(square) - 0.01) < 5e-4 &&
           fabs(mean) < 6e-4); /* five and four standard errors */
    for (int i = 0; i < 4 * RBM_LANES; i++)
        zeros += state.lanes[i] == 0;
    expect(zeros == 0 && all_spins(180, state.chains));
    release_all();
}

/* Two epochs on odd sizes; CD or persistent. */
static void check_epochs(size_t n_visible, size_t n_hidden, size_t batch_size, size_t n_gibbs,
                         int persistent, int symmetric)
{
    const size_t n_windows = 2 * batch_size + (batch_size > 1);
    const int8_t *windows = random_spins((int64_t)(n_windows * n_visible));
    const rbm_state state = make_state(n_visible, n_hidden, persistent ? batch_size : 0, 0.1);
    rbm_schedule schedule = make_schedule(batch_size, n_gibbs, 0.05);
    double error, biases = 0;
    schedule.symmetric = symmetric;
    for (; schedule.first_batch < 4; schedule.first_batch += 2) {
        expect(rbm_train_epoch(&state, windows, n_windows, &schedule, &error) == RSMI_OK);
        expect(persistent
                   ? isnan(error) && all_spins((int64_t)(batch_size * n_visible), state.chains)
                   : error >= 0 && error <= 1);
    }
    for (size_t i = 0; i < n_visible; i++)
        biases += fabs(state.visible_bias[i]);
    for (size_t k = 0; k < n_hidden; k++)
        biases += fabs(state.hidden_bias[k]);
    expect(symmetric ? biases == 0 : biases > 0);
    expect(rbm_train_epoch(&state, windows, n_windows, &schedule, &error) ==
           RSMI_BAD_VALUE); /* beyond the schedule */
    release_all();
}

/* All windows up, zero weights, visible bias so strong that the chains stay up: the positive phase
 * equals the negative one; with the opposite bias all chains end down, and every visible bias moves
 * by rate * (1 - (-1)). */
static void check_update(size_t n_visible, size_t n_hidden, size_t batch_size)
{
    int8_t *windows = take((int64_t)(batch_size * n_visible));
    memset(windows, 1, batch_size * n_visible);
    for (int sign = 1; sign >= -1; sign -= 2) {
        const rbm_state state = make_state(n_visible, n_hidden, 0, 0);
        const rbm_schedule schedule = make_schedule(batch_size, 1, 0.25);
        double error;
        for (size_t i = 0; i < n_visible; i++)
            state.visible_bias[i] = (float)(40 * sign);
        expect(rbm_train_epoch(&state, windows, batch_size, &schedule, &error) == RSMI_OK);
        expect(error == (sign > 0 ? 0.0 : 1.0));
        for (size_t i = 0; i < n_visible; i++)
            expect(state.visible_bias[i] == (sign > 0 ? 40.0f : -39.5f));
        for (size_t i = 0; i < n_visible * n_hidden; i++)
            expect(state.weights[i] == 0.0f);
        for (size_t k = 0; k < n_hidden; k++)
            expect(state.hidden_bias[k] == 0.0f);
    }
    release_all();
}

static void check_refusals(void)
{
    const int8_t *windows = random_spins(40 * 5);
    rbm_state state = make_state(5, 7, 0, 0.1);
    rbm_schedule schedule = make_schedule(20, 1, 0.05);
    double error;
    expect(rbm_train_epoch(&state, windows, 19, &schedule, &error) == RSMI_BAD_SHAPE);
    schedule.batch_size = 0;
    expect(rbm_train_epoch(&state, windows, 40, &schedule, &error) == RSMI_BAD_SHAPE);
    schedule = make_schedule(20, 0, 0.05);
    expect(rbm_train_epoch(&state, windows, 40, &schedule, &error) == RSMI_BAD_VALUE);
    state.n_hidden = 0;
    expect(rbm_train_epoch(&state, windows, 40, &schedule, &error) == RSMI_BAD_SHAPE);
    state.n_hidden = 7;
    schedule = make_schedule(20, 1, 1e30);
    schedule.weight_decay = 1e30;
    expect(rbm_train_epoch(&state, windows, 40, &schedule, &error) == RSMI_DIVERGED);
    release_all();
}

int main(void)
{
    const size_t sizes[][3] = {{1, 1, 1},     {5, 7, 17},    {24, 20, 100}, {19, 3, 130},
                               {33, 18, 256}, {64, 64, 128}, {3, 33, 16},   {2, 5, 257}};
    check_initial();
    for (int64_t i = 0; i < COUNT(sizes); i++) {
        for (int mode = 0; mode < 8; mode++)
            check_epochs(sizes[i][0], sizes[i][1], sizes[i][2], 1 + 2 * (size_t)(mode & 1),
                         mode >> 1 & 1, mode >> 2);
        check_update(sizes[i][0], sizes[i][1], sizes[i][2]);
    }
    check_refusals();
    return 0;
}
