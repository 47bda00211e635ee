/* I(H:E) with the sum over the block done exactly.
 *
 * P(h|e) = sum_V P_Theta(V|e) q(h|V). Over the B environments of a batch I = H(mean_i P(.|e_i)) -
 * mean_i H(P(.|e_i)), with dI/dq(h|V) = mean_i P(V|e_i) log[P(h|e_i) / P(h)] and P(h) = mean_i
 * P(h|e_i). With the exact P(V|E) it is the exact mutual information of the sampled environments.
 *
 * Memory. Environments are treated in slices, so that 2^16 blocks need no table over the whole
 * batch. The part of the gradient with log P(h) is added at the end, from mean_i P(V|e_i). Tables
 * are batch-last (dense.c) with the block in the place of the sample.
 *
 * Reference: M. Koch-Janusz, Z. Ringel, Nature Physics 14, 578 (2018), for P(h|e). */
#include "learning/enumerate.h"

#include <float.h>

#include "base/compiler.h"
#include "base/dense.h"
#include "base/elementary.h"
#include "base/functions.h"
#include "base/status.h"
#include "learning/channel.h"

void enumeration_take(arena *a, int64_t n_states, int64_t n_blocks, int64_t rows, enumeration *e)
{
    e->n_states = n_states, e->n_blocks = n_blocks;
    e->block_sum = arena_doubles(a, (size_t)padded(n_blocks));
    e->state_sum = arena_doubles(a, (size_t)n_states);
    e->derivative = arena_doubles(a, (size_t)(n_states * padded(n_blocks)));
    e->posterior_h = arena_doubles(a, (size_t)(rows * n_states));
    e->log_h = arena_doubles(a, (size_t)(rows * n_states));
}

void enumeration_reset(enumeration *e)
{
    e->environments = 0;
    e->conditional_entropy = 0.0;
    memset(e->block_sum, 0, (size_t)padded(e->n_blocks) * sizeof(double));
    memset(e->state_sum, 0, (size_t)e->n_states * sizeof(double));
    memset(e->derivative, 0, (size_t)(e->n_states * padded(e->n_blocks)) * sizeof(double));
}

void enumeration_add(enumeration *e, int64_t rows, const double *posterior, const double *q)
{
    const int64_t ld = padded(e->n_blocks), n_states = e->n_states;
    multiply_transposed(rows, n_states, e->n_blocks, posterior, q, e->posterior_h);
    for (int64_t i = 0; i < rows; i++)
        for (int64_t h = 0; h < n_states; h++) {
            const double p = e->posterior_h[i * n_states + h], log_p = log_of(p + DBL_MIN);
            e->log_h[h * rows + i] = log_p;
            e->state_sum[h] += p;
            e->conditional_entropy -= p * log_p;
        }
    multiply_add(n_states, rows, e->n_blocks, e->log_h, rows, posterior, e->derivative);
    for (int64_t i = 0; i < rows; i++)
        for (int64_t v = 0; v < ld; v++)
            e->block_sum[v] += posterior[i * ld + v];
    e->environments += rows;
}

double enumeration_finish(enumeration *e)
{
    const int64_t ld = padded(e->n_blocks);
    const double n = (double)e->environments;
    for (int64_t h = 0; h < e->n_states; h++) {
        e->state_sum[h] /= n;
        const double log_p = log_of(e->state_sum[h] + DBL_MIN);
        for (int64_t v = 0; v < ld; v++)
            e->derivative[h * ld + v] = (e->derivative[h * ld + v] - log_p * e->block_sum[v]) / n;
    }
    return entropy(e->n_states, e->state_sum) - e->conditional_entropy / n;
}

RSMI_CLONES
void normalize_rows(int64_t rows, int64_t n_blocks, double *log_weight)
{
    const int64_t ld = padded(n_blocks);
    for (int64_t i = 0; i < rows; i++) {
        double *row = log_weight + i * ld, largest = row[0];
        for (int64_t v = 1; v < n_blocks; v++)
            largest = row[v] > largest ? row[v] : largest;
        for (int64_t v = 0; v < ld; v += 8) {
            *(lanes8 *)(row + v) -= largest;
            exponential((lanes8 *)(row + v));
        }
        const double sum = lane_sum(n_blocks, row);
        for (int64_t v = 0; v < ld; v++)
            row[v] = v < n_blocks ? row[v] / sum : 0.0;
    }
}

int64_t block_states(const feature_table *features, int64_t n_block)
{
    const int64_t q = features->values ? features->states : 2;
    int64_t states = 1;
    for (int64_t i = 0; i < n_block && states > 0; i++)
        states = states * q <= (int64_t)1 << ENUMERATE_LARGEST_BLOCK ? states * q : -1;
    return states;
}

static void all_spins(int64_t n_block, double *spins)
{
    const int64_t n = (int64_t)1 << n_block, ld = padded(n);
    for (int64_t i = 0; i < n_block; i++)
        for (int64_t v = 0; v < ld; v++)
            spins[i * ld + v] = v < n ? (double)(2 * (v >> i & 1) - 1) : 0.0;
}

void all_blocks(const feature_table *f, int64_t n_block, double *out)
{
    if (!f->values) {
        all_spins(n_block, out);
        return;
    }
    const int64_t n_blocks = block_states(f, n_block), ld = padded(n_blocks);
    int64_t power = 1;
    for (int64_t i = 0; i < n_block; i++, power *= f->states)
        for (int64_t v = 0; v < n_blocks; v++)
            for (int64_t a = 0; a < f->width; a++)
                out[(i * f->width + a) * ld + v] = f->values[v / power % f->states * f->width + a];
}

int enumerate_information(const double *posterior, int64_t n_environments, int64_t n_block,
                          int64_t n_hidden, int softmax, const feature_table *features,
                          const double *filters, const double *bias, double *value,
                          double *filters_gradient, double *bias_gradient)
{
    const int64_t n_blocks = block_states(features, n_block);
    if (n_blocks < 1 || n_hidden < 1 || n_hidden > (softmax ? 16 : CHANNEL_MOST_HIDDEN))
        return RSMI_BAD_SHAPE;
    const channel c = {n_hidden, feature_count(features, n_block), filters, bias, softmax};
    const int64_t ld = padded(n_blocks), n_states = channel_states(&c);
    arena a = {0};
    enumeration e;
    enumeration_take(&a, n_states, n_blocks, 1, &e);
    double *spins = arena_doubles(&a, (size_t)(c.n_block * ld)),
           *p = arena_doubles(&a, (size_t)(n_hidden * ld));
    double *q = arena_doubles(&a, (size_t)(n_states * ld)),
           *field_gradient = arena_doubles(&a, (size_t)((n_hidden + 1) * ld));
    double *row = arena_doubles(&a, (size_t)ld);
    const int status = a.failed ? RSMI_NO_MEMORY : RSMI_OK;
    if (status == RSMI_OK) {
        enumeration_reset(&e);
        all_blocks(features, n_block, spins);
        channel_probabilities(&c, n_blocks, spins, p, q);
        for (int64_t i = 0; i < n_environments; i++) {
            memcpy(row, posterior + i * n_blocks, (size_t)n_blocks * sizeof(double));
            enumeration_add(&e, 1, row, q);
        }
        *value = enumeration_finish(&e);
        channel_gradient(&c, n_blocks, spins, p, q, e.derivative, field_gradient, filters_gradient,
                         bias_gradient);
    }
    arena_free(&a);
    return status;
}
