/* Checks the moments and one update of the explanation of total correlation against sums over
 * states that are written out. */
#include "learning/total_correlation.h"
#include "tests/expect.h"

static double softplus(double x)
{
    return fmax(x, 0) + log1p(exp(-fabs(x)));
}

static explanation random_explanation(int64_t n_hidden, int64_t n_sites, double scale)
{
    explanation e = {n_hidden,
                     1,
                     random_doubles(n_hidden * n_sites, scale),
                     random_doubles(n_hidden, 1),
                     take_doubles(n_hidden * n_sites),
                     take_doubles(n_sites),
                     random_doubles(n_hidden, 1),
                     take_doubles(n_hidden)};
    for (int64_t k = 0; k < n_hidden * n_sites; k++)
        e.alpha[k] = 1.0;
    for (int64_t i = 0; i < n_sites; i++)
        e.sharpness[i] = 20.0;
    return e;
}

static void check_one_step(int64_t n_states, int64_t n_sites, int64_t n_hidden, double scale)
{
    const int64_t bytes = (n_sites + 7) / 8;
    uint8_t *blocks = random_bytes(n_states * bytes);
    double *weights = take_doubles(n_states), *up = take_doubles(n_sites),
           *x = take_doubles(n_hidden * n_states);
    explanation e = random_explanation(n_hidden, n_sites, scale);
    for (int64_t s = 0; s < n_states; s++) {
        if (n_sites % 8)
            blocks[(s + 1) * bytes - 1] &= (uint8_t)((1 << n_sites % 8) - 1);
        weights[s] = 1.0 / (double)n_states;
        for (int64_t i = 0; i < n_sites; i++)
            up[i] += weights[s] * (spin_at(blocks + s * bytes, i) > 0);
        for (int64_t j = 0; j < n_hidden; j++) {
            x[j * n_states + s] = e.bias[j];
            for (int64_t i = 0; i < n_sites; i++)
                x[j * n_states + s] += e.filters[j * n_sites + i] * spin_at(blocks + s * bytes, i);
        }
    }
    const block_table table = {n_states, n_sites, blocks, weights, up, 1e4, 0};
    double *base = take_doubles(n_hidden);
    memcpy(base, e.base, (size_t)n_hidden * sizeof(double));
    expect(explain_total_correlation(&table, 1, &e) == RSMI_OK);
    expect(e.iteration == 2);
    for (int64_t j = 0; j < n_hidden; j++) {
        double mean = base[j];
        for (int64_t s = 0; s < n_states; s++)
            mean += weights[s] * softplus(x[j * n_states + s]);
        expect(close_to(e.explained[j], mean, 1e-12));
        for (int64_t i = 0; i < n_sites; i++) {
            double one = 0, both = 0;
            for (int64_t s = 0; s < n_states; s++) {
                const double q = 1 / (1 + exp(-x[j * n_states + s]));
                one += weights[s] * q;
                both += weights[s] * q * (spin_at(blocks + s * bytes, i) > 0);
            }
            const double least = 1e-6, given_one = fmin(fmax(both / one, least), 1 - least),
                         given_zero = fmin(fmax((up[i] - both) / (1 - one), least), 1 - least);
            const double filter =
                0.5 * e.alpha[j * n_sites + i] *
                (log(given_one / (1 - given_one)) - log(given_zero / (1 - given_zero)));
            expect(close_to(e.filters[j * n_sites + i], filter, 1e-9));
            expect(e.alpha[j * n_sites + i] >= 0 && e.alpha[j * n_sites + i] <= 1);
        }
    }
    expect(explain_total_correlation(&table, 20, &e) == RSMI_OK);
    release_all();
}

int main(void)
{
    const int64_t sizes[][3] = {{1, 1, 1}, {5, 3, 2}, {64, 8, 8}, {33, 9, 9}, {203, 21, 17}};
    const double scales[] = {0.05, 1, 30};
    for (int64_t i = 0; i < COUNT(sizes); i++)
        for (int64_t k = 0; k < COUNT(scales); k++)
            check_one_step(sizes[i][0], sizes[i][1], sizes[i][2], scales[k]);
    const block_table empty = {0};
    explanation none = {0};
    expect(explain_total_correlation(&empty, 1, &none) == RSMI_BAD_SHAPE);
    return 0;
}
