/* Correlation explanation (CorEx): coarse variables that account for the total correlation of a
 * block. */
#ifndef RSMI_TOTAL_CORRELATION_H
#define RSMI_TOTAL_CORRELATION_H

#include <stdint.h>

/* A weighted list of block states: a sample in which every weight is 1/n, a sample whose equal
 * blocks are joined, or a distribution. */
typedef struct {
    int64_t n_states, n_sites;
    const uint8_t
        *blocks; /* (n_states, ceil(n_sites / 8)): bit 1 = spin +1, little bit order, padding 0 */
    const double *weights; /* (n_states,): positive, of sum 1 */
    const double *up;      /* (n_sites,): their P(v_i = +1) */
    double
        n_samples; /* number of samples behind the weights; INFINITY where the weights are exact */
    int symmetric; /* average every state with its global flip, so that biases stay zero */
} block_table;

/* Everything that the iteration changes. P(y_j = 1|v) = 1 / (1 + exp(-sum_i filters_ji v_i -
 * bias_j)). */
typedef struct {
    int64_t n_hidden, iteration;
    double *filters, *bias; /* (n_hidden, n_sites), (n_hidden,) */
    double *alpha;          /* (n_hidden, n_sites) in [0, 1]: which unit explains which site */
    double *sharpness;      /* (n_sites,): of the competition between units */
    double *base;           /* (n_hidden,): mean of log Z_j minus log(1 + exp x_j) */
    double *explained; /* (n_hidden,): total correlation TC_j of the rule before the last update, in
                          nats */
} explanation;

/* Iterates the fixed point `iterations` times. All probabilities are at least 0.01 / n_samples, so
 * that every filter is finite. Returns RSMI_BAD_SHAPE for empty sizes, RSMI_NO_MEMORY. */
int explain_total_correlation(const block_table *table, int64_t iterations, explanation *e);

#endif
