/* The decoder r(h|e) of the variational lower bound on I(H:E). */
#ifndef RSMI_DECODER_H
#define RSMI_DECODER_H

#include <stdint.h>

#include "arena.h"

/* Softmax over n_states of linear(e) + output tanh(input e + input_bias); n_units = 0 leaves the linear part. */
typedef struct {
    int64_t n_environment, n_units, n_states;
} decoder_shape;

/* Parameters in one vector: linear (n_states, n_environment), offset (n_states,), output (n_states, n_units),
 * input (n_units, n_environment), input_bias (n_units,). */
int64_t decoder_size(const decoder_shape *shape);

typedef struct {
    double *log_r;                     /* (n_states, n) batch-last */
    double *units, *delta, *unit_delta, *transposed, *mean;
} decoder_workspace;

void decoder_take(arena *a, const decoder_shape *shape, int64_t batch, decoder_workspace *w);

/* w->log_r = log r(h|e_s) of the environments (n_environment, n). */
void decoder_forward(const decoder_shape *shape, const double *parameters, int64_t n, const double *environments, decoder_workspace *w);

/* After decoder_forward: the bound H(mean q) + mean_s sum_h q(h|v_s) log r(h|e_s) of the batch, its gradient in the parameters,
 * and (unless NULL) derivative (n_states, n) = dA/dq(h|v_s). */
double decoder_objective(const decoder_shape *shape, const double *parameters, int64_t n, const double *environments, const double *q,
                         decoder_workspace *w, double *gradient, double *derivative);

/* log_r (n_windows, n_states) of all environments int8 (n_windows, n_environment). */
int decoder_log_probabilities(const decoder_shape *shape, const double *parameters, int64_t n_windows, const int8_t *environments, double *log_r);

typedef struct {
    int64_t steps, batch;
    double learning_rate;
} decoder_schedule;

/* Maximum likelihood of the targets q (n_windows, n_states) given the environments: `steps` Adam steps on minibatches drawn
 * with replacement from the stream rng. parameters are updated in place. */
int decoder_fit(const decoder_shape *shape, const decoder_schedule *schedule, int64_t n_windows, const int8_t *environments, const double *q,
                uint64_t rng[4], double *parameters);

#endif
