/* Features of variables with q states.
 *
 * A linear function of the features of a window is a sum of products like that of spins +-1, so
 * that one code serves both: a variable of q states takes the place of `width` spins. A coarse
 * variable with q states whose field is x_h = sum_i weights[i] f(v_i) . f(h) does not change if the
 * states of the block and of h are relabelled alike, as long as the products f(a) . f(b) stay the
 * same. Its filters are weights[i] f(h), and the gradient in the weights is their scalar product
 * with the gradient in the filters. For the usual small q the detour by the filters costs less than
 * the rest of a step.
 *
 * Memory: features are batch-last (dense.c), the features of a site side by side. */
#include "learning/features.h"

#include <string.h>

#include "base/dense.h"

int64_t feature_count(const feature_table *f, int64_t sites)
{
    return f->values ? sites * f->width : sites;
}

void gather_features(const feature_table *f, int64_t n, int64_t sites, const int8_t *codes,
                     const int64_t *index, double *out)
{
    if (!f->values) {
        gather_spins(n, sites, codes, index, out);
        return;
    }
    enum { TOGETHER = 32 }; /* windows, which fill whole cache lines of `out` */
    const int64_t ld = padded(n), width = f->width;
    for (int64_t first = 0; first < n; first += TOGETHER) {
        const int64_t end = first + TOGETHER < n ? first + TOGETHER : n;
        for (int64_t i = 0; i < sites; i++)
            for (int64_t s = first; s < end; s++) {
                const double *values = f->values + codes[index[s] * sites + i] * width;
                for (int64_t a = 0; a < width; a++)
                    out[(i * width + a) * ld + s] = values[a];
            }
    }
    for (int64_t i = 0; i < sites * width; i++)
        memset(out + i * ld + n, 0, (size_t)(ld - n) * sizeof *out);
}

void expand_ties(const feature_table *f, int64_t sites, const double *weights, double *filters)
{
    for (int64_t h = 0; h < f->states; h++)
        for (int64_t i = 0; i < sites; i++)
            for (int64_t a = 0; a < f->width; a++)
                *filters++ = weights[i] * f->values[h * f->width + a];
}

void contract_ties(const feature_table *f, int64_t sites, const double *filters, double *weights)
{
    memset(weights, 0, (size_t)sites * sizeof *weights);
    for (int64_t h = 0; h < f->states; h++)
        for (int64_t i = 0; i < sites; i++)
            for (int64_t a = 0; a < f->width; a++)
                weights[i] += *filters++ * f->values[h * f->width + a];
}
