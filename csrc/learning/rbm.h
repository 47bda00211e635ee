/* Contrastive divergence for a restricted Boltzmann machine of +-1 units (algorithm and layout:
 * rbm.c).
 *
 * P(x, h) ~ exp(a.x + c.h + x W h), x in {-1,+1}^n_visible, h in {-1,+1}^n_hidden. All memory
 * belongs to the caller. */
#ifndef RSMI_RBM_H
#define RSMI_RBM_H

#include <stddef.h>
#include <stdint.h>

#include "learning/rbm_path.h"

/* Everything that training changes; written to a checkpoint it continues bit for bit. */
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
    size_t n_gibbs;       /* k of CD-k: steps visible -> hidden -> visible per update, >= 1 */
    double learning_rate; /* at the first batch; falls linearly to 5 % of it at the end */
    double momentum, weight_decay;
    int symmetric; /* leave both biases as they are (at 0: P(x) = P(-x)) */
    size_t first_batch,
        total_batches; /* where this epoch lies in the training, for the learning rate */
    int path;          /* enum rbm_path */
} rbm_schedule;

/* Draw the weights (normal, the given standard deviation), seed the lanes, and draw n_chains
 * persistent chains (0: chains may be NULL) of fair spins, all from state->rng. Sets nothing
 * else. */
int rbm_initialize(const rbm_state *state, size_t n_chains, double standard_deviation);

/* One epoch: n_windows / batch_size batches of the windows (n_windows, n_visible; +-1) in a new
 * random order; the n_windows % batch_size that come last in it sit this epoch out.
 * reconstruction_error: fraction of visible units that differ between the data and the ends of the
 * chains started from them (NaN with persistent chains, which start elsewhere). RSMI_DIVERGED if a
 * parameter is no longer finite, or so large that a field could exceed 10^8 nats; RSMI_BAD_VALUE
 * for a path that is not there. */
int rbm_train_epoch(const rbm_state *state, const int8_t *visible, size_t n_windows,
                    const rbm_schedule *schedule, double *reconstruction_error);

/* Whether this machine and build have an enum rbm_path. */
int rbm_has_path(int path);

#endif
