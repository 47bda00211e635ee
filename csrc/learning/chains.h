/* Private to learning: the Monte Carlo estimator of the RSMI proxy as the paper prints it (Koch-
 * Janusz & Ringel 2018, eq. 15), by Gibbs chains of blocks at every value of H. */
#ifndef RSMI_CHAINS_H
#define RSMI_CHAINS_H

#include <stdint.h>

#include "base/arena.h"
#include "learning/channel.h"
#include "learning/theta.h"

enum { CHAINS_MOST_UNITS = 1000 };

typedef struct {
    int64_t n_chains, n_sweeps, n_units;
    double *spins;                  /* (n_block, n_chains) at one h */
    double *weights, *site_weights; /* (n_units, n_block) of the marginal machine, then filters / 2;
                                       and transposed */
    double *unit_bias, *field;      /* (n_units,), (n_units, n_chains) */
    double *p, *q, *field_gradient; /* the channel at the blocks of the chains */
    double *energies, *covariance;  /* (batch, n_chains), (n_chains,) */
    double *filters_part, *bias_part;
} chain_workspace;

void chains_take(arena *a, const theta_pair *theta, int64_t n_hidden, int64_t n_chains,
                 int64_t n_sweeps, int64_t batch, chain_workspace *w);

/* The estimate of eq. 15 for one gradient step, with the sum over h done exactly.
 *
 * In theta the environments of the batch are already set; batch_spins (n_block, n), p and q are
 * those of the batch. The chains (2^n_hidden, n_block, n_chains) of +-1 are advanced by n_sweeps
 * Gibbs sweeps under P_Theta(V) q(h|V) with the stream rng. derivative and field_gradient are
 * scratch of the batch. Returns the estimate of A; the gradients are (n_hidden, n_block) and
 * (n_hidden,). */
double chains_objective(const channel *c, theta_fields *theta, int64_t n, const double *batch_spins,
                        const double *p, const double *q, chain_workspace *w, int8_t *chains,
                        uint64_t rng[4], double *derivative, double *field_gradient,
                        double *filters_gradient, double *bias_gradient);

#endif
