/* Private to learning: the coarse-graining channel q(h|v) and the chain rule through it. */
#ifndef RSMI_CHANNEL_H
#define RSMI_CHANNEL_H

#include <stdint.h>

enum { CHANNEL_MOST_HIDDEN = 8 }; /* most units of a channel, whose 2^n states are all tabulated */

/* Filters (n_hidden, n_block) and bias (n_hidden,) of q(h_j = 1|v) = 1 / (1 + exp(-x_j)), where x_j
 * = sum_i filters[j][i] v_i + bias[j]. If `softmax` is set, there is one unit with n_hidden states
 * instead, and q(h|v) = exp(x_h) / sum_j exp(x_j). */
typedef struct {
    int64_t n_hidden, n_block;
    const double *filters, *bias;
    int softmax;
} channel;

/* The number of states h. */
int64_t channel_states(const channel *c);

/* Probabilities p (n_hidden, n) of single units and q (states, n) of states, for the windows spins
 * (n_block, n). All are batch-last, and the padding of q is zero. State h = sum_j h_j 2^j. A
 * softmax uses p as scratch. */
void channel_probabilities(const channel *c, int64_t n, const double *spins, double *p, double *q);

/* The gradient of an objective A from derivative (states, n) = dA/dq(h|v_s) = G, where every
 * q(h|v_s) is taken as independent: dA/dx_sj = sum_h q G (h_j - p_j), and for a softmax q_j (G_j -
 * sum_h q_h G_h). field_gradient (n_hidden + 1, n) is scratch; the results are (n_hidden, n_block)
 * and (n_hidden,). */
void channel_gradient(const channel *c, int64_t n, const double *spins, const double *p,
                      const double *q, const double *derivative, double *field_gradient,
                      double *filters_gradient, double *bias_gradient);

/* The entropy -sum p log p, in nats. */
double entropy(int64_t n_states, const double *p);

#endif
