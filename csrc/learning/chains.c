/* The first cumulant by Monte Carlo chains.
 *
 * A = mean_s sum_h q(h|v_s) <f(V, e_s)>_h, where <.>_h averages over V drawn from P_Theta(V)
 * q(h|V). For every h, M chains persist from step to step and sample that distribution by Gibbs
 * updates of single spins. The gradient has the two terms of eq. 15: the score of q(h|v_s) times
 * the average fbar_h(e_s) over the chains, and the covariance over the chains of f(V_m, e_s) with
 * the score of q(h|V_m). The sum over h is done exactly instead of by one draw. Because sum_h
 * q(h|v) (h - p) = 0, every term of the environment alone drops out of the first term (if h is
 * drawn, as in the paper, a baseline such as the mean of the batch has to do that). For the same
 * reason the value is taken relative to sum_h P_h fbar_h(e_s).
 *
 * Conditional of one spin. The marginal machine contributes sum_k log 2cosh(y_k + u_ki v_i), and
 * the channel log q_j = (2h_j - 1) x_j / 2 - log 2cosh(x_j / 2): this is one more kind of hidden
 * unit, with weight lambda / 2 and a minus sign. Both products of 1 + e^{-2|y|} (spin up, spin
 * down) are accumulated, and the ratio is taken once.
 *
 * Memory: the chains of one h lie on SIMD lanes, (site, chain) and (unit, chain).
 *
 * Reference: M. Koch-Janusz, Z. Ringel, Nature Physics 14, 578 (2018), eqs. 14 and 15. */
#include "learning/chains.h"

#include "base/compiler.h"
#include "base/dense.h"
#include "base/elementary.h"
#include "base/random.h"

void chains_take(arena *a, const theta_pair *theta, int64_t n_hidden, int64_t n_chains,
                 int64_t n_sweeps, int64_t batch, chain_workspace *w)
{
    const size_t ld = (size_t)padded(n_chains),
                 units = (size_t)(theta->n_marginal_hidden + n_hidden),
                 sites = (size_t)theta->n_block;
    w->n_chains = n_chains, w->n_sweeps = n_sweeps, w->n_units = (int64_t)units;
    w->spins = arena_doubles(a, sites * ld);
    w->weights = arena_doubles(a, sites * units);
    w->site_weights = arena_doubles(a, sites * units);
    w->unit_bias = arena_doubles(a, units);
    w->field = arena_doubles(a, units * ld);
    w->p = arena_doubles(a, (size_t)n_hidden * ld);
    w->q = arena_doubles(a, ((size_t)1 << n_hidden) * ld);
    w->field_gradient = arena_doubles(a, (size_t)n_hidden * ld);
    w->energies = arena_doubles(a, (size_t)batch * ld);
    w->covariance = arena_doubles(a, ld);
    w->filters_part = arena_doubles(a, (size_t)n_hidden * sites);
    w->bias_part = arena_doubles(a, (size_t)n_hidden);
}

/* Sets the units of the conditional: the hidden units of the marginal machine, then those of the
 * channel with half the weight. */
static void set_units(const theta_pair *t, const theta_fields *theta, const channel *c,
                      chain_workspace *w)
{
    const int64_t m = t->n_marginal_hidden, sites = t->n_block;
    memcpy(w->weights, theta->marginal_weights, (size_t)(m * sites) * sizeof(double));
    memcpy(w->unit_bias, t->marginal_hidden_bias, (size_t)m * sizeof(double));
    for (int64_t j = 0; j < c->n_hidden; j++) {
        w->unit_bias[m + j] = 0.5 * c->bias[j];
        for (int64_t i = 0; i < sites; i++)
            w->weights[(m + j) * sites + i] = 0.5 * c->filters[j * sites + i];
    }
    for (int64_t k = 0; k < w->n_units; k++)
        for (int64_t i = 0; i < sites; i++)
            w->site_weights[i * w->n_units + k] = w->weights[k * sites + i];
}

/* Adds one unit to the log-odds of spin up, for 8 chains: linear + log(up / down), where up and
 * down are the products over the units. */
RSMI_INLINE void unit_factors(const lanes8 *field, const lanes8 *spin, double weight, int subtract,
                              lanes8 *linear, lanes8 *up, lanes8 *down)
{
    lanes8 plus = *field + (1.0 - *spin) * weight, minus = *field - (1.0 + *spin) * weight;
    absolute_value(&plus);
    absolute_value(&minus);
    lanes8 difference = plus - minus, plus_factor = -2.0 * plus, minus_factor = -2.0 * minus;
    exponential(&plus_factor);
    exponential(&minus_factor);
    *linear += subtract ? -difference : difference;
    *(subtract ? down : up) *= 1.0 + plus_factor;
    *(subtract ? up : down) *= 1.0 + minus_factor;
}

/* Makes one Gibbs update of spin `site` in every chain. offset is the linear part of the log-odds;
 * the first n_plain units count with a plus sign. */
RSMI_CLONES
static void update_site(int64_t site, double offset, int64_t n_plain, chain_workspace *w,
                        uint64_t rng[4])
{
    const int64_t ld = padded(w->n_chains);
    const double *weights = w->site_weights + site * w->n_units;
    for (int64_t c = 0; c < w->n_chains; c += 8) {
        lanes8 *spin = (lanes8 *)(w->spins + site * ld + c);
        lanes8 linear = (lanes8){0} + offset, up = (lanes8){0} + 1.0, down = up;
        for (int64_t k = 0; k < w->n_units; k++)
            unit_factors((const lanes8 *)(w->field + k * ld + c), spin, weights[k], k >= n_plain,
                         &linear, &up, &down);
        linear = -linear;
        exponential(&linear);
        const lanes8 probability = up / (up + linear * down), old = *spin;
        for (int64_t i = 0; i < 8 && c + i < w->n_chains; i++)
            (*spin)[i] = xoshiro_uniform(rng) < probability[i] ? 1.0 : -1.0;
        const lanes8 change = *spin - old;
        for (int64_t k = 0; k < w->n_units; k++)
            *(lanes8 *)(w->field + k * ld + c) += weights[k] * change;
    }
}

/* Advances the chains of state h and leaves their spins in w->spins. */
static void sweep_chains(const theta_pair *t, const channel *c, int64_t h, chain_workspace *w,
                         int8_t *chains, uint64_t rng[4])
{
    const int64_t ld = padded(w->n_chains), sites = t->n_block, n = w->n_chains;
    for (int64_t i = 0; i < sites; i++)
        for (int64_t m = 0; m < n; m++)
            w->spins[i * ld + m] = chains[i * n + m];
    fill_rows(w->n_units, n, w->unit_bias, w->field);
    multiply_add(w->n_units, sites, n, w->weights, sites, w->spins, w->field);
    for (int64_t sweep = 0; sweep < w->n_sweeps; sweep++)
        for (int64_t i = 0; i < sites; i++) {
            double offset = 2.0 * t->marginal_visible_bias[i];
            for (int64_t j = 0; j < c->n_hidden; j++)
                offset += (h >> j & 1 ? 1.0 : -1.0) * c->filters[j * sites + i];
            update_site(i, offset, t->n_marginal_hidden, w, rng);
        }
    for (int64_t i = 0; i < sites; i++)
        for (int64_t m = 0; m < n; m++)
            chains[i * n + m] = (int8_t)w->spins[i * ld + m];
}

/* Centres the energies; mean[s] is the average over the chains. */
static void center_over_chains(int64_t n, int64_t n_chains, double *energies, double *mean)
{
    const int64_t ld = padded(n_chains);
    for (int64_t s = 0; s < n; s++) {
        mean[s] = lane_sum(n_chains, energies + s * ld) / (double)n_chains;
        for (int64_t m = 0; m < n_chains; m++)
            energies[s * ld + m] -= mean[s];
    }
}

/* Adds the covariance term of state h: sum_m C_m V_m (h - p(V_m)), with C_m = sum_s q(h|v_s) (f_sm
 * - fbar_s) / ((M - 1) n). */
static void add_covariance(const channel *c, int64_t h, int64_t n, const double *q,
                           chain_workspace *w, double *filters_gradient, double *bias_gradient)
{
    const int64_t ld = padded(w->n_chains);
    const double scale = 1.0 / ((double)(w->n_chains - 1) * (double)n);
    memset(w->covariance, 0, (size_t)ld * sizeof(double));
    multiply_add(1, n, w->n_chains, q, n, w->energies, w->covariance);
    channel_probabilities(c, w->n_chains, w->spins, w->p, w->q);
    for (int64_t j = 0; j < c->n_hidden; j++) {
        double *g = w->field_gradient + j * ld;
        for (int64_t m = 0; m < w->n_chains; m++)
            g[m] = scale * w->covariance[m] * ((double)(h >> j & 1) - w->p[j * ld + m]);
        bias_gradient[j] += lane_sum(w->n_chains, g);
    }
    multiply_transposed(c->n_hidden, c->n_block, w->n_chains, w->field_gradient, w->spins,
                        w->filters_part);
    for (int64_t i = 0; i < c->n_hidden * c->n_block; i++)
        filters_gradient[i] += w->filters_part[i];
}

double chains_objective(const channel *c, theta_fields *theta, int64_t n, const double *batch_spins,
                        const double *p, const double *q, chain_workspace *w, int8_t *chains,
                        uint64_t rng[4], double *derivative, double *field_gradient,
                        double *filters_gradient, double *bias_gradient)
{
    const int64_t ld = padded(n), n_states = (int64_t)1 << c->n_hidden,
                  parameters = c->n_hidden * c->n_block;
    double value = 0.0;
    memset(filters_gradient, 0, (size_t)parameters * sizeof(double));
    memset(bias_gradient, 0, (size_t)c->n_hidden * sizeof(double));
    memset(derivative, 0, (size_t)(n_states * ld) * sizeof(double));
    set_units(theta->theta, theta, c, w);
    for (int64_t h = 0; h < n_states; h++) {
        double *mean = derivative + h * ld;
        const double *q_h = q + h * ld, share = lane_sum(n, q_h) / (double)n;
        sweep_chains(theta->theta, c, h, w, chains + h * c->n_block * w->n_chains, rng);
        theta_set_blocks(theta, w->n_chains, w->spins);
        theta_pair_energies(theta, 0, n, n, w->n_chains, w->energies);
        center_over_chains(n, w->n_chains, w->energies, mean);
        add_covariance(c, h, n, q_h, w, filters_gradient, bias_gradient);
        for (int64_t s = 0; s < n; s++) {
            mean[s] /= (double)n;
            value += (q_h[s] - share) * mean[s];
        }
    }
    channel_gradient(c, n, batch_spins, p, q, derivative, field_gradient, w->filters_part,
                     w->bias_part);
    for (int64_t i = 0; i < parameters; i++)
        filters_gradient[i] += w->filters_part[i];
    for (int64_t j = 0; j < c->n_hidden; j++)
        bias_gradient[j] += w->bias_part[j];
    return value;
}
