/* The generative model Theta as two restricted Boltzmann machines, and the fields of a minibatch in
 * them. */
#ifndef RSMI_THETA_H
#define RSMI_THETA_H

#include <stdint.h>

#include "base/arena.h"
#include "learning/pairs.h"
#include "learning/state_pairs.h"

/* -F(x) = visible_bias.x + sum_k log 2cosh(hidden_bias_k + (x W)_k). One machine describes (V, E),
 * the other one ("marginal") V alone.
 *
 * If the hidden units have q = states > 0 states, x are the features of the sites, n_hidden counts
 * the states of all units, and log sum_b exp(hidden_bias_kq+b + (x W)_kq+b) takes the place of log
 * 2cosh. */
typedef struct {
    int64_t n_block, n_environment, n_hidden, n_marginal_hidden;
    const double *weights, *visible_bias,
        *hidden_bias; /* (n_block + n_environment, n_hidden), ... */
    const double *marginal_weights, *marginal_visible_bias,
        *marginal_hidden_bias; /* (n_block, n_marginal_hidden), ... */
    int64_t states;            /* of the hidden units; 0 for units +-1 */
} theta_pair;

typedef struct {
    const theta_pair *theta;
    double *block_weights, *environment_weights, *marginal_weights; /* transposed: (hidden, site) */
    int subtract_marginal;
    double *linear; /* (n_block,) visible bias of the energies */
    double *block_field, *environment_field, *marginal_field; /* (hidden, sample) */
    double *block_offset;                                     /* (sample,) */
    pairs_workspace pairs;
    state_pairs state_pairs;
} theta_fields;

/* Takes the space for `environments` environments against `blocks` blocks. */
void theta_take(arena *a, const theta_pair *theta, int64_t environments, int64_t blocks,
                theta_fields *w);

/* Transposes the weights. It is called once, after the arena was found complete. With
 * subtract_marginal the pair energies are f(v, e), from which the free energy of V alone is
 * subtracted; without it they are -F(v, e). */
void theta_prepare(int subtract_marginal, theta_fields *w);

/* Sets the fields of a batch: spins (n_environment, n) and (n_block, n), batch-last. */
void theta_set_environments(theta_fields *w, int64_t n, const double *spins);
void theta_set_blocks(theta_fields *w, int64_t n, const double *spins);

/* energies (rows, n_blocks) of the environments first .. first + rows - 1 with all n_blocks blocks.
 * Linear terms of e alone (its visible bias) are left out, because no objective depends on them. */
void theta_pair_energies(const theta_fields *w, int64_t first, int64_t rows, int64_t n_environments,
                         int64_t n_blocks, double *energies);

#endif
