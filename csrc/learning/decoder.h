/* The decoder r(h|e) of the variational lower bound on I(H:E). */
#ifndef RSMI_DECODER_H
#define RSMI_DECODER_H

#include <stdint.h>

#include "base/arena.h"
#include "learning/features.h"

/* A softmax over the 2^n_hidden states of sum_j (2 h_j - 1) (field e)_j + offset(h) + output(h)
 * tanh(input e + input_bias). n_units = 0 leaves the first two terms. If the hidden unit has
 * several states, the first term is (field e)_h. n_environment counts features. */
typedef struct {
    int64_t n_environment, n_units, n_hidden;
    const double
        *environment_mean;  /* (n_environment,): subtracted from the environments, or NULL */
    int64_t states;         /* of the only hidden unit; 0 for n_hidden units with two states */
    int tied;               /* whether field is tied to the symmetry of the states, offset zero */
    feature_table features; /* of the sites of the environment */
} decoder_shape;

/* All parameters in one vector: field (n_hidden, n_environment), offset (n_states,), output
 * (n_states, n_units), input (n_units, n_environment), input_bias (n_units,). A unit with several
 * states has a field for each of them, (states, n_environment). A tied decoder has one weight for
 * each site alone, (sites,), see features.h. */
int64_t decoder_size(const decoder_shape *shape);

typedef struct {
    double *log_r;                    /* (n_states, n) batch-last */
    double *signs, *transposed_signs; /* 2 h_j - 1 of all states (n_states, n_hidden) */
    double *fields, *units, *delta, *unit_delta, *transposed, *mean;
    double *free, *free_gradient; /* of a tied decoder */
} decoder_workspace;

void decoder_take(arena *a, const decoder_shape *shape, int64_t batch, decoder_workspace *w);

/* Sets w->log_r = log r(h|e_s) of the environments (n_environment, n). */
void decoder_forward(const decoder_shape *shape, const double *parameters, int64_t n,
                     const double *environments, decoder_workspace *w);

/* After decoder_forward: returns the bound A = mean_s sum_h q(h|v_s) log [r(h|e_s) / mean r(h)] of
 * the batch. Writes the gradient of the log-likelihood of the decoder, mean_s sum_h q log r, in its
 * parameters, and (unless NULL) derivative (n_states, n) = dA/dq(h|v_s). */
double decoder_objective(const decoder_shape *shape, const double *parameters, int64_t n,
                         const double *environments, const double *q, decoder_workspace *w,
                         double *gradient, double *derivative);

/* Writes log_r (n_windows, n_states) of all environments int8 (n_windows, sites). */
int decoder_log_probabilities(const decoder_shape *shape, const double *parameters,
                              int64_t n_windows, const int8_t *environments, double *log_r);

typedef struct {
    int64_t steps, batch;
    double learning_rate;
} decoder_schedule;

/* Maximises the likelihood of the targets q (n_windows, n_states) given the environments, by
 * `steps` Adam steps on minibatches that are drawn with replacement from the stream rng. The
 * parameters are updated in place, to the average over the second half of the steps. */
int decoder_fit(const decoder_shape *shape, const decoder_schedule *schedule, int64_t n_windows,
                const int8_t *environments, const double *q, uint64_t rng[4], double *parameters);

#endif
