/* Contrastive divergence of tied machines.
 *
 * The field of the state b of the hidden unit j is sum_i W_ij f(x_i) . f(b), and its probability
 * the softmax over b; for the visible units likewise. A relabelling of all states that keeps the
 * products f(a) . f(b) changes no probability, so that the machine has the symmetry of its data.
 * With two states of the features +-1 it is the machine of rbm.c without biases.
 *
 * Per batch of B windows x, with m_j = sum_b P(h_j = b | x) f(b):
 *
 *     positive phase   <f(x_i) . m_j> over the data,
 *     negative phase   the same over x' after n_gibbs steps of Gibbs sampling, which start from the
 *                      data (CD) or from where the last batch left the chains (persistent),
 *     update           s <- momentum s + rate (positive - negative) / B,  W <- W + s.
 *
 * Memory: features and fields are (feature or state, unit, sample), batch-last (dense.c), so that
 * each feature is one product with the weights. All sums have a fixed order: every build and any
 * number of threads give the same bits.
 *
 * References: G. E. Hinton, Neural Computation 14, 1771 (2002); T. Tieleman, ICML 2008. */
#include "learning/tied_rbm.h"

#include <math.h>
#include <string.h>

#include "base/arena.h"
#include "base/compiler.h"
#include "base/dense.h"
#include "base/elementary.h"
#include "base/random.h"
#include "base/status.h"

#define FINAL_RATE 0.05 /* as a share of the initial learning rate */

typedef struct {
    arena memory;
    const tied_rbm *machine;
    const feature_table *features;
    int64_t n;             /* samples of a batch */
    double *transposed;    /* (n_hidden, n_visible) weights */
    double *gradient;      /* (n_hidden, n_visible) of all phases */
    double *product;       /* (n_hidden, n_visible) */
    double *visible;       /* (width, n_visible, n) features */
    double *hidden;        /* (width, n_hidden, n) features of samples, or their means */
    double *fields;        /* (width, units, n) */
    double *probabilities; /* (states, units, n) */
    int8_t *data, *chain;  /* (n_visible, n) codes */
    int8_t *codes;         /* (n_hidden, n) */
    uint32_t *order;
} workspace;

static int allocate(workspace *w, const tied_rbm *machine, const feature_table *features, int64_t n,
                    int64_t n_windows)
{
    const size_t visible = (size_t)machine->n_visible, hidden = (size_t)machine->n_hidden,
                 most = visible > hidden ? visible : hidden, ld = (size_t)padded(n),
                 width = (size_t)features->width;
    w->machine = machine, w->features = features, w->n = n;
    w->transposed = arena_doubles(&w->memory, visible * hidden);
    w->gradient = arena_doubles(&w->memory, visible * hidden);
    w->product = arena_doubles(&w->memory, visible * hidden);
    w->visible = arena_doubles(&w->memory, width * visible * ld);
    w->hidden = arena_doubles(&w->memory, width * hidden * ld);
    w->fields = arena_doubles(&w->memory, width * most * ld);
    w->probabilities = arena_doubles(&w->memory, (size_t)features->states * most * ld);
    w->data = arena_take(&w->memory, visible * ld);
    w->chain = arena_take(&w->memory, visible * ld);
    w->codes = arena_take(&w->memory, hidden * ld);
    w->order = arena_take(&w->memory, (size_t)n_windows * sizeof *w->order);
    return w->memory.failed ? RSMI_NO_MEMORY : RSMI_OK;
}

/* codes (sites, n) batch-last from the windows order[0 .. n - 1]; order NULL means 0, 1, 2 ... */
static void load(int8_t *codes, const int8_t *windows, const uint32_t *order, int64_t sites,
                 int64_t n)
{
    for (int64_t s = 0; s < n; s++) {
        const int8_t *window = windows + (order ? order[s] : (uint32_t)s) * (size_t)sites;
        for (int64_t i = 0; i < sites; i++)
            codes[i * padded(n) + s] = window[i];
    }
}

static void store(int8_t *windows, const int8_t *codes, int64_t sites, int64_t n)
{
    for (int64_t s = 0; s < n; s++)
        for (int64_t i = 0; i < sites; i++)
            windows[s * sites + i] = codes[i * padded(n) + s];
}

/* out (width, units, n) = the features of codes (units, n). */
static void set_features(const feature_table *f, int64_t units, int64_t n, const int8_t *codes,
                         double *out)
{
    const int64_t size = units * padded(n);
    for (int64_t a = 0; a < f->width; a++)
        for (int64_t j = 0; j < size; j++)
            out[a * size + j] = f->values[codes[j] * f->width + a];
}

/* The softmax over the states b of sum_a fields[a] f(b)_a. */
RSMI_CLONES
static void soften(const feature_table *f, int64_t size, const double *fields,
                   double *probabilities)
{
    for (int64_t j = 0; j < size; j += 8) {
        lanes8 largest = {0}, sum = {0};
        for (int64_t b = 0; b < f->states; b++) {
            lanes8 x = {0};
            for (int64_t a = 0; a < f->width; a++)
                x += f->values[b * f->width + a] * *(const lanes8 *)(fields + a * size + j);
            *(lanes8 *)(probabilities + b * size + j) = x;
            for (int i = 0; i < 8; i++)
                largest[i] = b == 0 || x[i] > largest[i] ? x[i] : largest[i];
        }
        for (int64_t b = 0; b < f->states; b++) {
            lanes8 weight = *(const lanes8 *)(probabilities + b * size + j) - largest;
            exponential(&weight);
            *(lanes8 *)(probabilities + b * size + j) = weight;
            sum += weight;
        }
        for (int64_t b = 0; b < f->states; b++)
            *(lanes8 *)(probabilities + b * size + j) /= sum;
    }
}

/* Probabilities of `units` units from the features (width, others, n) of the other layer; weights
 * are (units, others). */
static void run_layer(const workspace *w, int64_t units, int64_t others, const double *weights,
                      const double *features)
{
    const int64_t ld = padded(w->n), width = w->features->width;
    memset(w->fields, 0, (size_t)(width * units * ld) * sizeof *w->fields);
    for (int64_t a = 0; a < width; a++)
        multiply_add(units, others, w->n, weights, others, features + a * others * ld,
                     w->fields + a * units * ld);
    soften(w->features, units * ld, w->fields, w->probabilities);
}

/* Draws codes (units, n) from the probabilities. */
static void draw(const workspace *w, int64_t units, int8_t *codes)
{
    const int64_t ld = padded(w->n), size = units * ld, last = w->features->states - 1;
    uint64_t *rng = w->machine->rng;
    for (int64_t u = 0; u < units; u++)
        for (int64_t j = u * ld; j < u * ld + w->n; j++) {
            const double uniform = xoshiro_uniform(rng);
            double below = 0.0;
            int8_t code = 0;
            for (int64_t b = 0; b < last; b++) {
                below += w->probabilities[b * size + j];
                code = (int8_t)(code + (below <= uniform));
            }
            codes[j] = code;
        }
}

/* The mean features of the hidden units, which are zero in the padding. */
static void set_means(const workspace *w)
{
    const feature_table *f = w->features;
    const int64_t ld = padded(w->n), units = w->machine->n_hidden, size = units * ld;
    memset(w->hidden, 0, (size_t)(f->width * size) * sizeof *w->hidden);
    for (int64_t b = 0; b < f->states; b++)
        for (int64_t a = 0; a < f->width; a++)
            for (int64_t u = 0; u < units; u++)
                for (int64_t j = u * ld; j < u * ld + w->n; j++)
                    w->hidden[a * size + j] +=
                        w->probabilities[b * size + j] * f->values[b * f->width + a];
}

/* Adds sign times the statistics of the visible features and of the probabilities of the hidden
 * units. */
static void add_statistics(const workspace *w, double sign)
{
    const int64_t ld = padded(w->n), n_visible = w->machine->n_visible,
                  n_hidden = w->machine->n_hidden;
    set_means(w);
    for (int64_t a = 0; a < w->features->width; a++) {
        multiply_transposed(n_hidden, n_visible, w->n, w->hidden + a * n_hidden * ld,
                            w->visible + a * n_visible * ld, w->product);
        for (int64_t j = 0; j < n_hidden * n_visible; j++)
            w->gradient[j] += sign * w->product[j];
    }
}

static void run_hidden(const workspace *w, const int8_t *visible)
{
    const tied_rbm *machine = w->machine;
    set_features(w->features, machine->n_visible, w->n, visible, w->visible);
    run_layer(w, machine->n_hidden, machine->n_visible, w->transposed, w->visible);
}

/* One Gibbs step of the chains, from the probabilities of the hidden units to those that follow. */
static void step_chains(const workspace *w)
{
    const tied_rbm *machine = w->machine;
    draw(w, machine->n_hidden, w->codes);
    set_features(w->features, machine->n_hidden, w->n, w->codes, w->hidden);
    run_layer(w, machine->n_visible, machine->n_hidden, machine->weights, w->hidden);
    draw(w, machine->n_visible, w->chain);
    run_hidden(w, w->chain);
}

/* Moves the weights by the gradient. Returns whether they are finite. */
static int update(const workspace *w, const tied_rbm_schedule *schedule, int64_t batch)
{
    const tied_rbm *machine = w->machine;
    const double done = (double)batch / (double)schedule->total_batches,
                 rate = schedule->learning_rate * (1.0 - (1.0 - FINAL_RATE) * done) / (double)w->n;
    int finite = 1;
    for (int64_t i = 0; i < machine->n_visible; i++)
        for (int64_t j = 0; j < machine->n_hidden; j++) {
            const int64_t k = i * machine->n_hidden + j;
            machine->momentum[k] = schedule->momentum * machine->momentum[k] +
                                   rate * w->gradient[j * machine->n_visible + i];
            machine->weights[k] += machine->momentum[k];
            finite &= isfinite(machine->weights[k]) != 0;
        }
    return finite;
}

static int train_batch(const workspace *w, const int8_t *visible, const uint32_t *order,
                       const tied_rbm_schedule *schedule, int64_t batch, int64_t *differences)
{
    const tied_rbm *machine = w->machine;
    const int64_t n_visible = machine->n_visible, n_hidden = machine->n_hidden, ld = padded(w->n);
    for (int64_t i = 0; i < n_visible; i++)
        for (int64_t j = 0; j < n_hidden; j++)
            w->transposed[j * n_visible + i] = machine->weights[i * n_hidden + j];
    memset(w->gradient, 0, (size_t)(n_visible * n_hidden) * sizeof *w->gradient);
    load(w->data, visible, order, n_visible, w->n);
    run_hidden(w, w->data);
    add_statistics(w, 1.0);
    if (machine->chains) {
        load(w->chain, machine->chains, NULL, n_visible, w->n);
        run_hidden(w, w->chain);
    }
    for (int64_t g = 0; g < schedule->n_gibbs; g++)
        step_chains(w);
    add_statistics(w, -1.0);
    if (machine->chains)
        store(machine->chains, w->chain, n_visible, w->n);
    for (int64_t i = 0; i < n_visible; i++)
        for (int64_t s = 0; s < w->n; s++)
            *differences += w->data[i * ld + s] != w->chain[i * ld + s];
    return update(w, schedule, batch) ? RSMI_OK : RSMI_DIVERGED;
}

int tied_rbm_train_epoch(const tied_rbm *machine, const feature_table *features,
                         const int8_t *visible, int64_t n_windows,
                         const tied_rbm_schedule *schedule, double *reconstruction_error)
{
    const int64_t batch_size = schedule->batch_size;
    if (machine->n_visible < 1 || machine->n_hidden < 1 || batch_size < 1 ||
        n_windows < batch_size || n_windows > UINT32_MAX || features->states < 2)
        return RSMI_BAD_SHAPE;
    const int64_t n_batches = n_windows / batch_size;
    if (schedule->n_gibbs < 1 || schedule->first_batch + n_batches > schedule->total_batches)
        return RSMI_BAD_VALUE;
    workspace w = {0};
    int64_t differences = 0;
    int status = allocate(&w, machine, features, batch_size, n_windows);
    if (status == RSMI_OK)
        shuffle(w.order, (size_t)n_windows, machine->rng);
    for (int64_t b = 0; b < n_batches && status == RSMI_OK; b++)
        status = train_batch(&w, visible, w.order + b * batch_size, schedule,
                             schedule->first_batch + b, &differences);
    arena_free(&w.memory);
    const double n_units = (double)(n_batches * batch_size) * (double)machine->n_visible;
    *reconstruction_error = machine->chains ? NAN : (double)differences / n_units;
    return status;
}
