/* Contrastive divergence (Hinton, Neural Computation 14, 1771 (2002)) and its persistent form (Tieleman, ICML 2008).
 *
 * Per batch of B windows x, with tanh the mean of a +-1 unit in its field:
 *     positive phase   <x tanh(c + xW)> over the data,
 *     negative phase   the same over x' after n_gibbs steps of Gibbs sampling, started from the data (CD) or from where
 *                      the last batch left the chains (persistent),
 *     update           m <- momentum m + rate ((positive - negative) / B - weight_decay W),  W <- W + m.
 * Hidden units enter the statistics through their means, not their samples: less noise, same expectation.
 *
 * Layout: samples on SIMD lanes. A layer of n units is n rows of `columns` floats, one column per sample, columns a
 * multiple of 16; a batch is cut into strips of at most STRIP samples, so that all layers of a strip stay in cache. One
 * kernel, add_products(), makes all fields and statistics: four rows times four terms at a time, the sixteen factors
 * in registers. Columns beyond the strip's samples start at 0, run along and are left out of the statistics. The
 * means are stored transposed (sample, unit) so that the statistics too have their sums outside the vector lanes.
 *
 * Every product has a factor +-1, so it is exact; sums run in index order; exp is our own (rbm_math.h). The result is
 * the same bits on every instruction set and does not depend on threads.
 *
 * Randomness: RBM_LANES interleaved xoshiro128++ generators (Blackman & Vigna, ACM TOMS 47, 36 (2021)), 24 bits per
 * draw, drawn layer by layer: draw (unit * columns + sample) of a layer comes from lane (that number mod RBM_LANES). */
#include "rbm.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "random.h"
#include "rbm_math.h"
#include "status.h"

#define ALWAYS_INLINE static inline __attribute__((always_inline))
#define STRIP 128
#define FINAL_RATE 0.05 /* of the initial learning rate */

typedef struct {
    float *memory;
    float *data, *chain, *hidden, *fields;       /* layers of one strip */
    float *uniforms;                             /* draws for one layer */
    float *means;                                /* (sample, hidden unit), one strip */
    float *gradient, *visible_gradient, *hidden_gradient;
    uint32_t *order;
} workspace;

static size_t round_up(size_t n, size_t multiple) { return (n + multiple - 1) / multiple * multiple; }

static int allocate(workspace *work, size_t n_visible, size_t n_hidden, size_t n_windows)
{
    const size_t larger = n_visible > n_hidden ? n_visible : n_hidden;
    const size_t sizes[] = {n_visible * STRIP, n_visible * STRIP, n_hidden * STRIP, larger * STRIP,
                            larger * STRIP + RBM_LANES, n_hidden * STRIP, n_visible * n_hidden, n_visible, n_hidden};
    float **const parts[] = {&work->data, &work->chain, &work->hidden, &work->fields, &work->uniforms,
                             &work->means, &work->gradient, &work->visible_gradient, &work->hidden_gradient};
    const size_t n_parts = sizeof sizes / sizeof *sizes;
    size_t total = 0;
    for (size_t j = 0; j < n_parts; j++) total += round_up(sizes[j], 16);
    work->memory = aligned_alloc(64, total * sizeof(float));
    work->order = malloc(n_windows * sizeof(uint32_t));
    float *next = work->memory;
    for (size_t j = 0; j < n_parts && next; j++) {
        *parts[j] = next;
        next += round_up(sizes[j], 16);
    }
    return work->memory && work->order ? RSMI_OK : RSMI_NO_MEMORY;
}

static void release(workspace *work)
{
    free(work->memory);
    free(work->order);
}

/* out[r][:] += sum_t factors[r][t] terms[t][:] for n_rows x n_terms that the compiler knows (at most 4 x 4). */
ALWAYS_INLINE void add_block(const size_t n_rows, const size_t n_terms, float *restrict out, size_t out_stride,
                             const float *factors, size_t row_step, size_t term_step, const float *restrict terms,
                             size_t terms_stride, size_t columns)
{
    float f[4][4];
    for (size_t r = 0; r < n_rows; r++)
        for (size_t t = 0; t < n_terms; t++) f[r][t] = factors[r * row_step + t * term_step];
    for (size_t s = 0; s < columns; s++) {
        float sum[4];
#pragma GCC unroll 4
        for (size_t r = 0; r < n_rows; r++) sum[r] = out[r * out_stride + s];
#pragma GCC unroll 4
        for (size_t t = 0; t < n_terms; t++)
#pragma GCC unroll 4
            for (size_t r = 0; r < n_rows; r++) sum[r] += f[r][t] * terms[t * terms_stride + s];
#pragma GCC unroll 4
        for (size_t r = 0; r < n_rows; r++) out[r * out_stride + s] = sum[r];
    }
}

ALWAYS_INLINE void add_rows(const size_t n_rows, float *out, size_t out_stride, const float *factors, size_t row_step,
                            size_t term_step, const float *terms, size_t terms_stride, size_t n_terms, size_t columns)
{
    size_t t = 0;
    for (; t + 4 <= n_terms; t += 4)
        add_block(n_rows, 4, out, out_stride, factors + t * term_step, row_step, term_step, terms + t * terms_stride,
                  terms_stride, columns);
    for (; t < n_terms; t++)
        add_block(n_rows, 1, out, out_stride, factors + t * term_step, row_step, term_step, terms + t * terms_stride,
                  terms_stride, columns);
}

/* out (n_rows, columns) += factors (n_rows, n_terms; any strides) times terms (n_terms, columns), terms in order.
 * Cloned on its own: inlined at its five uses it triples the time to compile and gains no speed. */
RSMI_CLONES static void add_products(float *out, size_t out_stride, size_t n_rows, const float *factors, size_t row_step,
                                     size_t term_step, const float *terms, size_t terms_stride, size_t n_terms, size_t columns)
{
    size_t r = 0;
    for (; r + 4 <= n_rows; r += 4)
        add_rows(4, out + r * out_stride, out_stride, factors + r * row_step, row_step, term_step, terms, terms_stride,
                 n_terms, columns);
    for (; r < n_rows; r++)
        add_rows(1, out + r * out_stride, out_stride, factors + r * row_step, row_step, term_step, terms, terms_stride,
                 n_terms, columns);
}

/* fields[u][:] = bias[u] + sum_t weights[u * unit_step + t * term_step] layer[t][:] */
ALWAYS_INLINE void layer_fields(float *fields, const float *bias, size_t n_units, const float *weights, size_t unit_step,
                                size_t term_step, const float *layer, size_t n_terms, size_t columns)
{
    for (size_t u = 0; u < n_units; u++)
        for (size_t s = 0; s < columns; s++) fields[u * columns + s] = bias[u];
    add_products(fields, columns, n_units, weights, unit_step, term_step, layer, columns, n_terms, columns);
}

ALWAYS_INLINE void hidden_fields(const rbm_state *state, float *fields, const float *visible, size_t columns)
{
    layer_fields(fields, state->hidden_bias, state->n_hidden, state->weights, 1, state->n_hidden, visible,
                 state->n_visible, columns);
}

ALWAYS_INLINE void visible_fields(const rbm_state *state, float *fields, const float *hidden, size_t columns)
{
    layer_fields(fields, state->visible_bias, state->n_visible, state->weights, state->n_hidden, 1, hidden,
                 state->n_hidden, columns);
}

/* At least n uniforms in [0, 1), in whole rounds of all lanes. */
ALWAYS_INLINE void draw_uniforms(uint32_t *restrict lanes, float *restrict uniforms, size_t n)
{
    uint32_t *s0 = lanes, *s1 = lanes + RBM_LANES, *s2 = lanes + 2 * RBM_LANES, *s3 = lanes + 3 * RBM_LANES;
    for (size_t start = 0; start < n; start += RBM_LANES)
        for (size_t l = 0; l < RBM_LANES; l++) {
            const uint32_t a = s0[l], b = s1[l], sum = a + s3[l], c = s2[l] ^ a, d = s3[l] ^ b;
            const uint32_t bits = ((sum << 7) | (sum >> 25)) + a;
            s0[l] = a ^ d;
            s1[l] = b ^ c;
            s2[l] = c ^ (b << 9);
            s3[l] = (d << 11) | (d >> 21);
            uniforms[start + l] = (float)(int32_t)(bits >> 8) * 0x1p-24f;
        }
}

/* Draw +-1 units with P(+1) = 1 / (1 + exp(-2 field)), without a division. */
ALWAYS_INLINE void sample_units(float *restrict units, const float *restrict fields, float *restrict uniforms,
                                uint32_t *lanes, size_t n)
{
    draw_uniforms(lanes, uniforms, n);
    for (size_t s = 0; s < n; s++) units[s] = uniforms[s] * (1.0f + odds_of_minus(fields[s])) < 1.0f ? 1.0f : -1.0f;
}

/* means (n_samples, n_hidden) = sign * tanh(fields), transposed sixteen samples at a time. */
ALWAYS_INLINE void store_means(float *restrict means, const float *restrict fields, float sign, size_t n_hidden,
                               size_t n_samples, size_t columns)
{
    for (size_t start = 0; start < n_samples; start += 16) {
        const size_t end = n_samples - start < 16 ? n_samples - start : 16;
        for (size_t k = 0; k < n_hidden; k++) {
            float row[16];
            for (size_t s = 0; s < 16; s++) row[s] = sign * mean_of_unit(fields[k * columns + start + s]);
            for (size_t s = 0; s < end; s++) means[(start + s) * n_hidden + k] = row[s];
        }
    }
}

/* Add one phase's sums over the samples, with the sign carried by the means. */
ALWAYS_INLINE void add_statistics(const rbm_state *state, workspace *work, const float *visible, float sign,
                                  size_t n_samples, size_t columns)
{
    const size_t n_visible = state->n_visible, n_hidden = state->n_hidden;
    store_means(work->means, work->fields, sign, n_hidden, n_samples, columns);
    add_products(work->gradient, n_hidden, n_visible, visible, columns, 1, work->means, n_hidden, n_samples, n_hidden);
    for (size_t s = 0; s < n_samples; s++)
        for (size_t k = 0; k < n_hidden; k++) work->hidden_gradient[k] += work->means[s * n_hidden + k];
    for (size_t i = 0; i < n_visible; i++) {
        int32_t sum = 0;
        for (size_t s = 0; s < n_samples; s++) sum += (int32_t)visible[i * columns + s];
        work->visible_gradient[i] += sign * (float)sum;
    }
}

/* Windows order[0..n_samples) as columns, sixteen at a time; order NULL means 0, 1, 2 ... */
static void load_columns(float *restrict layer, const int8_t *windows, const uint32_t *order, size_t n_visible,
                         size_t n_samples, size_t columns)
{
    memset(layer, 0, n_visible * columns * sizeof(float));
    for (size_t start = 0; start < n_samples; start += 16) {
        const size_t end = n_samples - start < 16 ? n_samples - start : 16;
        const int8_t *window[16];
        for (size_t s = 0; s < end; s++) window[s] = windows + (order ? order[start + s] : start + s) * n_visible;
        for (size_t i = 0; i < n_visible; i++)
            for (size_t s = 0; s < end; s++) layer[i * columns + start + s] = (float)window[s][i];
    }
}

static void store_columns(int8_t *windows, const float *layer, size_t n_visible, size_t n_samples, size_t columns)
{
    for (size_t s = 0; s < n_samples; s++)
        for (size_t i = 0; i < n_visible; i++) windows[s * n_visible + i] = (int8_t)layer[i * columns + s];
}

static size_t count_differences(const float *layer, const float *other, size_t n_visible, size_t n_samples, size_t columns)
{
    size_t count = 0;
    for (size_t i = 0; i < n_visible; i++)
        for (size_t s = 0; s < n_samples; s++) count += layer[i * columns + s] != other[i * columns + s];
    return count;
}

/* Both phases of one strip; work->data holds the windows. chains: the strip's persistent chains, or NULL. */
RSMI_CLONES static void add_strip(const rbm_state *state, workspace *work, int8_t *chains, size_t n_gibbs, size_t n_samples)
{
    const size_t columns = (n_samples + 15) / 16 * 16, n_visible = state->n_visible, n_hidden = state->n_hidden;
    hidden_fields(state, work->fields, work->data, columns);
    add_statistics(state, work, work->data, 1.0f, n_samples, columns);
    if (chains) {
        load_columns(work->chain, chains, NULL, n_visible, n_samples, columns);
        hidden_fields(state, work->fields, work->chain, columns);
    }
    for (size_t g = 0; g < n_gibbs; g++) {
        sample_units(work->hidden, work->fields, work->uniforms, state->lanes, n_hidden * columns);
        visible_fields(state, work->fields, work->hidden, columns);
        sample_units(work->chain, work->fields, work->uniforms, state->lanes, n_visible * columns);
        hidden_fields(state, work->fields, work->chain, columns);
    }
    add_statistics(state, work, work->chain, -1.0f, n_samples, columns);
    if (chains) store_columns(chains, work->chain, n_visible, n_samples, columns);
}

static void update(float *parameters, float *steps, const float *gradient, size_t n, float rate, float momentum,
                   float weight_decay, float per_sample)
{
    for (size_t j = 0; j < n; j++) {
        steps[j] = momentum * steps[j] + rate * (gradient[j] * per_sample - weight_decay * parameters[j]);
        parameters[j] += steps[j];
    }
}

static void update_all(const rbm_state *state, const workspace *work, const rbm_schedule *schedule, size_t batch)
{
    const double done = (double)batch / (double)schedule->total_batches;
    const float rate = (float)(schedule->learning_rate * (1.0 - (1.0 - FINAL_RATE) * done));
    const float momentum = (float)schedule->momentum, decay = (float)schedule->weight_decay;
    const float per_sample = 1.0f / (float)schedule->batch_size;
    update(state->weights, state->weights_momentum, work->gradient, state->n_visible * state->n_hidden, rate, momentum,
           decay, per_sample);
    if (schedule->symmetric) return;
    update(state->visible_bias, state->visible_momentum, work->visible_gradient, state->n_visible, rate, momentum, 0.0f,
           per_sample);
    update(state->hidden_bias, state->hidden_momentum, work->hidden_gradient, state->n_hidden, rate, momentum, 0.0f,
           per_sample);
}

/* One batch of windows; returns how many visible units its chains ended with differing from the data. */
static size_t train_batch(const rbm_state *state, workspace *work, const int8_t *visible, const uint32_t *order,
                          const rbm_schedule *schedule, size_t batch)
{
    const size_t n_visible = state->n_visible, n_hidden = state->n_hidden;
    size_t differences = 0;
    memset(work->gradient, 0, n_visible * n_hidden * sizeof(float));
    memset(work->visible_gradient, 0, n_visible * sizeof(float));
    memset(work->hidden_gradient, 0, n_hidden * sizeof(float));
    for (size_t start = 0; start < schedule->batch_size; start += STRIP) {
        const size_t left = schedule->batch_size - start, n_samples = left < STRIP ? left : STRIP;
        const size_t columns = round_up(n_samples, 16);
        load_columns(work->data, visible, order + start, n_visible, n_samples, columns);
        add_strip(state, work, state->chains ? state->chains + start * n_visible : NULL, schedule->n_gibbs, n_samples);
        differences += count_differences(work->data, work->chain, n_visible, n_samples, columns);
    }
    update_all(state, work, schedule, batch);
    return differences;
}

/* Fisher-Yates; the bias of the scaled 53-bit uniform is below n 2^-53. */
static void shuffle(uint32_t *order, size_t n, uint64_t rng[4])
{
    for (size_t j = 0; j < n; j++) order[j] = (uint32_t)j;
    for (size_t j = n; j > 1; j--) {
        const size_t k = (size_t)(xoshiro_uniform(rng) * (double)j);
        const uint32_t other = order[k];
        order[k] = order[j - 1];
        order[j - 1] = other;
    }
}

static int all_finite(const float *values, size_t n)
{
    for (size_t j = 0; j < n; j++)
        if (!isfinite(values[j])) return 0;
    return 1;
}

int rbm_train_epoch(const rbm_state *state, const int8_t *visible, size_t n_windows, const rbm_schedule *schedule,
                    double *reconstruction_error)
{
    const size_t n_visible = state->n_visible, n_hidden = state->n_hidden, batch_size = schedule->batch_size;
    if (n_visible == 0 || n_hidden == 0 || batch_size == 0 || n_windows < batch_size || n_windows > UINT32_MAX)
        return RSMI_BAD_SHAPE;
    const size_t n_batches = n_windows / batch_size;
    if (schedule->n_gibbs == 0 || schedule->first_batch + n_batches > schedule->total_batches) return RSMI_BAD_VALUE;
    workspace work;
    const int status = allocate(&work, n_visible, n_hidden, n_windows);
    if (status != RSMI_OK) {
        release(&work);
        return status;
    }
    shuffle(work.order, n_windows, state->rng);
    size_t differences = 0;
    for (size_t b = 0; b < n_batches; b++)
        differences += train_batch(state, &work, visible, work.order + b * batch_size, schedule, schedule->first_batch + b);
    release(&work);
    const double n_units = (double)(n_batches * batch_size) * (double)n_visible;
    *reconstruction_error = state->chains ? NAN : (double)differences / n_units;
    return all_finite(state->weights, n_visible * n_hidden) && all_finite(state->visible_bias, n_visible) &&
                   all_finite(state->hidden_bias, n_hidden)
               ? RSMI_OK
               : RSMI_DIVERGED;
}

/* Box and Muller's normal deviates. */
static double standard_normal(uint64_t rng[4])
{
    const double radius = sqrt(-2.0 * log(1.0 - xoshiro_uniform(rng)));
    return radius * cos(6.283185307179586 * xoshiro_uniform(rng));
}

int rbm_initialize(const rbm_state *state, size_t n_chains, double standard_deviation)
{
    for (size_t j = 0; j < state->n_visible * state->n_hidden; j++)
        state->weights[j] = (float)(standard_deviation * standard_normal(state->rng));
    const uint64_t seed = xoshiro_next(state->rng); /* SplitMix64 from here: a word for every two lanes */
    for (uint64_t j = 0; j < 2 * RBM_LANES; j++) {
        const uint64_t word = mix64(seed + (j + 1) * 0x9e3779b97f4a7c15ULL);
        state->lanes[2 * j] = (uint32_t)word;
        state->lanes[2 * j + 1] = (uint32_t)(word >> 32);
    }
    for (size_t j = 0; j < n_chains * state->n_visible; j++) state->chains[j] = xoshiro_next(state->rng) >> 63 ? 1 : -1;
    return RSMI_OK;
}
