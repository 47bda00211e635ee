/* Checks the coarse-graining channel: probabilities against the logistic function, gradients
 * against differences. */
#include "base/dense.h"
#include "learning/channel.h"
#include "tests/expect.h"

/* sum q G at given filters followed by the bias. */
static double contraction(int64_t n_hidden, int64_t n_block, const double *parameters, int64_t n,
                          const double *spins, const double *derivative, double *p, double *q)
{
    const channel c = {n_hidden, n_block, parameters, parameters + n_hidden * n_block, 0};
    double sum = 0;
    channel_probabilities(&c, n, spins, p, q);
    for (int64_t i = 0; i < padded(n) << n_hidden; i++)
        sum += q[i] * derivative[i];
    return sum;
}

static void check_channel(int64_t n_hidden, int64_t n_block, int64_t n, double scale)
{
    const int64_t ld = padded(n), n_states = (int64_t)1 << n_hidden,
                  size = n_hidden * (n_block + 1);
    const int8_t *table = random_spins(n * n_block);
    int64_t *index = take(8 * n);
    double *spins = take_doubles(n_block * ld), *p = take_doubles(n_hidden * ld),
           *q = take_doubles(n_states * ld);
    double *derivative = random_doubles(n_states * ld, 1), *gradient = take_doubles(size),
           *scratch = take_doubles((n_hidden + 1) * ld);
    double *parameters = random_doubles(size, scale), *mean = take_doubles(n_states), total = 0;
    const channel c = {n_hidden, n_block, parameters, parameters + n_hidden * n_block, 0};
    for (int64_t s = 0; s < n; s++)
        index[s] = s;
    gather_spins(n, n_block, table, index, spins);
    channel_probabilities(&c, n, spins, p, q);
    for (int64_t s = 0; s < ld; s++) {
        double sum = 0;
        for (int64_t h = 0; h < n_states; h++)
            sum += q[h * ld + s];
        expect(close_to(sum, s < n, 1e-14));
        for (int64_t j = 0; j < n_hidden && s < n; j++) {
            double x = c.bias[j];
            for (int64_t i = 0; i < n_block; i++)
                x += c.filters[j * n_block + i] * spins[i * ld + s];
            expect(close_to(p[j * ld + s], 1 / (1 + exp(-x)), 1e-13));
        }
    }
    for (int64_t h = 0; h < n_states; h++) {
        mean[h] = 0;
        for (int64_t s = 0; s < n; s++)
            mean[h] += q[h * ld + s] / (double)n;
        total += mean[h];
    }
    expect(close_to(total, 1, 1e-13) &&
           entropy(n_states, mean) <= (double)n_hidden * log(2.0) + 1e-13);
    channel_gradient(&c, n, spins, p, q, derivative, scratch, gradient,
                     gradient + n_hidden * n_block);
    for (int64_t k = 0; k < size; k += 1 + size / 7) { /* central differences */
        const double kept = parameters[k], step = 1e-5;
        parameters[k] = kept + step;
        const double above = contraction(n_hidden, n_block, parameters, n, spins, derivative, p, q);
        parameters[k] = kept - step;
        const double below = contraction(n_hidden, n_block, parameters, n, spins, derivative, p, q);
        parameters[k] = kept;
        expect(close_to(gradient[k], (above - below) / (2 * step), 1e-7));
    }
    release_all();
}

int main(void)
{
    const int64_t sizes[][3] = {{1, 1, 1},   {2, 4, 33},  {3, 5, 32},
                                {8, 64, 65}, {4, 9, 200}, {1, 16, 7}};
    for (int64_t i = 0; i < COUNT(sizes); i++)
        for (double scale = 0.3; scale < 1e3; scale *= 20)
            check_channel(sizes[i][0], sizes[i][1], sizes[i][2], scale);
    return 0;
}
