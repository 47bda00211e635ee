/* A variational lower bound of the mutual information.
 *
 * For any distribution r(h|e), I(H:E) >= H(H) + <sum_h q(h|v) log r(h|e)>, with equality at r =
 * P(h|e). No model of the microscopic system is needed, and evaluated on held-out windows the bound
 * is certified up to sampling noise. With R(h) = <r(h|e)> the bound
 *
 *     A = <sum_h q(h|v) log [r(h|e) / R(h)]>,
 *     I - A = <KL(P(.|e) || r(.|e))> - KL(<P(.|e)> || R) >= 0 (since KL is convex),
 *
 * is tighter by KL(H || R), and this is what training climbs. The entropy of the mean q of a
 * minibatch, which is too small wherever there are many states h, does not enter; with it eight
 * units would rather agree than take eight spins. A is linear in q: dA/dq(h|v_s) = [log r(h|e_s) -
 * log R(h)] / n. The decoder itself climbs its likelihood, whose gradient in the logits is
 * [q(h|v_s) - r(h|e_s)] / n and whose maximum over all r is that of A as well.
 *
 * r is the conditional distribution of interacting spins in a field that is linear in the
 * environment,
 *
 *     log r(h|e) = sum_j (2 h_j - 1) (field e)_j + offset(h)
 *                + output(h) tanh(input e + input_bias) - log Z(e),
 *
 * where the tanh units are optional. A softmax with free linear functions for all 2^n_hidden states
 * has no smaller distance from P(h|e) on the Ising model, but many more parameters to fit. It is
 * the form for one hidden unit with several states, whose linear functions may be tied to the
 * symmetry of the states (features.c). If the mean of the environment is not zero it is subtracted
 * from e: otherwise the step of every weight would also be a step of the offset.
 *
 * Memory: batch-last layout (dense.c), double precision.
 *
 * Reference: D. Barber, F. Agakov, NIPS 16, 201 (2003). */
#include "learning/decoder.h"

#include <float.h>
#include <math.h>

#include "base/adam.h"
#include "base/compiler.h"
#include "base/dense.h"
#include "base/elementary.h"
#include "base/functions.h"
#include "base/random.h"
#include "base/status.h"
#include "learning/channel.h"

typedef struct {
    int64_t field, offset, output, input, input_bias, size;
} layout;

/* The number of states of all hidden units together. */
static int64_t states_of(const decoder_shape *shape)
{
    return shape->states ? shape->states : (int64_t)1 << shape->n_hidden;
}

/* The number of linear fields: one for each unit, or for each state of the only unit. */
static int64_t fields_of(const decoder_shape *shape)
{
    return shape->states ? shape->states : shape->n_hidden;
}

/* The number of variables of an environment. */
static int64_t sites_of(const decoder_shape *shape)
{
    return shape->features.values ? shape->n_environment / shape->features.width
                                  : shape->n_environment;
}

/* The layout of the parameters of a decoder that is not tied. */
static layout parameter_layout(const decoder_shape *shape)
{
    const int64_t e = shape->n_environment, u = shape->n_units, s = states_of(shape);
    layout l = {0};
    l.offset = fields_of(shape) * e;
    l.output = l.offset + s;
    l.input = l.output + s * u;
    l.input_bias = l.input + u * e;
    l.size = l.input_bias + u;
    return l;
}

int64_t decoder_size(const decoder_shape *shape)
{
    return shape->tied ? sites_of(shape) : parameter_layout(shape).size;
}

void decoder_take(arena *a, const decoder_shape *shape, int64_t batch, decoder_workspace *w)
{
    const size_t ld = (size_t)padded(batch), hidden = (size_t)fields_of(shape),
                 states = (size_t)states_of(shape), units = (size_t)shape->n_units,
                 tied = shape->tied ? (size_t)parameter_layout(shape).size : 0;
    w->signs = arena_doubles(a, states * hidden);
    w->transposed_signs = arena_doubles(a, states * hidden);
    w->fields = arena_doubles(a, hidden * ld);
    w->log_r = arena_doubles(a, states * ld);
    w->delta = arena_doubles(a, states * ld);
    w->units = arena_doubles(a, units * ld);
    w->unit_delta = arena_doubles(a, units * ld);
    w->transposed = arena_doubles(a, units * states);
    w->mean = arena_doubles(a, states);
    w->free = arena_doubles(a, tied);
    w->free_gradient = arena_doubles(a, tied);
    for (size_t h = 0; h < states && !a->failed; h++)
        for (size_t j = 0; j < hidden; j++) {
            const double sign = h >> j & 1 ? 1.0 : -1.0, own = h == j ? 1.0 : 0.0;
            w->signs[h * hidden + j] = w->transposed_signs[j * states + h] =
                shape->states ? own : sign;
        }
}

RSMI_CLONES
static void apply_tanh(int64_t n, double *x)
{
    for (int64_t i = 0; i < n; i += 8)
        hyperbolic_tangent((lanes8 *)(x + i));
}

/* Turns logits into the log softmax over the states, sample by sample. */
RSMI_CLONES
static void log_softmax(int64_t n_states, int64_t n, double *logits)
{
    const int64_t ld = padded(n);
    for (int64_t s = 0; s < ld; s += 8) {
        double *column = logits + s;
        lanes8 largest = *(lanes8 *)column, sum = {0};
        for (int64_t h = 1; h < n_states; h++)
            for (int i = 0; i < 8; i++)
                largest[i] = column[h * ld + i] > largest[i] ? column[h * ld + i] : largest[i];
        for (int64_t h = 0; h < n_states; h++) {
            lanes8 x = *(lanes8 *)(column + h * ld) - largest;
            exponential(&x);
            sum += x;
        }
        logarithm(&sum);
        largest += sum;
        for (int64_t h = 0; h < n_states; h++)
            *(lanes8 *)(column + h * ld) -= largest;
    }
}

/* start (units, n) = bias - weights mean: the value of units of the weights (units, n_environment)
 * if e is zero before it is centred. */
static void centre_rows(const decoder_shape *shape, int64_t units, int64_t n, const double *weights,
                        const double *bias, double *start)
{
    const int64_t e = shape->n_environment, ld = padded(n);
    for (int64_t u = 0; u < units; u++) {
        double value = bias ? bias[u] : 0.0;
        for (int64_t i = 0; i < e && shape->environment_mean; i++)
            value -= weights[u * e + i] * shape->environment_mean[i];
        for (int64_t s = 0; s < ld; s++)
            start[u * ld + s] = value;
    }
}

/* The gradient of weights (units, n_environment) from the gradient of the units (units, n). */
static void weight_gradient(const decoder_shape *shape, int64_t units, int64_t n,
                            const double *delta, const double *environments, double *gradient)
{
    const int64_t e = shape->n_environment;
    multiply_transposed(units, e, n, delta, environments, gradient);
    for (int64_t u = 0; u < units && shape->environment_mean; u++) {
        const double sum = lane_sum(n, delta + u * padded(n));
        for (int64_t i = 0; i < e; i++)
            gradient[u * e + i] -= sum * shape->environment_mean[i];
    }
}

void decoder_forward(const decoder_shape *shape, const double *parameters, int64_t n,
                     const double *environments, decoder_workspace *w)
{
    const layout l = parameter_layout(shape);
    const int64_t hidden = fields_of(shape), states = states_of(shape);
    if (shape->tied) { /* the offsets stay zero */
        expand_ties(&shape->features, sites_of(shape), parameters, w->free);
        parameters = w->free;
    }
    centre_rows(shape, hidden, n, parameters + l.field, NULL, w->fields);
    multiply_add(hidden, shape->n_environment, n, parameters + l.field, shape->n_environment,
                 environments, w->fields);
    fill_rows(states, n, parameters + l.offset, w->log_r);
    multiply_add(states, hidden, n, w->signs, hidden, w->fields, w->log_r);
    if (shape->n_units > 0) {
        centre_rows(shape, shape->n_units, n, parameters + l.input, parameters + l.input_bias,
                    w->units);
        multiply_add(shape->n_units, shape->n_environment, n, parameters + l.input,
                     shape->n_environment, environments, w->units);
        apply_tanh(shape->n_units * padded(n), w->units);
        multiply_add(states, shape->n_units, n, parameters + l.output, shape->n_units, w->units,
                     w->log_r);
    }
    log_softmax(states, n, w->log_r);
}

/* delta = (q - r) / n, zero in the padding; mean = the average of r over the batch. */
RSMI_CLONES
static void logit_gradient(int64_t n_states, int64_t n, const double *q, const double *log_r,
                           double *delta, double *mean)
{
    const int64_t ld = padded(n);
    for (int64_t h = 0; h < n_states; h++) {
        double *row = delta + h * ld;
        const double *target = q + h * ld;
        for (int64_t s = 0; s < ld; s += 8) {
            lanes8 r = *(const lanes8 *)(log_r + h * ld + s);
            exponential(&r);
            *(lanes8 *)(row + s) = r;
        }
        mean[h] = lane_sum(n, row) / (double)n;
        for (int64_t s = 0; s < n; s++)
            row[s] = (target[s] - row[s]) * (1.0 / (double)n);
        for (int64_t s = n; s < ld; s++)
            row[s] = 0.0;
    }
}

static void unit_gradient(const decoder_shape *shape, const double *parameters, const layout *l,
                          int64_t n, const double *environments, decoder_workspace *w,
                          double *gradient)
{
    const int64_t ld = padded(n), units = shape->n_units, states = states_of(shape);
    multiply_transposed(states, units, n, w->delta, w->units, gradient + l->output);
    for (int64_t h = 0; h < states; h++)
        for (int64_t u = 0; u < units; u++)
            w->transposed[u * states + h] = parameters[l->output + h * units + u];
    memset(w->unit_delta, 0, (size_t)(units * ld) * sizeof(double));
    multiply_add(units, states, n, w->transposed, states, w->delta, w->unit_delta);
    for (int64_t i = 0; i < units * ld; i++)
        w->unit_delta[i] *= 1.0 - w->units[i] * w->units[i];
    for (int64_t u = 0; u < units; u++)
        gradient[l->input_bias + u] = lane_sum(n, w->unit_delta + u * ld);
    weight_gradient(shape, units, n, w->unit_delta, environments, gradient + l->input);
}

/* The gradient of the log-likelihood in all parameters of a decoder that is not tied. */
static void likelihood_gradient(const decoder_shape *shape, const double *parameters, int64_t n,
                                const double *environments, const double *q, decoder_workspace *w,
                                double *gradient)
{
    const layout l = parameter_layout(shape);
    const int64_t ld = padded(n), hidden = fields_of(shape), states = states_of(shape);
    logit_gradient(states, n, q, w->log_r, w->delta, w->mean);
    memset(w->fields, 0, (size_t)(hidden * ld) * sizeof(double));
    multiply_add(hidden, states, n, w->transposed_signs, states, w->delta, w->fields);
    weight_gradient(shape, hidden, n, w->fields, environments, gradient + l.field);
    for (int64_t h = 0; h < states; h++)
        gradient[l.offset + h] = lane_sum(n, w->delta + h * ld);
    if (shape->n_units > 0)
        unit_gradient(shape, parameters, &l, n, environments, w, gradient);
}

/* The same in the parameters of any decoder. */
static void decoder_gradient(const decoder_shape *shape, const double *parameters, int64_t n,
                             const double *environments, const double *q, decoder_workspace *w,
                             double *gradient)
{
    likelihood_gradient(shape, parameters, n, environments, q, w,
                        shape->tied ? w->free_gradient : gradient);
    if (shape->tied)
        contract_ties(&shape->features, sites_of(shape), w->free_gradient, gradient);
}

double decoder_objective(const decoder_shape *shape, const double *parameters, int64_t n,
                         const double *environments, const double *q, decoder_workspace *w,
                         double *gradient, double *derivative)
{
    const int64_t ld = padded(n), states = states_of(shape);
    decoder_gradient(shape, parameters, n, environments, q, w, gradient);
    double value = 0.0;
    for (int64_t h = 0; h < states; h++) {
        const double log_mean = log_of(w->mean[h] + DBL_MIN);
        for (int64_t s = 0; s < n; s++) {
            const double ratio = (w->log_r[h * ld + s] - log_mean) / (double)n;
            value += q[h * ld + s] * ratio;
            if (derivative)
                derivative[h * ld + s] = ratio;
        }
        for (int64_t s = n; derivative && s < ld; s++)
            derivative[h * ld + s] = 0.0;
    }
    return value;
}

int decoder_log_probabilities(const decoder_shape *shape, const double *parameters,
                              int64_t n_windows, const int8_t *environments, double *log_r)
{
    enum { CHUNK = 512 };
    const int64_t states = states_of(shape);
    int64_t index[CHUNK];
    arena a = {0};
    decoder_workspace w;
    decoder_take(&a, shape, CHUNK, &w);
    double *spins = arena_doubles(&a, (size_t)(shape->n_environment * padded(CHUNK)));
    for (int64_t first = 0; first < n_windows && !a.failed; first += CHUNK) {
        const int64_t n = n_windows - first < CHUNK ? n_windows - first : CHUNK;
        for (int64_t s = 0; s < n; s++)
            index[s] = first + s;
        gather_features(&shape->features, n, sites_of(shape), environments, index, spins);
        decoder_forward(shape, parameters, n, spins, &w);
        for (int64_t s = 0; s < n; s++)
            for (int64_t h = 0; h < states; h++)
                log_r[(first + s) * states + h] = w.log_r[h * padded(n) + s];
    }
    const int status = a.failed ? RSMI_NO_MEMORY : RSMI_OK;
    arena_free(&a);
    return status;
}

/* Gathers the targets of the windows `index`, batch-last. */
static void gather_targets(int64_t n, int64_t n_states, const double *q, const int64_t *index,
                           double *out)
{
    enum { TOGETHER = 32 }; /* windows, which fill whole cache lines of `out` */
    const int64_t ld = padded(n);
    for (int64_t first = 0; first < n; first += TOGETHER)
        for (int64_t h = 0; h < n_states; h++)
            for (int64_t s = first; s < n && s < first + TOGETHER; s++)
                out[h * ld + s] = q[index[s] * n_states + h];
}

int decoder_fit(const decoder_shape *shape, const decoder_schedule *schedule, int64_t n_windows,
                const int8_t *environments, const double *q, uint64_t rng[4], double *parameters)
{
    const size_t batch = (size_t)schedule->batch, ld = (size_t)padded(schedule->batch),
                 size = (size_t)decoder_size(shape), states = (size_t)states_of(shape);
    const int64_t averaged = schedule->steps / 2;
    arena a = {0};
    decoder_workspace w;
    decoder_take(&a, shape, schedule->batch, &w);
    double *spins = arena_doubles(&a, (size_t)shape->n_environment * ld),
           *target = arena_doubles(&a, states * ld);
    double *gradient = arena_doubles(&a, size), *moments = arena_doubles(&a, 2 * size),
           *sum = arena_doubles(&a, size);
    int64_t *index = arena_take(&a, batch * sizeof *index);
    int status = a.failed ? RSMI_NO_MEMORY : RSMI_OK;
    for (int64_t step = 0; step < schedule->steps && !a.failed; step++) {
        draw_indices(rng, n_windows, schedule->batch, index);
        gather_features(&shape->features, schedule->batch, sites_of(shape), environments, index,
                        spins);
        gather_targets(schedule->batch, (int64_t)states, q, index, target);
        decoder_forward(shape, parameters, schedule->batch, spins, &w);
        decoder_gradient(shape, parameters, schedule->batch, spins, target, &w, gradient);
        adam_ascend((int64_t)size, step,
                    schedule->learning_rate * schedule_factor(step, schedule->steps), gradient,
                    moments, moments + size, parameters);
        for (size_t i = 0; i < size && step >= schedule->steps - averaged; i++)
            sum[i] += parameters[i] / (double)averaged;
    }
    /* A parameter that is not finite stays so. */
    for (size_t i = 0; i < size && status == RSMI_OK; i++)
        if (!isfinite(parameters[i]))
            status = RSMI_DIVERGED;
    if (averaged > 0)
        memcpy(parameters, sum, size * sizeof(double));
    arena_free(&a);
    return status;
}
