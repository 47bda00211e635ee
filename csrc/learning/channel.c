/* The channel q(h|v) = prod_j p_j^{h_j} (1 - p_j)^{1 - h_j}, for all 2^n_hidden values of h.
 *
 * The table q is built by doubling: unit j splits every state into h_j = 0 and h_j = 1. The chain
 * rule turns the derivatives of an objective in q into gradients of filters and bias. A unit with
 * several states is a softmax with one filter for each of them.
 *
 * Memory: all arrays are batch-last (dense.c); q and the derivative are (state, sample).
 *
 * Reference: M. Koch-Janusz, Z. Ringel, Nature Physics 14, 578 (2018), eq. 10 (with v_i for the
 * printed v_j). */
#include "learning/channel.h"

#include <string.h>

#include "base/compiler.h"
#include "base/dense.h"
#include "base/elementary.h"
#include "base/functions.h"

RSMI_CLONES
static void soften(int64_t ld, double *x)
{
    for (int64_t s = 0; s < ld; s += 8)
        logistic((lanes8 *)(x + s));
}

RSMI_CLONES
static void split_states(int64_t states, int64_t ld, const double *p, double *q)
{
    for (int64_t h = 0; h < states; h++)
        for (int64_t s = 0; s < ld; s += 8) {
            lanes8 *low = (lanes8 *)(q + h * ld + s), *high = (lanes8 *)(q + (h + states) * ld + s);
            const lanes8 up = *(const lanes8 *)(p + s);
            *high = *low * up;
            *low = *low * (1.0 - up);
        }
}

int64_t channel_states(const channel *c)
{
    return c->softmax ? c->n_hidden : (int64_t)1 << c->n_hidden;
}

/* q = the softmax of the fields x over the states, zero in the padding. */
RSMI_CLONES
static void softmax(int64_t n_states, int64_t n, const double *x, double *q)
{
    const int64_t ld = padded(n);
    for (int64_t s = 0; s < ld; s += 8) {
        lanes8 largest = *(const lanes8 *)(x + s), sum = {0};
        for (int64_t h = 1; h < n_states; h++)
            for (int i = 0; i < 8; i++)
                largest[i] = x[h * ld + s + i] > largest[i] ? x[h * ld + s + i] : largest[i];
        for (int64_t h = 0; h < n_states; h++) {
            lanes8 weight = *(const lanes8 *)(x + h * ld + s) - largest;
            exponential(&weight);
            *(lanes8 *)(q + h * ld + s) = weight;
            sum += weight;
        }
        for (int64_t h = 0; h < n_states; h++)
            *(lanes8 *)(q + h * ld + s) /= sum;
    }
    for (int64_t h = 0; h < n_states; h++)
        memset(q + h * ld + n, 0, (size_t)(ld - n) * sizeof *q);
}

void channel_probabilities(const channel *c, int64_t n, const double *spins, double *p, double *q)
{
    const int64_t ld = padded(n);
    fill_rows(c->n_hidden, n, c->bias, p);
    multiply_add(c->n_hidden, c->n_block, n, c->filters, c->n_block, spins, p);
    if (c->softmax) {
        softmax(c->n_hidden, n, p, q);
        return;
    }
    for (int64_t s = 0; s < ld; s++)
        q[s] = s < n;
    for (int64_t j = 0; j < c->n_hidden; j++) {
        soften(ld, p + j * ld);
        split_states((int64_t)1 << j, ld, p + j * ld, q);
    }
}

/* Sums q G over the states h with (h & bit) == bit. */
RSMI_CLONES
static void sum_states(int64_t n_states, int64_t bit, int64_t ld, const double *q,
                       const double *derivative, double *sum)
{
    memset(sum, 0, (size_t)ld * sizeof *sum);
    for (int64_t h = 0; h < n_states; h++)
        if ((h & bit) == bit)
            for (int64_t s = 0; s < ld; s += 8)
                *(lanes8 *)(sum + s) +=
                    *(const lanes8 *)(q + h * ld + s) * *(const lanes8 *)(derivative + h * ld + s);
}

void channel_gradient(const channel *c, int64_t n, const double *spins, const double *p,
                      const double *q, const double *derivative, double *field_gradient,
                      double *filters_gradient, double *bias_gradient)
{
    const int64_t ld = padded(n), n_states = channel_states(c);
    double *total = field_gradient + c->n_hidden * ld;
    sum_states(n_states, 0, ld, q, derivative, total);
    for (int64_t j = 0; j < c->n_hidden; j++) {
        double *g = field_gradient + j * ld;
        if (c->softmax) {
            for (int64_t s = 0; s < ld; s++)
                g[s] = q[j * ld + s] * (derivative[j * ld + s] - total[s]);
        } else {
            sum_states(n_states, (int64_t)1 << j, ld, q, derivative, g);
            for (int64_t s = 0; s < ld; s++)
                g[s] -= p[j * ld + s] * total[s];
        }
        bias_gradient[j] = lane_sum(n, g);
    }
    multiply_transposed(c->n_hidden, c->n_block, n, field_gradient, spins, filters_gradient);
}

double entropy(int64_t n_states, const double *p)
{
    double sum = 0.0;
    for (int64_t h = 0; h < n_states; h++)
        if (p[h] > 0.0)
            sum -= p[h] * log_of(p[h]);
    return sum;
}
