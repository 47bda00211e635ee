/* Private to learning: the coarse-graining channel q(h|v) and the chain rule through it. */
#ifndef RSMI_CHANNEL_H
#define RSMI_CHANNEL_H

#include <stdint.h>

enum { CHANNEL_MOST_HIDDEN = 8 }; /* units of a channel, whose 2^n states are all tabulated */

/* Filters (n_hidden, n_block) and bias (n_hidden,) of q(h_j = 1|v) = 1/(1 + exp(-x_j)), x_j = sum_i
 * filters[j][i] v_i + bias[j]. */
typedef struct {
    int64_t n_hidden, n_block;
    const double *filters, *bias;
} channel;

/* One-unit probabilities p (n_hidden, n) and state probabilities q (2^n_hidden, n) of the windows
 * spins (n_block, n); all batch-last, padding of q zero. State h = sum_j h_j 2^j. */
void channel_probabilities(const channel *c, int64_t n, const double *spins, double *p, double *q);

/* Gradient of an objective A from derivative (2^n_hidden, n) = dA/dq(h|v_s), every q(h|v_s) taken
 * as independent: dA/dx_sj = sum_h q G (h_j - p_j). field_gradient (n_hidden + 1, n) is scratch;
 * results (n_hidden, n_block), (n_hidden,). */
void channel_gradient(const channel *c, int64_t n, const double *spins, const double *p,
                      const double *q, const double *derivative, double *field_gradient,
                      double *filters_gradient, double *bias_gradient);

/* -sum p log p in nats. */
double entropy(int64_t n_states, const double *p);

#endif
