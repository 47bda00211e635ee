/* Checks the pairwise objectives against the formulas that they stand for, and their derivatives
 * against differences. */
#include "base/dense.h"
#include "learning/proxy.h"
#include "tests/expect.h"

/* x (rows, columns) as a batch-last matrix. */
static double *batch_last(int64_t rows, int64_t columns, const double *x)
{
    double *out = take_doubles(rows * padded(columns));
    for (int64_t i = 0; i < rows * columns; i++)
        out[i / columns * padded(columns) + i % columns] = x[i];
    return out;
}

/* A by its definition (proxy.c) from raw energies (rows, padded columns); own pairs left out where
 * the columns say so. */
static double plain_objective(int logarithm, int64_t n_states, const proxy_columns *c,
                              const double *q, const double *energies)
{
    const int64_t ld = padded(c->columns);
    double value = 0;
    for (int64_t h = 0; h < n_states; h++) {
        double weight = 0;
        for (int64_t j = 0; j < c->columns; j++)
            weight += c->weight[j] * q[h * ld + j];
        for (int64_t i = 0; i < c->rows; i++) {
            double sum = 0, mean = 0, total = 0, share = 0;
            for (int64_t j = 0; j < c->columns; j++) {
                const double f = logarithm ? exp(energies[i * ld + j]) : energies[i * ld + j],
                             w = c->weight[j] * q[h * ld + j] / weight;
                if (c->leave_own_out && j == c->own[i])
                    continue;
                mean += c->weight[j] * f, total += c->weight[j];
                sum += w * f, share += w;
            }
            mean /= total;
            value += q[h * ld + c->own[i]] *
                     (logarithm ? log(sum / mean) / (double)c->rows
                                : (sum - mean * share) / (double)(c->rows - c->leave_own_out));
        }
    }
    return value;
}

static void check_objective(int logarithm, int leave_own_out, int64_t n_states, int64_t rows,
                            int64_t columns)
{
    const int64_t ld = padded(columns);
    const double *energies = batch_last(rows, columns, random_doubles(rows * columns, 2));
    double *derivative = take_doubles(n_states * ld), *weight = random_doubles(columns, 3),
           total = 0;
    double *q = batch_last(n_states, columns, random_doubles(n_states * columns, 1));
    arena memory = {0};
    proxy_columns c = {.rows = rows, .columns = columns, .leave_own_out = leave_own_out};
    proxy_take(&memory, n_states, rows, columns, &c);
    for (int64_t j = 0; j < columns; j++)
        total += c.weight[j] = leave_own_out ? 1 : 0.1 + fabs(weight[j]);
    for (int64_t j = 0; j < columns; j++)
        c.weight[j] /= total;
    for (int64_t i = 0; i < rows; i++)
        c.own[i] = leave_own_out ? i : 7 * i % columns;
    for (int64_t i = 0; i < n_states * ld; i++)
        q[i] = i % ld < columns ? 0.1 + fabs(q[i]) : 0;
    memcpy(c.energies, energies, (size_t)(rows * ld) * sizeof(double));
    const double value =
        (logarithm ? log_sum_objective : proxy_objective)(n_states, q, &c, derivative);
    expect(close_to(value, plain_objective(logarithm, n_states, &c, q, energies), 1e-12));
    for (int64_t i = 0; i < n_states * ld;
         i += 1 + n_states * columns / 11) { /* central differences */
        const double kept = q[i], step = 1e-5;
        if (i % ld >= columns)
            continue;
        q[i] = kept + step;
        const double above = plain_objective(logarithm, n_states, &c, q, energies);
        q[i] = kept - step;
        expect(close_to(
            derivative[i],
            (above - plain_objective(logarithm, n_states, &c, q, energies)) / (2 * step), 1e-7));
        q[i] = kept;
    }
    arena_free(&memory);
    release_all();
}

int main(void)
{
    for (int logarithm = 0; logarithm < 2; logarithm++)
        for (int64_t n_states = 2; n_states <= 256; n_states *= BRIEFLY(2, 8)) {
            for (int64_t n = 2; n < BRIEFLY(70, 30); n = 3 * n + 1)
                check_objective(logarithm, 1, n_states, n, n);
            check_objective(logarithm, 0, n_states, 23, 16);
            check_objective(logarithm, 0, n_states, 5, 40);
        }
    return 0;
}
