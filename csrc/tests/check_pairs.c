/* Checks pair free energies and the two machines of Theta against the formulas that they stand
 * for. */
#include "base/dense.h"
#include "learning/pairs.h"
#include "learning/theta.h"
#include "tests/expect.h"

static double log_2cosh(double x)
{
    return fabs(x) + log1p(exp(-2 * fabs(x)));
}

/* x (rows, columns) as a batch-last matrix. */
static double *batch_last(int64_t rows, int64_t columns, const double *x)
{
    double *out = take_doubles(rows * padded(columns));
    for (int64_t i = 0; i < rows * columns; i++)
        out[i / columns * padded(columns) + i % columns] = x[i];
    return out;
}

static void check_pair_energies(int64_t rows, int64_t columns, int64_t n_hidden, double scale,
                                double tolerance)
{
    const int64_t ld = padded(columns);
    const double *a = random_doubles(n_hidden * rows, scale),
                 *b = random_doubles(n_hidden * columns, scale);
    const double *row_offset = random_doubles(rows, 1), *column_offset = random_doubles(columns, 1),
                 *column_field = batch_last(n_hidden, columns, b);
    double *out = random_doubles(rows * ld, 1), *table = take_doubles(rows * columns),
           *sum = take_doubles(columns);
    arena memory = {0};
    pairs_workspace w;
    pairs_take(&memory, rows, columns, n_hidden, &w);
    expect(!memory.failed);
    pair_energies(rows, columns, n_hidden, batch_last(n_hidden, rows, a), padded(rows),
                  column_field, row_offset, column_offset, &w, out);
    expect(pair_log_cosh_table(rows, columns, n_hidden, a, b, 2, table) == RSMI_OK);
    add_log_cosh(n_hidden, columns, -1, column_field, sum);
    for (int64_t i = 0; i < rows; i++)
        for (int64_t j = 0; j < ld; j++) {
            double direct = 0;
            for (int64_t k = 0; k < n_hidden && j < columns; k++)
                direct += log_2cosh(a[k * rows + i] + b[k * columns + j]);
            if (j < columns)
                expect(fabs(table[i * columns + j] - direct) < tolerance);
            expect(fabs(out[i * ld + j] -
                        (j < columns ? direct + row_offset[i] + column_offset[j] : 0)) < tolerance);
        }
    for (int64_t j = 0; j < columns; j++) {
        double direct = 0;
        for (int64_t k = 0; k < n_hidden; k++)
            direct -= log_2cosh(b[k * columns + j]);
        expect(close_to(sum[j], direct, 1e-13));
    }
    arena_free(&memory);
    release_all();
}

static double machine(int64_t sites, int64_t hidden, const double *weights,
                      const double *visible_bias, const double *hidden_bias, const double *spins)
{
    double sum = 0;
    for (int64_t i = 0; i < sites; i++)
        sum += visible_bias[i] * spins[i];
    for (int64_t k = 0; k < hidden; k++) {
        double field = hidden_bias[k];
        for (int64_t i = 0; i < sites; i++)
            field += spins[i] * weights[i * hidden + k];
        sum += log_2cosh(field);
    }
    return sum;
}

/* f(v, e) = -F(v, e) + F(v), the linear part of e left out. */
static void check_theta(int64_t n_block, int64_t n_environment, int64_t n_hidden,
                        int64_t n_marginal, int64_t n, int64_t first)
{
    const int64_t sites = n_block + n_environment, rows = n - first;
    const theta_pair theta = {n_block,
                              n_environment,
                              n_hidden,
                              n_marginal,
                              random_doubles(sites * n_hidden, 0.5),
                              random_doubles(sites, 0.5),
                              random_doubles(n_hidden, 0.5),
                              random_doubles(n_block * n_marginal, 0.5),
                              random_doubles(n_block, 0.5),
                              random_doubles(n_marginal, 0.5),
                              0};
    double *spins[2] = {take_doubles(n_block * padded(n)), take_doubles(n_environment * padded(n))};
    double *energies = take_doubles(n * padded(n)), *both = take_doubles(sites),
           *linear = take_doubles(sites);
    const int64_t counts[2] = {n_block, n_environment};
    for (int part = 0; part < 2; part++)
        for (int64_t i = 0; i < counts[part] * padded(n); i++)
            if (i % padded(n) < n)
                spins[part][i] = random_below(2) ? 1 : -1;
    memcpy(linear, theta.visible_bias, (size_t)n_block * sizeof(double));
    for (int subtract = 0; subtract < 2; subtract++) {
        arena memory = {0};
        theta_fields w;
        theta_take(&memory, &theta, n, n, &w);
        expect(!memory.failed);
        theta_prepare(subtract, &w);
        theta_set_environments(&w, n, spins[1]);
        theta_set_blocks(&w, n, spins[0]);
        theta_pair_energies(&w, first, rows, n, n, energies);
        for (int64_t i = 0; i < rows; i++)
            for (int64_t j = 0; j < n; j++) {
                for (int64_t k = 0; k < sites; k++)
                    both[k] = k < n_block ? spins[0][k * padded(n) + j]
                                          : spins[1][(k - n_block) * padded(n) + first + i];
                double f = machine(sites, n_hidden, theta.weights, linear, theta.hidden_bias, both);
                if (subtract)
                    f -= machine(n_block, n_marginal, theta.marginal_weights,
                                 theta.marginal_visible_bias, theta.marginal_hidden_bias, both);
                expect(fabs(energies[i * padded(n) + j] - f) < 5e-6);
            }
        arena_free(&memory);
    }
    release_all();
}

int main(void)
{
    const int64_t sizes[][3] = {{1, 1, 1},   {5, 33, 7}, {4, 32, 600},
                                {33, 5, 20}, {3, 70, 9}, {64, 64, 2}};
    const double scales[] = {
        0.01, 2.5, 5, 10,
        30,   400}; /* every way of summing: 8, 4 and 2 factors at once, and double precision */
    for (int64_t i = 0; i < COUNT(sizes); i++)
        for (int64_t k = 0; k < COUNT(scales); k++)
            check_pair_energies(sizes[i][0], sizes[i][1], sizes[i][2], scales[k], 1e-5);
    check_theta(1, 1, 1, 1, 2, 0);
    check_theta(4, 7, 5, 3, 33, 8);
    check_theta(9, 3, 17, 8, 65, 3);
    return 0;
}
