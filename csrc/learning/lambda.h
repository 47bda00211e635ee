/* Training of the coarse-graining channel Lambda: an objective, its gradient, and stochastic
 * ascent. */
#ifndef RSMI_LAMBDA_H
#define RSMI_LAMBDA_H

#include <stdint.h>

#include "learning/window_table.h"

enum lambda_objective {
    LAMBDA_PAIRS,
    LAMBDA_CHAINS,
    LAMBDA_LOG_SUM,
    LAMBDA_ENUMERATE,
    LAMBDA_DECODER,
    LAMBDA_GAUSSIAN
};

typedef struct {
    int64_t objective, n_hidden, batch, total_steps, steps_per_epoch;
    int64_t n_chains, n_sweeps, decoder_units;
    int64_t adam, free_bias;
    int64_t distinct_blocks; /* samples of V given h: the distinct blocks of all windows (n_block <=
                                16), else those of the minibatch */
    double learning_rate, decoder_learning_rate;
    int64_t states; /* of the only hidden unit (n_hidden = 1), a softmax; 0 for units of two states;
                       decoder only */
    int64_t tied;   /* whether its filters are tied to the symmetry of the states (features.h), so
                       that there is one weight for each site, without a bias */
} lambda_settings;

/* The parameters are filters (n_hidden, n_block), bias (n_hidden,) and, for the objective of the
 * decoder, the parameters of the decoder (decoder.h). A unit with several states has a filter (of
 * features) and a bias for each of them, or one for all if they are tied. The moments have the same
 * length. chains is
 * (2^n_hidden, n_block, n_chains) for LAMBDA_CHAINS, else NULL. */
typedef struct {
    double *parameters, *first_moment, *second_moment;
    int8_t *chains;
    uint64_t *rng;
    int64_t *step;
} lambda_state;

/* The length of the parameter vector. */
int64_t lambda_size(const lambda_settings *settings, const window_table *windows);

/* The number of filters, and the length of each. */
int64_t lambda_filters(const lambda_settings *settings);
int64_t lambda_filter_length(const lambda_settings *settings, const window_table *windows);

/* The value and the gradient of the objective at the minibatch of windows 0 .. batch - 1, which
 * must be all windows. */
int lambda_evaluate(const window_table *windows, const lambda_settings *settings,
                    lambda_state *state, double *value, double *gradient);

/* Trains for `epochs` epochs of steps_per_epoch steps (fewer at the end of total_steps) on fresh
 * random minibatches. For each epoch it writes the mean objective (epochs,), and the filters
 * (epochs, filters, length) and the bias (epochs, filters) at its end. */
int lambda_train(const window_table *windows, const lambda_settings *settings, lambda_state *state,
                 int64_t epochs, double *objective, double *filters, double *bias);

#endif
