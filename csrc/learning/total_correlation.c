/* Correlation explanation of binary variables.
 *
 * Coarse variables y_j of a block v maximise sum_j [sum_i alpha_ji I(v_i:y_j) - I(v:y_j)]. This is
 * a lower bound of the total correlation TC(v) = sum_i H(v_i) - H(v) if every site counts for one
 * unit. At the maximum, with the marginals p(y_j) and p(v_i|y_j) of p(v) p(y_j|v),
 *
 *     log p(y_j|v) = log p(y_j) + sum_i alpha_ji log[p(v_i|y_j) / p(v_i)] - log Z_j(v),
 *     TC_j = <log Z_j>,
 *
 * and the iteration of this map climbs. Both numerators are linear in v = +-1; call them a_y(v).
 * With x_j = a_1 - a_0 the rule is p(y_j = 1|v) = 1 / (1 + exp(-x_j)), with filters and bias like
 * any other, and <log Z_j> = <a_0> + <log(1 + exp x_j)>, where <a_0> needs only the means of the
 * sites. So one iteration is one pass over the states, O(n sites units), for P(v_i = 1, y_j = 1)
 * and <log(1 + exp x_j)>.
 *
 * Units compete by a softmax of their normalised informations, alpha_ji = exp{t_ji [I(v_i:y_j) -
 * max_k I(v_i:y_k)] / H(v_i)}, t_ji = 1 + T_i |TC_j|. T_i starts at 20 and grows by 1.3 wherever
 * the alphas of a site have a sum above 1.1, until each site has its unit.
 *
 * Memory. The pass costs a quarter of two matrix products: four binary sites have only 16 states,
 * so the fields are sums of rows of a table (16 entries per group of four sites). The moments are
 * collected in the same layout, one row per group and state, and the sums of the sites follow from
 * them at the end. Rows are lanes of eight units.
 *
 * References: G. Ver Steeg, A. Galstyan, NIPS 27, 577 (2014) and AISTATS 2015, PMLR 38, 1004; R. J.
 * Gallagher, K. Reing, D. Kale, G. Ver Steeg, TACL 5, 529 (2017), for the growth of T_i; Arlazarov
 * et al. (1970) for tables. */
#include "learning/total_correlation.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "base/arena.h"
#include "base/compiler.h"
#include "base/elementary.h"
#include "base/functions.h"
#include "base/status.h"

enum { LANES = 8, TILE = 4, GROUP = 4, GROUP_STATES = 1 << GROUP };

static const double GROWTH = 1.3, UNSETTLED = 1.1, SHARPEST = 1e12, NOTHING = 1e-9;

typedef struct {
    int64_t groups;         /* number of groups of four sites; a byte holds two */
    lanes8 *fields, *joint; /* (groups, 16), of the eight units in work: their fields; sums of
                               weight x p(y = 1|v) */
    double *up, *softplus;  /* (units, sites): P(v_i = 1, y_j = 1); (units,): <log(1 + exp x_j)>;
                               units padded to eight */
    double *hidden;         /* (units,): P(y_j = 1) */
    double *information;    /* (n_hidden, n_sites): I(v_i:y_j) */
} workspace;

static int64_t padded_units(int64_t n_hidden)
{
    return (n_hidden + LANES - 1) / LANES * LANES;
}

/* ---- the pass over the states ---- */

/* Row `state` of group g is the sum over its four sites of filter times +-1; the first group also
 * has the biases. */
static void tabulate_fields(const block_table *t, const explanation *e, int64_t first, workspace *w)
{
    const int64_t count = e->n_hidden - first < LANES ? e->n_hidden - first : LANES;
    for (int64_t g = 0; g < w->groups; g++) {
        lanes8 site[GROUP] = {{0}}, *row = w->fields + g * GROUP_STATES;
        for (int64_t k = 0; k < GROUP && g * GROUP + k < t->n_sites; k++)
            for (int64_t j = 0; j < count; j++)
                site[k][j] = e->filters[(first + j) * t->n_sites + g * GROUP + k];
        row[0] = -site[0] - site[1] - site[2] - site[3];
        for (int64_t j = 0; j < count && g == 0; j++)
            row[0][j] += e->bias[first + j];
        for (int k = 0; k < GROUP; k++)
            for (int state = 0; state < 1 << k; state++)
                row[state | 1 << k] = row[state] + 2.0 * site[k];
    }
}

/* Visits TILE states at once. Adds p(y = 1|v) times the weight to the joint sums, and softplus(x)
 * times the weight to *softplus. */
RSMI_INLINE void visit_states(int64_t groups, const uint8_t *blocks, const double *weights,
                              const lanes8 *fields, lanes8 *joint, lanes8 *softplus)
{
    const int64_t bytes = groups / 2;
    lanes8 x[TILE] = {{0}};
    for (int64_t b = 0; b < bytes; b++) {
        const lanes8 *low = fields + 2 * b * GROUP_STATES, *high = low + GROUP_STATES;
        for (int s = 0; s < TILE; s++)
            x[s] += low[blocks[s * bytes + b] & 15] + high[blocks[s * bytes + b] >> 4];
    }
    for (int s = 0; s < TILE; s++) {
        lanes8 positive = x[s], magnitude = x[s], small;
        const bits8 is_positive = x[s] > 0.0;
        select_lanes(&is_positive, &positive, 0.0);
        absolute_value(&magnitude);
        small = -magnitude;
        exponential(&small);
        lanes8 q = 1.0 / (1.0 + small); /* for |x| */
        const lanes8 mirrored = small * q;
        const bits8 chosen =
            (*(bits8 *)&q & is_positive) | (*(const bits8 *)&mirrored & ~is_positive);
        log_one_plus(&small);
        *softplus += weights[s] * (positive + small);
        x[s] = weights[s] * *(const lanes8 *)&chosen;
    }
    for (int64_t b = 0; b < bytes; b++) {
        lanes8 *low = joint + 2 * b * GROUP_STATES, *high = low + GROUP_STATES;
        for (int s = 0; s < TILE; s++) {
            low[blocks[s * bytes + b] & 15] += x[s];
            high[blocks[s * bytes + b] >> 4] += x[s];
        }
    }
}

RSMI_CLONES
static void visit_all(const block_table *t, int64_t groups, const uint8_t *rest,
                      const double *rest_weights, const lanes8 *fields, lanes8 *joint,
                      lanes8 *softplus)
{
    const int64_t bytes = groups / 2, whole = t->n_states / TILE * TILE;
    for (int64_t s = 0; s < whole; s += TILE)
        visit_states(groups, t->blocks + s * bytes, t->weights + s, fields, joint, softplus);
    visit_states(groups, rest, rest_weights, fields, joint, softplus);
}

/* Sums over the states of a group with a site up, for the units first .. first + 7. */
static void read_moments(const block_table *t, int64_t first, const lanes8 *softplus, workspace *w)
{
    for (int64_t i = 0; i < t->n_sites; i++) {
        lanes8 sum = {0};
        for (int state = 0; state < GROUP_STATES; state++)
            if (state >> (i % GROUP) & 1)
                sum += w->joint[i / GROUP * GROUP_STATES + state];
        for (int64_t j = 0; j < LANES; j++)
            w->up[(first + j) * t->n_sites + i] = sum[j];
    }
    lanes8 all = {0};
    for (int state = 0; state < GROUP_STATES; state++)
        all += w->joint[state];
    for (int64_t j = 0; j < LANES; j++) {
        w->hidden[first + j] = all[j];
        w->softplus[first + j] = (*softplus)[j];
    }
}

/* Measures the moments of all units. The last states, fewer than a tile, are completed by states
 * without weight. */
static void measure(const block_table *t, const explanation *e, const uint8_t *rest,
                    const double *rest_weights, workspace *w)
{
    for (int64_t first = 0; first < e->n_hidden; first += LANES) {
        lanes8 softplus = {0};
        tabulate_fields(t, e, first, w);
        memset(w->joint, 0, (size_t)(w->groups * GROUP_STATES) * sizeof *w->joint);
        visit_all(t, w->groups, rest, rest_weights, w->fields, w->joint, &softplus);
        read_moments(t, first, &softplus, w);
    }
}

/* ---- the update ---- */

static double clip(double p, double least)
{
    return p < least ? least : p > 1.0 - least ? 1.0 - least : p;
}

static double binary_entropy(double p)
{
    const double rarer = p < 0.5 ? p : 1.0 - p, other = 1.0 - rarer;
    return rarer > 0.0 ? other * log_one_plus_of(rarer / other) - rarer * log_of(rarer) : 0.0;
}

/* The smallest probability, a hundredth of a count: it keeps all filters finite. */
static double least_probability(const block_table *t)
{
    return fmax(0.01 / t->n_samples, 1e-12);
}

/* P(v_i = 1) and, for one unit, P(y = 1), P(v_i = 1|y = 1) and P(v_i = 1|y = 0). */
typedef struct {
    double up, hidden, given_one, given_zero;
} marginals;

static marginals marginals_of(const block_table *t, const workspace *w, int64_t j, int64_t i)
{
    const double least = least_probability(t);
    double up = t->up[i], hidden = w->hidden[j], both = w->up[j * t->n_sites + i];
    if (t->symmetric) {
        both +=
            0.5 *
            (1.0 - up -
             hidden); /* the mean with E[(1 - q) (v_i = -1)], which belongs to the flipped states */
        up = hidden = 0.5;
    }
    const double one = clip(hidden, least);
    return (marginals){up, one, clip(both / one, least), clip((up - both) / (1.0 - one), least)};
}

static double information_of(marginals p, double n_samples)
{
    const double plain = binary_entropy(p.up) - p.hidden * binary_entropy(p.given_one) -
                         (1.0 - p.hidden) * binary_entropy(p.given_zero);
    return fmax(plain - 0.5 / n_samples,
                0.0); /* minus the leading bias of an estimate from counts: Miller (1955) */
}

/* Computes alpha from the informations I(v_i:y_j) of one site. */
static void compete(const block_table *t, explanation *e, const workspace *w, int64_t i)
{
    const double up = t->symmetric ? 0.5 : t->up[i], entropy = fmax(binary_entropy(up), DBL_MIN);
    double best = 0.0, sum = 0.0;
    for (int64_t j = 0; j < e->n_hidden; j++) {
        best = fmax(best, w->information[j * t->n_sites + i]);
        if (e->explained[j] > fmax(1.0 / t->n_samples, NOTHING))
            sum += e->alpha[j * t->n_sites + i];
    }
    if (sum > UNSETTLED)
        e->sharpness[i] = fmin(GROWTH * e->sharpness[i], SHARPEST);
    for (int64_t j = 0; j < e->n_hidden; j++) {
        const double sharpness = 1.0 + e->sharpness[i] * fabs(e->explained[j]);
        e->alpha[j * t->n_sites + i] =
            exp_of(sharpness * (w->information[j * t->n_sites + i] - best) / entropy);
    }
}

/* Computes the filters, the bias and <a_0> of unit j from its marginals. */
static void renew_rule(const block_table *t, explanation *e, const workspace *w, int64_t j)
{
    double *filters = e->filters + j * t->n_sites, bias = 0.0, base = 0.0;
    for (int64_t i = 0; i < t->n_sites; i++) {
        const marginals p = marginals_of(t, w, j, i);
        const double alpha = e->alpha[j * t->n_sites + i], least = least_probability(t),
                     up = clip(p.up, least);
        const double one_up = log_of(p.given_one / up),
                     one_down = log_of((1.0 - p.given_one) / (1.0 - up));
        const double zero_up = log_of(p.given_zero / up),
                     zero_down = log_of((1.0 - p.given_zero) / (1.0 - up));
        filters[i] = 0.5 * alpha * (one_up - one_down - zero_up + zero_down);
        bias += 0.5 * alpha * (one_up + one_down - zero_up - zero_down);
        base += alpha * (t->up[i] * zero_up + (1.0 - t->up[i]) * zero_down);
    }
    const double hidden = marginals_of(t, w, j, 0).hidden;
    e->bias[j] = t->symmetric ? 0.0 : bias + log_of(hidden / (1.0 - hidden));
    e->base[j] = base + log_of(1.0 - hidden);
}

static void update(const block_table *t, explanation *e, workspace *w)
{
    const int is_start =
        e->iteration++ ==
        0; /* the filters are random and no fixed point, so that alpha stays random too */
    for (int64_t j = 0; j < e->n_hidden; j++) {
        e->explained[j] = is_start ? 0.0 : e->base[j] + w->softplus[j];
        for (int64_t i = 0; i < t->n_sites; i++)
            w->information[j * t->n_sites + i] =
                information_of(marginals_of(t, w, j, i), t->n_samples);
    }
    for (int64_t i = 0; i < t->n_sites && e->n_hidden > 1 && !is_start; i++)
        compete(t, e, w, i);
    for (int64_t j = 0; j < e->n_hidden; j++)
        renew_rule(t, e, w, j);
}

int explain_total_correlation(const block_table *t, int64_t iterations, explanation *e)
{
    if (t->n_states < 1 || t->n_sites < 1 || e->n_hidden < 1)
        return RSMI_BAD_SHAPE;
    const int64_t bytes = (t->n_sites + 7) / 8, units = padded_units(e->n_hidden),
                  left = t->n_states % TILE, rows = 2 * bytes * GROUP_STATES;
    arena memory = {0};
    workspace w = {2 * bytes,
                   arena_take(&memory, (size_t)rows * sizeof(lanes8)),
                   arena_take(&memory, (size_t)rows * sizeof(lanes8)),
                   arena_doubles(&memory, (size_t)(units * t->n_sites)),
                   arena_doubles(&memory, (size_t)units),
                   arena_doubles(&memory, (size_t)units),
                   arena_doubles(&memory, (size_t)(units * t->n_sites))};
    uint8_t *rest = arena_take(&memory, (size_t)(TILE * bytes));
    double *rest_weights = arena_doubles(&memory, TILE);
    if (memory.failed) {
        arena_free(&memory);
        return RSMI_NO_MEMORY;
    }
    memcpy(rest, t->blocks + (t->n_states - left) * bytes, (size_t)(left * bytes));
    memcpy(rest_weights, t->weights + t->n_states - left, (size_t)left * sizeof *rest_weights);
    for (int64_t k = 0; k < iterations; k++) {
        measure(t, e, rest, rest_weights, &w);
        update(t, e, &w);
    }
    arena_free(&memory);
    return RSMI_OK;
}
