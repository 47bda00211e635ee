/* Contrastive divergence for a Boltzmann machine of units with q states whose weights are tied to
 * the symmetry of the states. tied_rbm.c explains the algorithm.
 *
 * P(x, h) ~ exp(sum_ij weights[i][j] f(x_i) . f(h_j)), where f(a) are the features of the state a.
 * All memory belongs to the caller. */
#ifndef RSMI_TIED_RBM_H
#define RSMI_TIED_RBM_H

#include <stddef.h>
#include <stdint.h>

#include "learning/features.h"

/* Everything that training changes. Written to a checkpoint, it continues bit for bit. */
typedef struct {
    int64_t n_visible, n_hidden;
    double *weights, *momentum; /* (n_visible, n_hidden): weights and their last steps */
    uint64_t *rng;              /* [4] xoshiro256++ */
    int8_t *chains; /* (batch_size, n_visible) codes of persistent chains, or NULL for CD */
} tied_rbm;

typedef struct {
    int64_t batch_size;
    int64_t n_gibbs;      /* k of CD-k, >= 1: steps visible -> hidden -> visible per update */
    double learning_rate; /* at the first batch; it falls linearly to 5 % of this at the end */
    double momentum;
    int64_t first_batch, total_batches; /* position of this epoch in the training */
} tied_rbm_schedule;

/* Trains for one epoch: n_windows / batch_size batches of the windows (n_windows, n_visible) of
 * codes 0 .. q - 1, in a new random order; those that come last in it and fill no batch are not
 * used. reconstruction_error is the fraction of visible units that differ between the data and the
 * ends of the chains that started from them (NaN with persistent chains).
 *
 * RSMI_DIVERGED: a weight is no longer finite. */
int tied_rbm_train_epoch(const tied_rbm *machine, const feature_table *features,
                         const int8_t *visible, int64_t n_windows,
                         const tied_rbm_schedule *schedule, double *reconstruction_error);

#endif
