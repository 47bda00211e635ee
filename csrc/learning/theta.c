/* Pair energies f(v, e) = -F_VE(v, e) + F_V(v) of the model Theta.
 *
 * f is the logarithm of P_Theta(v, e) / P_Theta(v), up to terms of e alone (eqs. 11-14 of the
 * reference). The argument of each hidden unit separates, c_k + (v W)_k + (e W)_k, so a minibatch
 * needs only the fields of its blocks and of its environments; pairs.c, or state_pairs.c for units
 * of several states, combines them.
 *
 * Memory: fields are (hidden unit, sample), batch-last as in dense.c.
 *
 * Reference: M. Koch-Janusz, Z. Ringel, Nature Physics 14, 578 (2018). */
#include "learning/theta.h"

#include "base/dense.h"

void theta_take(arena *a, const theta_pair *theta, int64_t environments, int64_t blocks,
                theta_fields *w)
{
    const size_t k = (size_t)theta->n_hidden, m = (size_t)theta->n_marginal_hidden,
                 v = (size_t)theta->n_block;
    const size_t rows = (size_t)padded(environments), columns = (size_t)padded(blocks);
    w->theta = theta;
    w->block_weights = arena_doubles(a, k * v);
    w->environment_weights = arena_doubles(a, k * (size_t)theta->n_environment);
    w->marginal_weights = arena_doubles(a, m * v);
    w->linear = arena_doubles(a, v);
    w->environment_field = arena_doubles(a, k * rows);
    w->block_field = arena_doubles(a, k * columns);
    w->marginal_field = arena_doubles(a, m * columns);
    w->block_offset = arena_doubles(a, columns);
    if (theta->states)
        state_pairs_take(a, theta->states, environments, blocks, theta->n_hidden / theta->states,
                         &w->state_pairs);
    else
        pairs_take(a, environments, blocks, theta->n_hidden, &w->pairs);
}

static void transpose(int64_t rows, int64_t columns, const double *x, double *out)
{
    for (int64_t r = 0; r < rows; r++)
        for (int64_t c = 0; c < columns; c++)
            out[c * rows + r] = x[r * columns + c];
}

void theta_prepare(int subtract_marginal, theta_fields *w)
{
    const theta_pair *t = w->theta;
    transpose(t->n_block, t->n_hidden, t->weights, w->block_weights);
    transpose(t->n_environment, t->n_hidden, t->weights + t->n_block * t->n_hidden,
              w->environment_weights);
    transpose(t->n_block, t->n_marginal_hidden, t->marginal_weights, w->marginal_weights);
    w->subtract_marginal = subtract_marginal;
    for (int64_t i = 0; i < t->n_block; i++)
        w->linear[i] = t->visible_bias[i] - (subtract_marginal ? t->marginal_visible_bias[i] : 0.0);
}

void theta_set_environments(theta_fields *w, int64_t n, const double *spins)
{
    const theta_pair *t = w->theta;
    memset(w->environment_field, 0, (size_t)(t->n_hidden * padded(n)) * sizeof(double));
    multiply_add(t->n_hidden, t->n_environment, n, w->environment_weights, t->n_environment, spins,
                 w->environment_field);
}

void theta_set_blocks(theta_fields *w, int64_t n, const double *spins)
{
    const theta_pair *t = w->theta;
    fill_rows(t->n_hidden, n, t->hidden_bias, w->block_field);
    multiply_add(t->n_hidden, t->n_block, n, w->block_weights, t->n_block, spins, w->block_field);
    memset(w->block_offset, 0, (size_t)padded(n) * sizeof(double));
    multiply_add(1, t->n_block, n, w->linear, t->n_block, spins, w->block_offset);
    if (!w->subtract_marginal)
        return;
    fill_rows(t->n_marginal_hidden, n, t->marginal_hidden_bias, w->marginal_field);
    multiply_add(t->n_marginal_hidden, t->n_block, n, w->marginal_weights, t->n_block, spins,
                 w->marginal_field);
    if (t->states)
        add_log_sums(t->states, t->n_marginal_hidden / t->states, n, -1.0, w->marginal_field,
                     w->block_offset);
    else
        add_log_cosh(t->n_marginal_hidden, n, -1.0, w->marginal_field, w->block_offset);
}

void theta_pair_energies(const theta_fields *w, int64_t first, int64_t rows, int64_t n_environments,
                         int64_t n_blocks, double *energies)
{
    const theta_pair *t = w->theta;
    const double *field = w->environment_field + first;
    const int64_t stride = padded(n_environments);
    if (t->states)
        state_pair_energies(rows, n_blocks, t->n_hidden / t->states, field, stride, w->block_field,
                            w->block_offset, &w->state_pairs, energies);
    else
        pair_energies(rows, n_blocks, t->n_hidden, field, stride, w->block_field, NULL,
                      w->block_offset, &w->pairs, energies);
}
