/* Contrastive divergence and its persistent form.
 *
 * Per batch of B windows x, where tanh gives the mean of a +-1 unit in its field:
 *
 *     positive phase   <x tanh(c + xW)> over the data,
 *     negative phase   the same over x' after n_gibbs steps of Gibbs sampling, which start from the
 *                      data (CD) or from where the last batch left the chains (persistent),
 *     update           m <- momentum m + rate ((positive - negative) / B - weight_decay W),
 *                      W <- W + m.
 *
 * Hidden units enter the statistics by their means, not by their samples, which has less noise and
 * the same expectation.
 *
 * This file has the epochs, the batches, the update and the rounding of the weights to fixed point.
 * rbm_gibbs.c has both phases of a strip of samples, once for every instruction set, which is
 * chosen once per call. All instruction sets and any number of threads give the same bits: sums are
 * integers, and float32 is used only element by element.
 *
 * Memory. During an epoch the weights and their last steps are held transposed, (hidden, visible),
 * as the statistics come. Fixed point: fields have field_bits binary places, as many (at most 23)
 * as keep the largest field that these weights allow below 2^30. Means have mean_bits places (at
 * most 22), so that the statistics of a batch stay below 2^31.
 *
 * References: G. E. Hinton, Neural Computation 14, 1771 (2002); T. Tieleman, ICML 2008. */
#include "learning/rbm.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/compiler.h"
#include "base/functions.h"
#include "base/random.h"
#include "base/status.h"
#include "learning/rbm_gibbs.h"

#define FINAL_RATE 0.05           /* as a share of the initial learning rate */
#define FIELD_SCALE -2.885390082f /* -2 log2(e): turns a field in nats into the log2 odds of -1 */
#define MAX_BATCH ((size_t)1 << 24)

typedef struct {
    arena memory;
    rbm_strip strip;
    rbm_add_strip *add_strip;
    float *weights, *steps; /* (n_hidden, n_visible) */
    uint32_t *order;
} workspace;

static size_t round_up(size_t n, size_t multiple)
{
    return (n + multiple - 1) / multiple * multiple;
}

static size_t words(size_t n)
{
    return (n + RBM_WORD - 1) / RBM_WORD;
}

static uint32_t *take_words(workspace *work, size_t n)
{
    return arena_take(&work->memory, n * sizeof(uint32_t));
}

/* Binary places of the means, with which 2 B of them stay below 2^31. */
static int places_of_means(size_t batch_size)
{
    int bits = RBM_MEAN_BITS;
    while (((uint64_t)2 * batch_size) << bits >= (uint64_t)1 << 31)
        bits--;
    return bits;
}

static int allocate(workspace *work, const rbm_state *state, size_t batch_size, size_t n_windows)
{
    const size_t n_visible = state->n_visible, n_hidden = state->n_hidden;
    const size_t vectors = round_up(words(n_visible) * RBM_WORD + 2, 16) / 16,
                 stride = 16 * (vectors | 1);
    rbm_strip *const strip = &work->strip;
    *strip = (rbm_strip){.n_visible = n_visible,
                         .n_hidden = n_hidden,
                         .stride = stride,
                         .mean_bits = places_of_means(batch_size),
                         .lanes = state->lanes};
    strip->factors = take_words(work, round_up(n_hidden, 5) * stride);
    strip->visible_offsets = take_words(work, n_visible);
    strip->hidden_offsets = take_words(work, n_hidden);
    strip->data = take_words(work, words(n_visible) * RBM_ROW);
    strip->chain = take_words(work, words(n_visible) * RBM_ROW);
    strip->hidden = take_words(work, words(n_hidden) * RBM_ROW);
    strip->samples = take_words(work, words(RBM_STRIP) * stride);
    strip->means = take_words(work, (n_hidden + 1) * RBM_ROW);
    strip->gradient = take_words(work, (n_hidden + 1) * stride);
    strip->mean_sums = take_words(work, n_hidden + 1);
    strip->fields = take_words(work, RBM_BLOCK * RBM_STRIP);
    strip->odds = arena_take(&work->memory, RBM_BLOCK * RBM_STRIP * sizeof(float));
    strip->uniforms =
        arena_take(&work->memory, (RBM_BLOCK * RBM_STRIP + RBM_LANES) * sizeof(float));
    work->weights = arena_take(&work->memory, n_visible * n_hidden * sizeof(float));
    work->steps = arena_take(&work->memory, n_visible * n_hidden * sizeof(float));
    work->order = take_words(work, n_windows);
    return work->memory.failed ? RSMI_NO_MEMORY : RSMI_OK;
}

/* Transposes (n_rows, n_columns) to (n_columns, n_rows), in tiles that stay in cache. */
static void transpose(float *restrict out, const float *restrict in, size_t n_rows,
                      size_t n_columns)
{
    for (size_t row = 0; row < n_rows; row += 16)
        for (size_t column = 0; column < n_columns; column += 16)
            for (size_t k = column; k < n_columns && k < column + 16; k++)
                for (size_t i = row; i < n_rows && i < row + 16; i++)
                    out[k * n_rows + i] = in[i * n_columns + k];
}

/* The largest magnitude of n values. It is NaN if one value is NaN, because a NaN as a bit pattern
 * is larger than any number. */
RSMI_CLONES static float largest_magnitude(const float *values, size_t n)
{
    int32_t largest = 0;
    for (size_t j = 0; j < n; j++) {
        int32_t bits;
        memcpy(&bits, values + j, sizeof bits);
        bits &= INT32_MAX;
        largest = bits > largest ? bits : largest;
    }
    float magnitude;
    memcpy(&magnitude, &largest, sizeof magnitude);
    return magnitude;
}

/* Binary places with which no field reaches 2^30. Returns -1 if there are none (fields above 10^8
 * nats, or not finite). */
static int places_of_fields(const rbm_state *state, const workspace *work)
{
    const size_t n_visible = state->n_visible, n_hidden = state->n_hidden;
    const double weight = (double)largest_magnitude(work->weights, n_visible * n_hidden);
    const double visible =
        (double)largest_magnitude(state->visible_bias, n_visible) + (double)n_hidden * weight;
    const double hidden =
        (double)largest_magnitude(state->hidden_bias, n_hidden) + (double)n_visible * weight;
    const double largest =
        -(double)FIELD_SCALE * (visible > hidden || visible != visible ? visible : hidden);
    int bits = RBM_FIELD_BITS;
    while (bits >= 0 && !(ldexp(largest, bits) < 0x1p30))
        bits--;
    return bits;
}

/* Rounds the factors of one hidden unit. Adds its weights to its own sum and to the sums of the
 * visible units. */
RSMI_CLONES static void round_row(uint32_t *restrict factors, uint32_t *restrict visible_sums,
                                  uint32_t *restrict hidden_sum, const float *restrict weights,
                                  float scale, size_t n_visible)
{
    uint32_t sum = 0;
    for (size_t i = 0; i < n_visible; i++) {
        const uint32_t weight = (uint32_t)(int32_t)rintf(weights[i] * scale);
        sum += weight;
        visible_sums[i] += weight;
        factors[i] = 2 * weight;
    }
    *hidden_sum = sum;
}

/* offset = bias - sum of weights: the field if every unit that feeds it is -1. */
static void round_offsets(uint32_t *offsets, const float *bias, float scale, size_t n)
{
    for (size_t u = 0; u < n; u++)
        offsets[u] = (uint32_t)(int32_t)rintf(bias[u] * scale) - offsets[u];
}

static int round_parameters(const rbm_state *state, workspace *work)
{
    rbm_strip *const strip = &work->strip;
    strip->field_bits = places_of_fields(state, work);
    if (strip->field_bits < 0)
        return RSMI_DIVERGED;
    const float scale = ldexpf(FIELD_SCALE, strip->field_bits);
    memset(strip->visible_offsets, 0, state->n_visible * sizeof *strip->visible_offsets);
    for (size_t k = 0; k < state->n_hidden; k++)
        round_row(strip->factors + k * strip->stride, strip->visible_offsets,
                  strip->hidden_offsets + k, work->weights + k * state->n_visible, scale,
                  state->n_visible);
    round_offsets(strip->visible_offsets, state->visible_bias, scale, state->n_visible);
    round_offsets(strip->hidden_offsets, state->hidden_bias, scale, state->n_hidden);
    return RSMI_OK;
}

/* Bit j is 1 where spin j of eight (bytes +-1) is +1. */
RSMI_INLINE uint32_t pack_eight(const int8_t *spins)
{
    uint64_t bytes;
    memcpy(&bytes, spins, sizeof bytes);
    return (uint32_t)(((~bytes >> 7 & 0x0101010101010101ULL) * 0x0102040810204080ULL) >> 56);
}

/* Packs the first n <= RBM_WORD spins at an address into the low bits of a word. 32 bytes are
 * read. */
RSMI_INLINE uint32_t pack_word(const int8_t *spins, size_t n)
{
    return (pack_eight(spins) | pack_eight(spins + 8) << 8 | pack_eight(spins + 16) << 16 |
            pack_eight(spins + 24) << 24) &
           (((uint32_t)1 << n) - 1);
}

/* Loads the windows order[0 .. n_samples - 1] as a layer; order NULL means 0, 1, 2 ... Nothing is
 * read at or beyond windows_end. */
static void load_layer(uint32_t *layer, const int8_t *windows, const int8_t *windows_end,
                       const uint32_t *order, size_t n_visible, size_t n_samples)
{
    for (size_t s = 0; s < n_samples; s++) {
        const int8_t *const window = windows + (order ? order[s] : s) * n_visible;
        for (size_t i = 0; i < n_visible; i += RBM_WORD) {
            const size_t n = n_visible - i < RBM_WORD ? n_visible - i : RBM_WORD;
            int8_t last[32] = {0};
            const int8_t *spins = window + i;
            if (windows_end - spins < 32)
                spins = memcpy(last, spins, n);
            layer[i / RBM_WORD * RBM_ROW + s] = pack_word(spins, n);
        }
    }
}

static void store_layer(int8_t *windows, const uint32_t *layer, size_t n_visible, size_t n_samples)
{
    for (size_t s = 0; s < n_samples; s++)
        for (size_t i = 0; i < n_visible; i++)
            windows[s * n_visible + i] =
                layer[i / RBM_WORD * RBM_ROW + s] >> i % RBM_WORD & 1 ? 1 : -1;
}

static size_t count_differences(const uint32_t *layer, const uint32_t *other, size_t n_visible,
                                size_t n_samples)
{
    size_t count = 0;
    for (size_t w = 0; w < words(n_visible); w++)
        for (size_t s = 0; s < n_samples; s++)
            count += (size_t)__builtin_popcount(layer[w * RBM_ROW + s] ^ other[w * RBM_ROW + s]);
    return count;
}

typedef struct {
    float rate, momentum, weight_decay, per_sample;
} step_sizes;

/* The gradient is (sums over bits of twice the means) - offset, in fixed point. */
RSMI_CLONES static void update(float *restrict parameters, float *restrict steps,
                               const uint32_t *restrict gradient, uint32_t offset, size_t n,
                               float weight_decay, const step_sizes *sizes)
{
    const float rate = sizes->rate, momentum = sizes->momentum, per_sample = sizes->per_sample;
    for (size_t j = 0; j < n; j++) {
        const float slope = (float)(int32_t)(gradient[j] - offset) * per_sample;
        steps[j] = momentum * steps[j] + rate * (slope - weight_decay * parameters[j]);
        parameters[j] += steps[j];
    }
}

static void update_all(const rbm_state *state, const workspace *work, const rbm_schedule *schedule,
                       size_t batch)
{
    const rbm_strip *const strip = &work->strip;
    const size_t n_visible = state->n_visible, n_hidden = state->n_hidden;
    const double done = (double)batch / (double)schedule->total_batches;
    const step_sizes sizes = {(float)(schedule->learning_rate * (1.0 - (1.0 - FINAL_RATE) * done)),
                              (float)schedule->momentum, (float)schedule->weight_decay,
                              ldexpf(1.0f / (float)schedule->batch_size, -strip->mean_bits)};
    for (size_t k = 0; k < n_hidden; k++)
        update(work->weights + k * n_visible, work->steps + k * n_visible,
               strip->gradient + k * strip->stride, strip->mean_sums[k], n_visible,
               sizes.weight_decay, &sizes);
    if (schedule->symmetric)
        return;
    update(state->visible_bias, state->visible_momentum, strip->gradient + n_hidden * strip->stride,
           strip->mean_sums[n_hidden], n_visible, 0.0f, &sizes);
    update(state->hidden_bias, state->hidden_momentum, strip->mean_sums, 0, n_hidden, 0.0f, &sizes);
}

/* Trains on one batch of windows. Adds to *differences how many visible units differ between the
 * data and the ends of the chains. */
static int train_batch(const rbm_state *state, workspace *work, const int8_t *visible,
                       const int8_t *visible_end, const uint32_t *order,
                       const rbm_schedule *schedule, size_t batch, size_t *differences)
{
    const size_t n_visible = state->n_visible, n_hidden = state->n_hidden;
    const rbm_strip *const strip = &work->strip;
    const int status = round_parameters(state, work);
    if (status != RSMI_OK)
        return status;
    memset(strip->gradient, 0, (n_hidden + 1) * strip->stride * sizeof *strip->gradient);
    memset(strip->mean_sums, 0, (n_hidden + 1) * sizeof *strip->mean_sums);
    for (size_t start = 0; start < schedule->batch_size; start += RBM_STRIP) {
        const size_t left = schedule->batch_size - start,
                     n_samples = left < RBM_STRIP ? left : RBM_STRIP;
        int8_t *const chains = state->chains ? state->chains + start * n_visible : NULL;
        load_layer(strip->data, visible, visible_end, order + start, n_visible, n_samples);
        if (chains)
            load_layer(strip->chain, chains, chains + n_samples * n_visible, NULL, n_visible,
                       n_samples);
        work->add_strip(strip, chains != NULL, schedule->n_gibbs, n_samples);
        if (chains)
            store_layer(chains, strip->chain, n_visible, n_samples);
        *differences += count_differences(strip->data, strip->chain, n_visible, n_samples);
    }
    update_all(state, work, schedule, batch);
    return RSMI_OK;
}

static int train_batches(const rbm_state *state, workspace *work, const int8_t *visible,
                         const int8_t *visible_end, size_t n_batches, const rbm_schedule *schedule,
                         size_t *differences)
{
    const size_t n_visible = state->n_visible, n_hidden = state->n_hidden;
    int status = RSMI_OK;
    transpose(work->weights, state->weights, n_visible, n_hidden);
    transpose(work->steps, state->weights_momentum, n_visible, n_hidden);
    for (size_t b = 0; b < n_batches && status == RSMI_OK; b++)
        status =
            train_batch(state, work, visible, visible_end, work->order + b * schedule->batch_size,
                        schedule, schedule->first_batch + b, differences);
    if (status == RSMI_OK && places_of_fields(state, work) < 0)
        status = RSMI_DIVERGED;
    transpose(state->weights, work->weights, n_hidden, n_visible);
    transpose(state->weights_momentum, work->steps, n_hidden, n_visible);
    return status;
}

int rbm_train_epoch(const rbm_state *state, const int8_t *visible, size_t n_windows,
                    const rbm_schedule *schedule, double *reconstruction_error)
{
    const size_t batch_size = schedule->batch_size;
    if (state->n_visible == 0 || state->n_hidden == 0 || batch_size == 0 ||
        batch_size > MAX_BATCH || n_windows < batch_size || n_windows > UINT32_MAX)
        return RSMI_BAD_SHAPE;
    const size_t n_batches = n_windows / batch_size;
    if (schedule->n_gibbs == 0 || schedule->first_batch + n_batches > schedule->total_batches)
        return RSMI_BAD_VALUE;
    workspace work = {.add_strip = rbm_strip_function(schedule->path)};
    if (!work.add_strip)
        return RSMI_BAD_VALUE;
    size_t differences = 0;
    int status = allocate(&work, state, batch_size, n_windows);
    if (status == RSMI_OK) {
        shuffle(work.order, n_windows, state->rng);
        status = train_batches(state, &work, visible, visible + n_windows * state->n_visible,
                               n_batches, schedule, &differences);
    }
    arena_free(&work.memory);
    const double n_units = (double)(n_batches * batch_size) * (double)state->n_visible;
    *reconstruction_error = state->chains ? NAN : (double)differences / n_units;
    return status;
}

int rbm_has_path(int path)
{
    return rbm_strip_function(path) != NULL;
}

/* A normal deviate by Box and Muller. */
static double standard_normal(uint64_t rng[4])
{
    const double radius = sqrt(-2.0 * log_of(1.0 - xoshiro_uniform(rng)));
    return radius * cosine_of_turns(xoshiro_uniform(rng));
}

int rbm_initialize(const rbm_state *state, size_t n_chains, double standard_deviation)
{
    for (size_t j = 0; j < state->n_visible * state->n_hidden; j++)
        state->weights[j] = (float)(standard_deviation * standard_normal(state->rng));
    const uint64_t seed =
        xoshiro_next(state->rng); /* from here on SplitMix64: one word for every two lanes */
    for (uint64_t j = 0; j < 2 * RBM_LANES; j++) {
        const uint64_t word = mix64(seed + (j + 1) * 0x9e3779b97f4a7c15ULL);
        state->lanes[2 * j] = (uint32_t)word;
        state->lanes[2 * j + 1] = (uint32_t)(word >> 32);
    }
    for (size_t j = 0; j < n_chains * state->n_visible; j++)
        state->chains[j] = xoshiro_next(state->rng) >> 63 ? 1 : -1;
    return RSMI_OK;
}
