/* Contrastive divergence for a restricted Boltzmann machine of +-1 units. rbm.c explains the
 * algorithm and the layout.
 *
 * P(x, h) ~ exp(a.x + c.h + x W h), x in {-1,+1}^n_visible, h in {-1,+1}^n_hidden. All memory
 * belongs to the caller. */
#ifndef RSMI_RBM_H
#define RSMI_RBM_H

#include <stddef.h>
#include <stdint.h>

#include "learning/rbm_path.h"

/* Everything that training changes. Written to a checkpoint, it continues bit for bit. */
typedef struct {
    size_t n_visible, n_hidden;
    float *weights;                    /* (n_visible, n_hidden) */
    float *visible_bias, *hidden_bias; /* a (n_visible), c (n_hidden) */
    float *weights_momentum;           /* (n_visible, n_hidden): the last step of each parameter */
    float *visible_momentum, *hidden_momentum;
    uint64_t *rng;   /* [4] xoshiro256++: initial weights, order of the windows */
    uint32_t *lanes; /* [4][RBM_LANES] xoshiro128++: the Gibbs chains */
    int8_t *chains;  /* (batch_size, n_visible) persistent chains, or NULL for CD */
} rbm_state;

typedef struct {
    size_t batch_size;
    size_t n_gibbs;       /* k of CD-k, >= 1: steps visible -> hidden -> visible per update */
    double learning_rate; /* at the first batch; it falls linearly to 5 % of this at the end */
    double momentum, weight_decay;
    int symmetric;                     /* keep both biases as they are (at 0: P(x) = P(-x)) */
    size_t first_batch, total_batches; /* position of this epoch in the training */
    int path;                          /* enum rbm_path */
} rbm_schedule;

/* Draws the weights (normal, with the given standard deviation), seeds the lanes, and draws
 * n_chains persistent chains of fair spins (0: chains may be NULL), all from state->rng. Sets
 * nothing else. */
int rbm_initialize(const rbm_state *state, size_t n_chains, double standard_deviation);

/* Trains for one epoch: n_windows / batch_size batches of the windows (n_windows, n_visible; +-1)
 * in a new random order. The n_windows % batch_size windows that come last in it are not used in
 * this epoch. reconstruction_error is the fraction of visible units that differ between the data
 * and the ends of the chains that started from them (NaN with persistent chains, which start
 * elsewhere).
 *
 * RSMI_DIVERGED: a parameter is no longer finite, or so large that a field could exceed 10^8 nats.
 * RSMI_BAD_VALUE: the path is not available. */
int rbm_train_epoch(const rbm_state *state, const int8_t *visible, size_t n_windows,
                    const rbm_schedule *schedule, double *reconstruction_error);

/* Whether this machine and build have the given enum rbm_path. */
int rbm_has_path(int path);

#endif
