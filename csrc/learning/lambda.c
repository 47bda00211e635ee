/* Training of Lambda: stochastic gradient ascent of a lower bound or an estimate of I(H:E) over the
 * channel q(h|v).
 *
 * Every step draws a fresh minibatch of windows, evaluates the chosen objective with its explicit
 * gradient, and moves all parameters uphill (adam.h). Objectives return dA/dq(h|v), and one chain
 * rule (channel.c) turns it into gradients of filters and bias. The parameters of the decoder are
 * trained in the same steps.
 *
 * All randomness comes from the stream of the state, and nothing but the state is carried from step
 * to step, so that n1 + n2 steps are n steps, bit for bit.
 *
 * Memory: the workspace is allocated once per call; all arrays of a minibatch are batch-last
 * (dense.c).
 *
 * Reference: M. Koch-Janusz, Z. Ringel, Nature Physics 14, 578 (2018). */
#include "learning/lambda.h"

#include <math.h>

#include "base/adam.h"
#include "base/dense.h"
#include "base/status.h"
#include "learning/chains.h"
#include "learning/channel.h"
#include "learning/decoder.h"
#include "learning/enumerate.h"
#include "learning/gaussian.h"
#include "learning/proxy.h"

enum { SLICE = 1 << 22 }; /* most entries of a table of P(V|e) that is held at once */

typedef struct {
    arena memory;
    const window_table *windows;
    const lambda_settings *settings;
    int64_t *index;
    double *blocks, *environments; /* (site, sample) of the minibatch */
    double *p, *q, *derivative, *field_gradient;
    double *bias; /* (n_hidden,) for blocks that are not centred */
    double *gradient, *energies;
    double *filters, *filters_gradient; /* of tied filters */
    gaussian_workspace gaussian;
    theta_fields theta;
    chain_workspace chains;
    decoder_shape decoder;
    decoder_workspace decoder_space;
    enumeration enumerated;
    proxy_columns pairs;
    int64_t *block_column;  /* column of each block state, for distinct blocks */
    int64_t columns, slice; /* columns of q: samples, distinct blocks, or all 2^n_block blocks */
} workspace;

static decoder_shape decoder_of(const lambda_settings *s, const window_table *windows)
{
    return (decoder_shape){.n_environment =
                               feature_count(&windows->features, windows->n_environment),
                           .n_units = s->decoder_units,
                           .n_hidden = s->n_hidden,
                           .environment_mean = windows->environment_mean,
                           .states = s->states,
                           .tied = s->tied != 0,
                           .features = windows->features};
}

/* The number of fields x of the channel: one for each unit, or for each state of the only unit. */
static int64_t fields_of(const lambda_settings *s)
{
    return s->states ? s->states : s->n_hidden;
}

static int64_t states_of(const lambda_settings *s)
{
    return s->states ? s->states : (int64_t)1 << s->n_hidden;
}

static int needs_theta(const lambda_settings *s)
{
    return s->objective != LAMBDA_DECODER && s->objective != LAMBDA_GAUSSIAN;
}

int64_t lambda_filters(const lambda_settings *settings)
{
    return settings->tied ? 1 : fields_of(settings);
}

int64_t lambda_filter_length(const lambda_settings *settings, const window_table *windows)
{
    return settings->tied ? windows->n_block : feature_count(&windows->features, windows->n_block);
}

int64_t lambda_size(const lambda_settings *settings, const window_table *windows)
{
    const decoder_shape shape = decoder_of(settings, windows);
    return lambda_filters(settings) * (lambda_filter_length(settings, windows) + 1) +
           (settings->objective == LAMBDA_DECODER ? decoder_size(&shape) : 0);
}

static void take_objective(workspace *w)
{
    const lambda_settings *s = w->settings;
    const int64_t n = s->batch, n_states = states_of(s);
    switch (s->objective) {
    case LAMBDA_PAIRS:
    case LAMBDA_LOG_SUM:
        theta_take(&w->memory, w->windows->theta, n, w->columns, &w->theta);
        proxy_take(&w->memory, n_states, n, w->columns, &w->pairs);
        break;
    case LAMBDA_CHAINS:
        theta_take(&w->memory, w->windows->theta, n, s->n_chains, &w->theta);
        chains_take(&w->memory, w->windows->theta, s->n_hidden, s->n_chains, s->n_sweeps, n,
                    &w->chains);
        break;
    case LAMBDA_ENUMERATE:
        w->slice = SLICE / padded(w->columns) < n ? SLICE / padded(w->columns) : n;
        theta_take(&w->memory, w->windows->theta, n, w->columns, &w->theta);
        enumeration_take(&w->memory, n_states, w->columns, w->slice, &w->enumerated);
        w->energies = arena_doubles(&w->memory, (size_t)(w->slice * padded(w->columns)));
        break;
    case LAMBDA_GAUSSIAN:
        gaussian_take(&w->memory, n_states, n, w->windows->n_block, &w->gaussian);
        break;
    default:
        w->decoder = decoder_of(s, w->windows);
        decoder_take(&w->memory, &w->decoder, n, &w->decoder_space);
    }
}

static int by_pairs(const lambda_settings *s)
{
    return s->objective == LAMBDA_PAIRS || s->objective == LAMBDA_LOG_SUM;
}

/* Whether V is enumerated: all its states, or those that occur. */
static int has_table(const lambda_settings *s)
{
    return s->objective == LAMBDA_ENUMERATE || (by_pairs(s) && s->distinct_blocks);
}

static int check(const window_table *windows, const lambda_settings *s)
{
    if (s->n_hidden < 1 || s->n_hidden > CHANNEL_MOST_HIDDEN || s->batch < 2 ||
        windows->n_windows < 1)
        return RSMI_BAD_SHAPE;
    if (s->objective < LAMBDA_PAIRS || s->objective > LAMBDA_GAUSSIAN)
        return RSMI_BAD_VALUE;
    if ((needs_theta(s) && !windows->theta) ||
        (s->objective == LAMBDA_GAUSSIAN && !windows->critic))
        return RSMI_BAD_VALUE;
    if (!windows->block_mean != !windows->environment_mean)
        return RSMI_BAD_VALUE;
    if ((windows->features.values || s->states) &&
        (s->objective == LAMBDA_CHAINS || s->objective == LAMBDA_GAUSSIAN))
        return RSMI_BAD_VALUE;
    if (needs_theta(s) &&
        windows->theta->states != (windows->features.values ? windows->features.states : 0))
        return RSMI_BAD_VALUE;
    if (s->states < 0 || (s->states && s->n_hidden != 1) ||
        (s->tied && (s->states != windows->features.states || s->decoder_units ||
                     windows->block_mean || !windows->features.values)))
        return RSMI_BAD_VALUE;
    if (has_table(s) && block_states(&windows->features, windows->n_block) < 1)
        return RSMI_BAD_SHAPE;
    if (s->objective == LAMBDA_CHAINS &&
        (s->n_chains < 2 || windows->theta->n_marginal_hidden + s->n_hidden > CHAINS_MOST_UNITS))
        return RSMI_BAD_SHAPE;
    return RSMI_OK;
}

/* The number of the state of a block: its codes are the digits, of site 0 first. */
static int64_t block_state(const window_table *windows, int64_t window)
{
    const int coded = windows->features.values != NULL;
    const int64_t q = coded ? windows->features.states : 2;
    const int8_t *codes = windows->blocks + window * windows->n_block;
    int64_t state = 0;
    for (int64_t site = windows->n_block; site-- > 0;)
        state = state * q + (coded ? codes[site] : codes[site] > 0);
    return state;
}

/* Lists the blocks that occur among the windows, each once, with their frequencies. */
static void find_distinct_blocks(workspace *w)
{
    const window_table *windows = w->windows;
    const int64_t n_blocks = w->columns, ld = padded(n_blocks),
                  rows = feature_count(&windows->features, windows->n_block);
    for (int64_t i = 0; i < windows->n_windows; i++)
        w->block_column[block_state(windows, i)]++;
    all_blocks(&windows->features, windows->n_block, w->blocks);
    w->columns = 0;
    for (int64_t state = 0; state < n_blocks; state++) {
        const int64_t count = w->block_column[state], column = w->columns;
        if (count == 0)
            continue;
        w->pairs.weight[column] = (double)count / (double)windows->n_windows;
        w->block_column[state] = w->columns++;
        for (int64_t r = 0; r < rows; r++)
            w->blocks[r * ld + column] = w->blocks[r * ld + state];
    }
    const int64_t stride = padded(w->columns);
    for (int64_t r = 0; r < rows; r++) {
        memmove(w->blocks + r * stride, w->blocks + r * ld, (size_t)w->columns * sizeof(double));
        for (int64_t column = w->columns; column < stride; column++)
            w->blocks[r * stride + column] = 0.0;
    }
}

static void prepare_pairs(workspace *w)
{
    proxy_columns *pairs = &w->pairs;
    if (w->settings->distinct_blocks) {
        find_distinct_blocks(w);
        theta_set_blocks(&w->theta, w->columns, w->blocks);
    } else {
        for (int64_t i = 0; i < w->columns; i++)
            pairs->own[i] = i, pairs->weight[i] = 1.0 / (double)w->columns;
    }
    pairs->rows = w->settings->batch, pairs->columns = w->columns,
    pairs->leave_own_out = !w->settings->distinct_blocks;
}

/* Prepares everything that does not change from step to step. */
static int open_workspace(const window_table *windows, const lambda_settings *s, workspace *w)
{
    const int status = check(windows, s);
    if (status != RSMI_OK)
        return status;
    const int enumerated = s->objective == LAMBDA_ENUMERATE;
    w->windows = windows, w->settings = s;
    w->columns = has_table(s) ? block_states(&windows->features, windows->n_block) : s->batch;
    w->block_column =
        arena_take(&w->memory, (size_t)(by_pairs(s) && s->distinct_blocks ? w->columns : 0) *
                                   sizeof *w->block_column);
    const size_t ld = (size_t)padded(w->columns), rows = (size_t)padded(s->batch),
                 n_states = (size_t)states_of(s), fields = (size_t)fields_of(s);
    const int64_t n_block = feature_count(&windows->features, windows->n_block);
    w->index = arena_take(&w->memory, (size_t)s->batch * sizeof *w->index);
    w->blocks = arena_doubles(&w->memory, (size_t)n_block * ld);
    w->environments = arena_doubles(
        &w->memory, (size_t)feature_count(&windows->features, windows->n_environment) * rows);
    w->p = arena_doubles(&w->memory, fields * ld);
    w->q = arena_doubles(&w->memory, n_states * ld);
    w->derivative = arena_doubles(&w->memory, n_states * ld);
    w->field_gradient = arena_doubles(&w->memory, (fields + 1) * ld);
    w->gradient = arena_doubles(&w->memory, (size_t)lambda_size(s, windows));
    w->bias = arena_doubles(&w->memory, fields);
    w->filters = arena_doubles(&w->memory, s->tied ? fields * (size_t)n_block : 0);
    w->filters_gradient = arena_doubles(&w->memory, s->tied ? fields * (size_t)(n_block + 1) : 0);
    take_objective(w);
    if (w->memory.failed)
        return RSMI_NO_MEMORY;
    if (needs_theta(s))
        theta_prepare(!enumerated, &w->theta);
    if (by_pairs(s))
        prepare_pairs(w);
    if (enumerated) {
        all_blocks(&windows->features, windows->n_block, w->blocks);
        theta_set_blocks(&w->theta, w->columns, w->blocks);
    }
    return RSMI_OK;
}

static double pairs_step(workspace *w)
{
    const lambda_settings *s = w->settings;
    proxy_columns *pairs = &w->pairs;
    if (s->distinct_blocks)
        for (int64_t i = 0; i < s->batch; i++)
            pairs->own[i] = w->block_column[block_state(w->windows, w->index[i])];
    else
        theta_set_blocks(&w->theta, w->columns, w->blocks);
    theta_set_environments(&w->theta, s->batch, w->environments);
    theta_pair_energies(&w->theta, 0, s->batch, s->batch, w->columns, pairs->energies);
    return (s->objective == LAMBDA_PAIRS ? proxy_objective : log_sum_objective)(
        states_of(s), w->q, pairs, w->derivative);
}

static double enumerate_step(workspace *w)
{
    const int64_t n = w->settings->batch;
    theta_set_environments(&w->theta, n, w->environments);
    enumeration_reset(&w->enumerated);
    for (int64_t first = 0; first < n; first += w->slice) {
        const int64_t rows = n - first < w->slice ? n - first : w->slice;
        theta_pair_energies(&w->theta, first, rows, n, w->columns, w->energies);
        normalize_rows(rows, w->columns, w->energies);
        enumeration_add(&w->enumerated, rows, w->energies, w->q);
    }
    return enumeration_finish(&w->enumerated);
}

/* The objective as a function of the filters and of the bias of blocks that are not centred, with
 * its gradient in these. */
static double evaluate_uncentred(workspace *w, lambda_state *state)
{
    const lambda_settings *s = w->settings;
    const window_table *windows = w->windows;
    const int64_t n = s->batch, filters = lambda_filters(s) * lambda_filter_length(s, windows),
                  own = filters + lambda_filters(s);
    const channel c = {fields_of(s), feature_count(&windows->features, windows->n_block),
                       s->tied ? w->filters : state->parameters, w->bias, s->states > 0};
    const double *derivative = w->derivative;
    double value;
    gather_features(&windows->features, n, windows->n_environment, windows->environments, w->index,
                    w->environments);
    if (!has_table(s))
        gather_features(&windows->features, n, windows->n_block, windows->blocks, w->index,
                        w->blocks);
    if (s->tied)
        expand_ties(&windows->features, windows->n_block, state->parameters, w->filters);
    channel_probabilities(&c, w->columns, w->blocks, w->p, w->q);
    if (s->objective == LAMBDA_CHAINS) {
        theta_set_environments(&w->theta, n, w->environments);
        return chains_objective(&c, &w->theta, n, w->blocks, w->p, w->q, &w->chains, state->chains,
                                state->rng, w->derivative, w->field_gradient, w->gradient,
                                w->gradient + filters);
    }
    if (s->objective == LAMBDA_DECODER) {
        decoder_forward(&w->decoder, state->parameters + own, n, w->environments,
                        &w->decoder_space);
        value = decoder_objective(&w->decoder, state->parameters + own, n, w->environments, w->q,
                                  &w->decoder_space, w->gradient + own, w->derivative);
    } else if (s->objective == LAMBDA_ENUMERATE) {
        value = enumerate_step(w);
        derivative = w->enumerated.derivative;
    } else if (s->objective == LAMBDA_GAUSSIAN) {
        value = gaussian_objective(w->windows, (int64_t)1 << s->n_hidden, n, w->blocks,
                                   w->environments, w->q, &w->gaussian, w->derivative);
    } else {
        value = pairs_step(w);
    }
    double *of_filters = s->tied ? w->filters_gradient : w->gradient,
           *of_bias = of_filters + c.n_hidden * c.n_block;
    channel_gradient(&c, w->columns, w->blocks, w->p, w->q, derivative, w->field_gradient,
                     of_filters, of_bias);
    if (s->tied)
        contract_ties(&windows->features, windows->n_block, of_filters, w->gradient);
    return value;
}

/* Objective and gradient at the minibatch w->index. The chain rule through bias' = bias - filters
 * mean centres the gradient. */
static double evaluate(workspace *w, lambda_state *state)
{
    const int64_t n_hidden = lambda_filters(w->settings),
                  n_block = lambda_filter_length(w->settings, w->windows);
    const double *mean = w->windows->block_mean, *bias = state->parameters + n_hidden * n_block;
    memcpy(w->bias, bias, (size_t)n_hidden * sizeof *bias);
    for (int64_t j = 0; j < n_hidden && mean; j++)
        for (int64_t i = 0; i < n_block; i++)
            w->bias[j] -= state->parameters[j * n_block + i] * mean[i];
    const double value = evaluate_uncentred(w, state);
    for (int64_t j = 0; j < n_hidden && mean; j++)
        for (int64_t i = 0; i < n_block; i++)
            w->gradient[j * n_block + i] -= w->gradient[n_hidden * n_block + j] * mean[i];
    return value;
}

/* Moves the parameters first .. first + n - 1 uphill. */
static void ascend(const workspace *w, lambda_state *state, int64_t first, int64_t n, double rate)
{
    const double factor = rate * schedule_factor(*state->step, w->settings->total_steps);
    if (w->settings->adam)
        adam_ascend(n, *state->step, factor, w->gradient + first, state->first_moment + first,
                    state->second_moment + first, state->parameters + first);
    else
        for (int64_t i = first; i < first + n; i++)
            state->parameters[i] += factor * w->gradient[i];
}

static int all_finite(int64_t n, const double *x)
{
    int finite = 1;
    for (int64_t i = 0; i < n; i++)
        finite &= isfinite(x[i]) != 0;
    return finite;
}

static int train_step(workspace *w, lambda_state *state, double *value)
{
    const lambda_settings *s = w->settings;
    const int64_t filters = lambda_filters(s),
                  own = filters * (lambda_filter_length(s, w->windows) + 1),
                  size = lambda_size(s, w->windows);
    draw_indices(state->rng, w->windows->n_windows, s->batch, w->index);
    *value = evaluate(w, state);
    if (!s->free_bias)
        memset(w->gradient + own - filters, 0, (size_t)filters * sizeof(double));
    ascend(w, state, 0, own, s->learning_rate);
    ascend(w, state, own, size - own, s->decoder_learning_rate);
    ++*state->step;
    return isfinite(*value) && all_finite(size, state->parameters) ? RSMI_OK : RSMI_DIVERGED;
}

int lambda_train(const window_table *windows, const lambda_settings *s, lambda_state *state,
                 int64_t epochs, double *objective, double *filters, double *bias)
{
    const int64_t biases = lambda_filters(s), n_filters = biases * lambda_filter_length(s, windows);
    workspace w = {0};
    int status = open_workspace(windows, s, &w);
    for (int64_t epoch = 0; epoch < epochs && status == RSMI_OK; epoch++) {
        int64_t steps = s->total_steps - *state->step;
        steps = steps < s->steps_per_epoch ? steps : s->steps_per_epoch;
        double sum = 0.0, value = 0.0;
        for (int64_t step = 0; step < steps && status == RSMI_OK; step++) {
            status = train_step(&w, state, &value);
            sum += value;
        }
        objective[epoch] = sum / (double)steps;
        memcpy(filters + epoch * n_filters, state->parameters, (size_t)n_filters * sizeof(double));
        memcpy(bias + epoch * biases, state->parameters + n_filters,
               (size_t)biases * sizeof(double));
    }
    arena_free(&w.memory);
    return status;
}

int lambda_evaluate(const window_table *windows, const lambda_settings *s, lambda_state *state,
                    double *value, double *gradient)
{
    workspace w = {0};
    const int status =
        windows->n_windows == s->batch ? open_workspace(windows, s, &w) : RSMI_BAD_SHAPE;
    if (status == RSMI_OK) {
        for (int64_t i = 0; i < s->batch; i++)
            w.index[i] = i;
        *value = evaluate(&w, state);
        memcpy(gradient, w.gradient, (size_t)lambda_size(s, windows) * sizeof(double));
    }
    arena_free(&w.memory);
    return status;
}
