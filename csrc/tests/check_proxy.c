/* The pairwise objectives against the formulas they stand for, and their derivatives against differences. */
#include "dense.h"
#include "expect.h"
#include "proxy.h"

/* x (rows, columns) as a batch-last matrix. */
static double *batch_last(int64_t rows, int64_t columns, const double *x)
{
    double *out = take_doubles(rows * padded(columns));
    for (int64_t i = 0; i < rows * columns; i++) out[i / columns * padded(columns) + i % columns] = x[i];
    return out;
}

/* A by its definition (proxy.c) from raw energies (n, padded n); the diagonal is left out everywhere. */
static double plain_objective(int logarithm, int64_t n_states, int64_t n, const double *q, const double *energies)
{
    const int64_t ld = padded(n);
    double value = 0;
    for (int64_t h = 0; h < n_states; h++) {
        double weight = 0;
        for (int64_t j = 0; j < n; j++) weight += q[h * ld + j];
        for (int64_t i = 0; i < n; i++) {
            double sum = 0, mean = 0;
            for (int64_t j = 0; j < n; j++) {
                const double f = logarithm ? exp(energies[i * ld + j]) : energies[i * ld + j];
                if (j == i) continue;
                mean += f / (double)(n - 1);
                sum += q[h * ld + j] / weight * f;
            }
            if (logarithm)
                value += q[h * ld + i] * log(sum / mean) / (double)n;
            else
                value += q[h * ld + i] * (sum - mean * (1 - q[h * ld + i] / weight)) / (double)(n - 1);
        }
    }
    return value;
}

static void check_objective(int logarithm, int64_t n_states, int64_t n)
{
    const int64_t ld = padded(n), energies_size = n * ld * (int64_t)sizeof(double);
    const double *energies = batch_last(n, n, random_doubles(n * n, 2));
    double *used = take(energies_size), *scratch = take_doubles(3 * n_states * ld), *derivative = take_doubles(n_states * ld);
    double *q = batch_last(n_states, n, random_doubles(n_states * n, 1));
    for (int64_t i = 0; i < n_states * ld; i++) q[i] = i % ld < n ? 0.1 + fabs(q[i]) : 0;
    memcpy(used, energies, (size_t)energies_size);
    const double value = (logarithm ? log_sum_objective : proxy_objective)(n_states, n, q, used, scratch, derivative);
    expect(close_to(value, plain_objective(logarithm, n_states, n, q, energies), 1e-12));
    for (int64_t i = 0; i < n_states * ld; i += 1 + n_states * n / 11) { /* central differences */
        const double kept = q[i], step = 1e-5;
        if (i % ld >= n) continue;
        q[i] = kept + step;
        const double above = plain_objective(logarithm, n_states, n, q, energies);
        q[i] = kept - step;
        expect(close_to(derivative[i], (above - plain_objective(logarithm, n_states, n, q, energies)) / (2 * step), 1e-7));
        q[i] = kept;
    }
    release_all();
}

int main(void)
{
    for (int logarithm = 0; logarithm < 2; logarithm++)
        for (int64_t n_states = 2; n_states <= 256; n_states *= 2)
            for (int64_t n = 2; n < 70; n = 3 * n + 1) check_objective(logarithm, n_states, n);
    return 0;
}
