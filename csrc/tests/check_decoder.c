/* Checks the decoder of the lower bound: gradients against differences, normalisation, and a fit
 * whose optimum is known. */
#include "base/dense.h"
#include "learning/decoder.h"
#include "tests/expect.h"

/* Mean log-likelihood of the targets q (n_states, n); the bound is linear in q, with the derivative
 * returned. */
static double likelihood(const decoder_shape *shape, const double *parameters, int64_t n,
                         const double *environments, const double *q, double *gradient,
                         double *derivative)
{
    arena a = {0};
    decoder_workspace w;
    decoder_take(&a, shape, n, &w);
    expect(!a.failed);
    decoder_forward(shape, parameters, n, environments, &w);
    const double value =
        decoder_objective(shape, parameters, n, environments, q, &w, gradient, derivative);
    double sum = 0, linear = 0;
    for (int64_t h = 0; h < (int64_t)1 << shape->n_hidden; h++)
        for (int64_t s = 0; s < n; s++) {
            sum += q[h * padded(n) + s] * w.log_r[h * padded(n) + s] / (double)n;
            linear += q[h * padded(n) + s] * derivative[h * padded(n) + s];
        }
    expect(close_to(value, linear, 1e-12));
    arena_free(&a);
    return sum;
}

static void check_decoder(int64_t n_environment, int64_t n_units, int64_t n_hidden, int64_t n)
{
    const decoder_shape shape = {.n_environment = n_environment,
                                 .n_units = n_units,
                                 .n_hidden = n_hidden,
                                 .environment_mean =
                                     n % 2 ? NULL : random_doubles(n_environment, 0.4)};
    const decoder_schedule schedule = {200, 50, 0.02};
    const int64_t size = decoder_size(&shape), ld = padded(n), n_states = (int64_t)1 << n_hidden;
    expect(size ==
           n_hidden * n_environment + n_states * (1 + n_units) + n_units * (n_environment + 1));
    const int8_t *table = random_spins(n * n_environment);
    int64_t *index = take(8 * n);
    double *environments = take_doubles(n_environment * ld), *q = take_doubles(n_states * ld),
           *targets = take_doubles(n * n_states);
    double *parameters = random_doubles(size, 0.5), *gradient = take_doubles(size),
           *derivative = take_doubles(n_states * ld);
    double *log_r = take_doubles(n * n_states), first = 0, last = 0;
    for (int64_t s = 0; s < n; s++)
        index[s] = s;
    gather_spins(n, n_environment, table, index, environments);
    for (int64_t s = 0; s < n; s++)
        targets[s * n_states + (table[s * n_environment] > 0)] =
            q[(table[s * n_environment] > 0) * ld + s] = 1;
    likelihood(&shape, parameters, n, environments, q, gradient, derivative);
    for (int64_t k = 0; k < size; k += 1 + size / 9) { /* central differences */
        const double kept = parameters[k], step = 1e-5;
        double *unused = take_doubles(size), *ignored = take_doubles(n_states * ld);
        parameters[k] = kept + step;
        const double above = likelihood(&shape, parameters, n, environments, q, unused, ignored);
        parameters[k] = kept - step;
        expect(
            close_to(gradient[k],
                     (above - likelihood(&shape, parameters, n, environments, q, unused, ignored)) /
                         (2 * step),
                     1e-7));
        parameters[k] = kept;
    }
    for (int fitted = 0; fitted < 2; fitted++) {
        expect(decoder_log_probabilities(&shape, parameters, n, table, log_r) == RSMI_OK);
        for (int64_t s = 0; s < n; s++) {
            double total = 0;
            for (int64_t h = 0; h < n_states; h++) {
                total += exp(log_r[s * n_states + h]);
                *(fitted ? &last : &first) +=
                    targets[s * n_states + h] * log_r[s * n_states + h] / (double)n;
            }
            expect(close_to(total, 1, 1e-13));
        }
        if (!fitted)
            expect(decoder_fit(&shape, &schedule, n, table, targets, test_stream, parameters) ==
                   RSMI_OK);
    }
    expect(last > first && last > -0.2); /* the environment tells h: the likelihood tends to 1 */
    parameters[0] = NAN;
    expect(decoder_fit(&shape, &schedule, n, table, targets, test_stream, parameters) ==
           RSMI_DIVERGED);
    release_all();
}

int main(void)
{
    for (int64_t n = 1; n < 1100; n = 2 * n + 65) {
        check_decoder(1, 0, 1, n);
        check_decoder(5, 3, 1, n);
        check_decoder(3, 17, 4, n);
    }
    return 0;
}
