/* Stochastic gradient ascent: the Adam rule, the schedule of the learning rate, and the draw of
 * minibatches. All training loops share them.
 *
 * Reference: D. P. Kingma, J. Ba, arXiv:1412.6980. */
#ifndef RSMI_ADAM_H
#define RSMI_ADAM_H

#include <math.h>
#include <stdint.h>

#include "base/functions.h"
#include "base/random.h"

/* The factor of the learning rate: constant for the first half of the training, then linear down to
 * 5 %. */
static inline double schedule_factor(int64_t step, int64_t total)
{
    const double progress = (double)step / (double)total;
    return progress < 0.5 ? 1.0 : 1.0 - 0.95 * (progress - 0.5) / 0.5;
}

/* One step uphill. `step` counts from 0; beta is 0.9 and 0.99. */
static inline void adam_ascend(int64_t n, int64_t step, double rate, const double *gradient,
                               double *first, double *second, double *parameters)
{
    const double beta1 = 0.9, beta2 = 0.99;
    const double scale1 = 1.0 / (1.0 - power(beta1, step + 1)),
                 scale2 = 1.0 / (1.0 - power(beta2, step + 1));
    for (int64_t i = 0; i < n; i++) {
        first[i] = beta1 * first[i] + (1.0 - beta1) * gradient[i];
        second[i] = beta2 * second[i] + (1.0 - beta2) * gradient[i] * gradient[i];
        parameters[i] += rate * first[i] * scale1 / (sqrt(second[i] * scale2) + 1e-8);
    }
}

/* Draws n window numbers, uniform in 0 .. n_windows - 1, with replacement. */
static inline void draw_indices(uint64_t rng[4], int64_t n_windows, int64_t n, int64_t *index)
{
    for (int64_t s = 0; s < n; s++)
        index[s] = (int64_t)(xoshiro_uniform(rng) * (double)n_windows);
}

#endif
