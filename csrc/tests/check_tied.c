/* Checks machines of units with several states: pair energies against their formula, and that
 * training moves a machine towards its data. */
#include "base/dense.h"
#include "base/status.h"
#include "learning/state_pairs.h"
#include "learning/tied_rbm.h"
#include "tests/expect.h"

static double log_sum(int64_t states, const double *a, int64_t a_stride, const double *b,
                      int64_t b_stride)
{
    double sum = 0;
    for (int64_t k = 0; k < states; k++)
        sum += exp(a[k * a_stride] + b[k * b_stride]);
    return log(sum);
}

static void check_pairs(int64_t states, int64_t rows, int64_t columns, int64_t units)
{
    const double *a = random_doubles(units * states * rows, 3),
                 *b = random_doubles(units * states * columns, 3);
    double *table = take_doubles(rows * columns);
    expect(state_pair_table(states, rows, columns, units, a, b, table) == RSMI_OK);
    for (int64_t i = 0; i < rows; i++)
        for (int64_t j = 0; j < columns; j++) {
            double direct = 0;
            for (int64_t k = 0; k < units; k++)
                direct += log_sum(states, a + k * states * rows + i, rows,
                                  b + k * states * columns + j, columns);
            expect(close_to(table[i * columns + j], direct, 1e-13));
        }
    release_all();
}

/* The mean over units of q-state features: field (units states, columns) against zero rows. */
static void check_sums(int64_t states, int64_t columns, int64_t units)
{
    const int64_t ld = padded(columns);
    const double *field = random_doubles(units * states * ld, 3);
    const double zeros[16] = {0};
    double *sum = take_doubles(ld);
    add_log_sums(states, units, columns, -1.0, field, sum);
    for (int64_t j = 0; j < columns; j++) {
        double direct = 0;
        for (int64_t k = 0; k < units; k++)
            direct -= log_sum(states, field + k * states * ld + j, ld, zeros, 1);
        expect(close_to(sum[j], direct, 1e-13));
    }
    release_all();
}

/* Two variables that are equal: their weights with a hidden unit become alike and large. */
static void check_training(int persistent)
{
    enum { Q = 3, N = 400, BATCH = 40 };
    const double values[Q * Q] = {1, 0, 0, 0, 1, 0, 0, 0, 1};
    const feature_table features = {Q, Q, values};
    int8_t data[2 * N], chains[2 * BATCH] = {0};
    double weights[2] = {0.1, 0.05}, steps[2] = {0}, error;
    uint64_t rng[4] = {1, 2, 3, 4};
    for (int i = 0; i < 2 * N; i++)
        data[i] = (int8_t)(i / 2 % Q);
    const tied_rbm machine = {2, 1, weights, steps, rng, persistent ? chains : NULL};
    tied_rbm_schedule schedule = {BATCH, 3, 0.5, 0.5, 0, 400};
    for (; schedule.first_batch < 400; schedule.first_batch += 10)
        expect(tied_rbm_train_epoch(&machine, &features, data, N, &schedule, &error) == RSMI_OK);
    expect(weights[0] * weights[1] > 4 && (persistent ? isnan(error) : error < 0.2));
    schedule.first_batch = 400;
    expect(tied_rbm_train_epoch(&machine, &features, data, N, &schedule, &error) == RSMI_BAD_VALUE);
}

int main(void)
{
    check_pairs(2, 5, 33, 3);
    check_pairs(3, 40, 81, 5);
    check_pairs(7, 1, 1, 1);
    check_sums(3, 81, 5);
    check_sums(2, 8, 1);
    check_training(0);
    check_training(1);
    return 0;
}
