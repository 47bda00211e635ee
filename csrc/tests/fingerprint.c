/* Prints one line "kernel hash" for the results of every kernel on fixed inputs. Two builds that
 * print the same line agree bit for bit.
 *
 * Compilers evaluate arguments and initializers in any order. Random inputs of one call are
 * therefore drawn in statements of their own.
 *
 * With ONLY_FLOATS the kernels of integers are left out and need not be linked. */
#include "base/functions.h"
#include "base/instructions.h"
#include "blocking/blocking.h"
#include "blocking/correlations.h"
#include "blocking/group_sums.h"
#include "blocking/levels.h"
#include "blocking/low_modes.h"
#include "blocking/neighbourhood.h"
#include "blocking/operator_products.h"
#include "blocking/operators.h"
#include "blocking/windows.h"
#include "learning/lambda.h"
#include "learning/rbm.h"
#include "learning/tied_rbm.h"
#include "learning/total_correlation.h"
#include "models/dimers/dimers_loop.h"
#include "models/dimers/dimers_worm.h"
#include "models/ising/bitsliced/ising_bitsliced.h"
#include "models/ising/ising.h"
#include "models/ising/transfer.h"
#include "models/lattice/lattice_chain.h"
#include "models/lattice/lattice_clusters.h"
#include "models/lattice/lattice_replicas.h"
#include "models/triangular/triangular_worm.h"
#include "tests/expect.h"

static void report(const char *kernel, const void *result, int64_t bytes)
{
    uint64_t hash = 0;
    for (int64_t i = 0; i < bytes; i++)
        hash = mix64(hash + ((const uint8_t *)result)[i] + 1);
    printf("%s %016llx\n", kernel, (unsigned long long)hash);
    release_all();
}

static void functions(const char *kernel)
{
    enum { N = 10000 };
    double (*result)[6] = take(N * sizeof *result);
    for (int i = 0; i < N; i++) {
        const double x = xoshiro_uniform(test_stream), wide = 1400 * (x - 0.5);
        const double values[6] = {exp_of(wide),     log_of(x),   log_one_plus_of(x),
                                  one_minus_exp(x), power(x, i), cosine_of_turns(x)};
        memcpy(result[i], values, sizeof values);
    }
    report(kernel, result, N * (int64_t)sizeof *result);
}

static void ising(const char *kernel, int algorithm, int64_t depth, int64_t height, int64_t width)
{
    enum { SAMPLES = 20 };
    const ising_chain chain = {depth, height, width, depth > 1 ? 0.22 : 0.44, algorithm, 10};
    const int64_t sites = ising_sites(&chain), row_bytes = (sites + 7) / 8;
    struct {
        uint64_t rng[4];
        int64_t energy[SAMPLES], magnetization[SAMPLES];
        uint8_t packed[];
    } *result = take(8 * (4 + 2 * SAMPLES) + SAMPLES * row_bytes);
    memcpy(result->rng, (uint64_t[4]){1, 2, 3, 4}, 32);
    expect(ising_sample(&chain, 5, SAMPLES, random_spins(sites), result->rng,
                        take(8 * ising_workspace(&chain)), result->packed, result->energy,
                        result->magnetization) == RSMI_OK);
    report(kernel, result, 8 * (4 + 2 * SAMPLES) + SAMPLES * row_bytes);
}

static void ising_bitsliced(const char *kernel, int layout, int64_t depth, int64_t height,
                            int64_t width)
{
    const bitsliced_chain chain = {
        {depth, height, width, 0.3, depth > 1 ? ISING_METROPOLIS : ISING_HEAT_BATH, 1},
        layout,
        PATH_AUTO,
        3};
    const bitsliced_shape shape = bitsliced_shape_of(&chain);
    const int64_t sites = ising_sites(&chain.ising),
                  lattices = layout == BITSLICED_STRIP ? 1 : BITSLICED_BITS,
                  bytes = lattices * (sites / 8 + 16);
    uint64_t *spins = take(2 * (shape.layers + 2) * shape.rows * shape.columns * 64),
             *generators = take(3 * 8 * BITSLICED_GENERATOR);
    struct {
        int64_t energy[BITSLICED_BITS], magnetization[BITSLICED_BITS];
        uint8_t packed[];
    } *result = take(16 * BITSLICED_BITS + bytes);
    bitsliced_seed((uint64_t[4]){1, 2, 3, 4}, 3, generators);
    bitsliced_unpack(&chain, random_bytes(bytes), spins);
    expect(bitsliced_sweep(&chain, 100, spins, generators) == RSMI_OK);
    bitsliced_measure(&chain, spins, result->energy, result->magnetization);
    bitsliced_pack(&chain, spins, result->packed);
    report(kernel, result, 16 * BITSLICED_BITS + bytes);
}

/* A ring with two kinds of bonds: 512 replicas, then one chain. */
static void lattice(const char *replicas, const char *chain, const char *clusters)
{
    enum { SITES = 100 };
    const lattice_kind kind = {0, 2, 9, 0, {2, 2}};
    static int32_t kind_of[SITES], neighbour[4 * SITES], order[LATTICE_BATCH * SITES];
    static int64_t start[SITES + 1];
    uint64_t p[9], *spins = take(64 * SITES), *generator = take(8 * GENERATOR_WORDS),
                   rng[4] = {1, 2, 3, 4};
    for (int i = 0; i < 9; i++)
        p[i] = xoshiro_next(rng);
    for (int i = 0; i < 4 * SITES; i++) {
        start[i / 4 + 1] = i / 4 * 4 + 4;
        neighbour[i] = (i / 4 + (const int[]){1, SITES - 1, 3, SITES - 3}[i % 4]) % SITES;
    }
    lattice_replicas r = {.system = {SITES, 1, 9, kind_of, start, neighbour, &kind, p}};
    r.batches = lattice_plan(&r.system, order), r.order = order;
    lattice_replicas_seed(rng, generator);
    expect(lattice_replicas_check(&r) == RSMI_OK &&
           lattice_replicas_sweep(&r, 50, spins, generator,
                                  take(8 * lattice_replicas_workspace(&r))) == RSMI_OK);
    report(replicas, spins, 64 * SITES);
    uint8_t *one = take(SITES);
    expect(lattice_chain_sample(&r.system, 50, 1, one, rng, NULL) == RSMI_OK);
    report(chain, one, SITES);
    static int32_t group[4 * SITES];
    int64_t flipped;
    for (int i = 0; i < 4 * SITES; i++)
        group[i] = i % 4 / 2;
    uint8_t *spins_of = take(SITES), *rows = take(20 * (SITES + 7) / 8);
    for (int algorithm = LATTICE_SWENDSEN_WANG; algorithm <= LATTICE_WOLFF; algorithm++) {
        const lattice_clusters c = {
            SITES, 2, start, neighbour, group, p, (const uint8_t[]){0, 1}, 0, algorithm};
        expect(lattice_clusters_sample(&c, 5, 10, spins_of, rng, take(8 * SITES),
                                       rows + algorithm * 10 * (SITES + 7) / 8,
                                       &flipped) == RSMI_OK);
    }
    report(clusters, rows, 20 * (SITES + 7) / 8);
}

static void dimers(const char *kernel, int open)
{
    enum { SAMPLES = 20, CHAINS = 5 };
    const dimer_lattice lattice = {18, 74, open};
    const int64_t vertices = dimer_vertices(&lattice), row_bytes = (4 * vertices + 7) / 8;
    int8_t *partners = take(CHAINS * vertices);
    uint64_t *rng = take(32 * CHAINS);
    uint8_t *links = take(SAMPLES * dimer_link_bytes(&lattice));
    struct {
        int64_t pairs[SAMPLES], steps[SAMPLES];
        uint8_t packed[];
    } *result = take(16 * SAMPLES + SAMPLES * row_bytes);
    for (int64_t i = 0; i < CHAINS * vertices; i++)
        partners[i] = i / lattice.columns % 2 ? 2 : 0;
    for (int k = 0; k < 4 * CHAINS; k++)
        rng[k] = 1 + (uint64_t)k;
    expect(dimer_sample(&lattice, CHAINS, 5, 0, SAMPLES, partners, rng,
                        take(8 * dimer_workspace(&lattice, CHAINS)), links, result->pairs,
                        result->steps) == RSMI_OK);
    expect(dimer_add_noise(&lattice, 0.9, open, (uint64_t[2]){5, 6}, 0, SAMPLES, links,
                           result->packed) == RSMI_OK);
    report(kernel, result, 16 * SAMPLES + SAMPLES * row_bytes);
}

static void triangles(const char *kernel)
{
    enum { SAMPLES = 20, CHAINS = 9 };
    const triangular_lattice lattice = {18, 75};
    const int64_t sites = triangular_sites(&lattice), n_bytes = triangular_row_bytes(&lattice);
    uint8_t *bonds = take(CHAINS * sites);
    uint64_t *rng = take(32 * CHAINS);
    struct {
        int64_t steps[SAMPLES];
        uint8_t packed[];
    } *result = take(8 * SAMPLES + SAMPLES * n_bytes);
    for (int k = 0; k < 4 * CHAINS; k++)
        rng[k] = 1 + (uint64_t)k;
    expect(triangular_sample(&lattice, CHAINS, 5, 0, SAMPLES, bonds, rng,
                             take(8 * triangular_workspace(&lattice)), result->packed,
                             result->steps) == RSMI_OK);
    report(kernel, result, 8 * SAMPLES + SAMPLES * n_bytes);
}

static void loops(const char *kernel, int open)
{
    enum { SAMPLES = 20, CHAINS = 5 };
    const dimer_lattice lattice = {18, 74, open};
    const int64_t vertices = dimer_vertices(&lattice), row_bytes = dimer_link_bytes(&lattice);
    int8_t *partners = take(CHAINS * vertices);
    uint64_t *rng = take(32 * CHAINS);
    struct {
        int64_t pairs[SAMPLES], steps[SAMPLES];
        uint8_t packed[];
    } *result = take(16 * SAMPLES + SAMPLES * row_bytes);
    for (int64_t i = 0; i < CHAINS * vertices; i++)
        partners[i] = i / lattice.columns % 2 ? 2 : 0;
    for (int k = 0; k < 4 * CHAINS; k++)
        rng[k] = 1 + (uint64_t)k;
    expect(dimer_loop_sample(&lattice, 1.25, CHAINS, 200, 0, SAMPLES, partners, rng,
                             take(8 * dimer_loop_workspace(&lattice)), result->packed,
                             result->pairs, result->steps) == RSMI_OK);
    report(kernel, result, 16 * SAMPLES + SAMPLES * row_bytes);
}

static void blocking(const char *kernel, int64_t side, int64_t n_hidden, int hard)
{
    enum { SAMPLES = 20, SIZE = 48 };
    const int64_t shape[3] = {1, SIZE, SIZE},
                  row_bytes = (n_hidden * SIZE * SIZE / (side * side) + 7) / 8;
    const double *weights = random_doubles(n_hidden * side * side, 1);
    const double *bias = random_doubles(n_hidden, hard ? 0 : 1);
    const block_rule rule = {{1, side, side}, n_hidden, weights, bias, hard, 1, 0, NULL};
    uint64_t *samples = take(8 * SAMPLES);
    uint8_t *coarse = take(SAMPLES * row_bytes);
    expect(coarse_grain(random_bytes(SAMPLES * SIZE * SIZE / 8), SAMPLES, shape, &rule,
                        (uint64_t[2]){5, 6}, samples, coarse) == RSMI_OK);
    report(kernel, coarse, SAMPLES * row_bytes);
}

static void operators(const char *kernel)
{
    enum { SAMPLES = 200, SIZE = 70, TERMS = 40, OPERATORS = 12 };
    const int64_t shape[3] = {1, SIZE, SIZE};
    int32_t terms[TERMS * OPERATOR_SPINS * 3], term_operator[TERMS];
    enum {
        EVEN = 7,
        ODD = OPERATORS - EVEN,
        PRODUCTS = EVEN * (2 + 2 * EVEN) + ODD * (2 + 2 * ODD)
    };
    int64_t *sums = take(8 * SAMPLES * OPERATORS), *products = take(8 * PRODUCTS),
            *zeros = take(8 * SAMPLES);
    int64_t *targets[2] = {products, products + EVEN * (2 + 2 * EVEN)};
    for (int i = 0; i < TERMS * OPERATOR_SPINS; i++)
        for (int axis = 0; axis < 3; axis++)
            terms[3 * i + axis] = i % 4 > i / 4 % 4 ? -1 : axis == 0 ? 0 : (int32_t)random_below(3);
    for (int t = 0; t < TERMS; t++)
        term_operator[t] = t % OPERATORS;
    expect(operator_sums(random_bytes(SAMPLES * (SIZE * SIZE + 7) / 8), SAMPLES, shape, terms,
                         term_operator, TERMS, OPERATORS, sums) == RSMI_OK);
    expect(accumulate_levels(sums, zeros, zeros, 1, SAMPLES, (int64_t[2]){EVEN, ODD}, 1, targets) ==
           RSMI_OK);
    report(kernel, products, 8 * PRODUCTS);
}

static void levels(const char *kernel)
{
    enum { SAMPLES = 700, SIZE = 48, STEPS = 3, TERMS = 40, OPERATORS = 12 };
    const int64_t shape[3] = {1, SIZE, SIZE};
    const block_rule rule = {{1, 2, 2}, 1, (double[4]){1, 1, 1, 1}, (double[1]){0}, 1, 1, 0, NULL};
    int32_t terms[TERMS * OPERATOR_SPINS * 3], term_operator[TERMS];
    int64_t *sums = take(8 * (STEPS + 1) * SAMPLES * OPERATORS);
    uint64_t *samples = take(8 * SAMPLES);
    for (int i = 0; i < TERMS * OPERATOR_SPINS; i++)
        for (int axis = 0; axis < 3; axis++)
            terms[3 * i + axis] = i % 4 > i / 4 % 4 ? -1 : axis == 0 ? 0 : (int32_t)random_below(3);
    for (int t = 0; t < TERMS; t++)
        term_operator[t] = t % OPERATORS;
    expect(level_sums(random_bytes(SAMPLES * SIZE * SIZE / 8), SAMPLES, shape, &rule, STEPS,
                      (uint64_t[6]){1, 2, 3, 4, 5, 6}, samples, terms, term_operator, TERMS,
                      OPERATORS, sums) == RSMI_OK);
    report(kernel, sums, 8 * (STEPS + 1) * SAMPLES * OPERATORS);
}

static void neighbourhood(const char *kernel)
{
    enum { SAMPLES = 200, SIZE = 70, OTHERS = NEIGHBOURHOOD_OTHERS, TERMS = 12, BINS = 5 * 5 * 5 };
    int32_t terms[TERMS][OTHERS][3] = {{{0}}}, owner[TERMS];
    int64_t *blocks = take(8 * SAMPLES), *counts = take(8 * BINS);
    for (int t = 0; t < TERMS; t++) {
        owner[t] = t / 4;
        for (int i = 0; i < (t < 4 ? OTHERS : 1); i++)
            terms[t][i][1] = 1 + (int32_t)random_below(2),
            terms[t][i][2] = (int32_t)random_below(5) - 2;
    }
    expect(neighbourhood_counts(random_bytes(SAMPLES * (SIZE * SIZE + 7) / 8), SAMPLES, 1, SIZE,
                                SIZE, terms[0][0], owner, TERMS, blocks, counts) == RSMI_OK);
    report(kernel, counts, 8 * BINS);
}

static void correlations(const char *kernel)
{
    enum { SAMPLES = 200, SIZE = 70 };
    int64_t *sums = take(2 * 8 * SAMPLES);
    const uint8_t *rows = random_bytes(SAMPLES * (SIZE * SIZE + 7) / 8 + 1);
    expect(shifted_products(rows, SAMPLES, 1, SIZE * SIZE, 17 * SIZE, sums) == RSMI_OK);
    expect(shifted_products(rows, SAMPLES, SIZE, SIZE, 17, sums + SAMPLES) == RSMI_OK);
    report(kernel, sums, 2 * 8 * SAMPLES);
}

static void windows(const char *kernel)
{
    enum { N = 500, SITES = 36 };
    const int64_t shape[2] = {20, 30};
    int64_t *configurations = take(8 * N), *origins = take(16 * N), *offsets = take(16 * SITES);
    int8_t *flips = take(N), *result = take(N * SITES);
    for (int64_t k = 0; k < SITES; k++)
        offsets[2 * k] = k / 6, offsets[2 * k + 1] = k % 6;
    expect(choose_windows((uint64_t[2]){5, 6}, 7, shape, 2, 1, N, configurations, origins, flips) ==
           RSMI_OK);
    expect(extract_windows(random_bytes(7 * 75), 7, 75, shape, 2, offsets, SITES, configurations,
                           origins, flips, N, result) == RSMI_OK);
    report(kernel, result, N * SITES);
}

static void modes(const char *kernel, int64_t depth, int64_t height, int64_t width)
{
    enum { SAMPLES = 50, PRODUCTS = 2, MODES = 9, ORBITS = 2, GROUPS = 3 };
    static const int64_t first[PRODUCTS + 1] = {0, 2, 5};
    static const int32_t points[5][3] = {{0, 0, 1}, {0, 1, 0}, {0, 2, 1}, {0, 0, 0}, {0, 0, 2}};
    int32_t (*numbers)[3] = take(MODES * 12), *orbit = take(MODES * 4);
    float *waves = take(3 * MODE_WAVES * width * 4);
    for (int64_t m = 1; m < MODES; m++) {
        for (int axis = depth > 1 ? 0 : 1; axis < 3; axis++)
            numbers[m][axis] = (int32_t)random_below(5) - 2;
        orbit[m] = (int32_t)(m % ORBITS);
    }
    for (int64_t i = 0; i < 3 * MODE_WAVES * width; i++)
        waves[i] = (float)random_below(1 << 20) / (1 << 20);
    const double *weights = random_doubles(4 * PRODUCTS * MODES, 1.0);
    const double *share = random_doubles(MODES, 1.0);
    const local_functions f = {.shape = {depth, height, width},
                               .n_products = PRODUCTS,
                               .n_functions = 2,
                               .n_modes = MODES,
                               .n_orbits = ORBITS,
                               .points = points[0],
                               .first = first,
                               .weights = weights,
                               .numbers = numbers[0],
                               .waves = waves,
                               .orbit = orbit,
                               .share = share};
    struct {
        double values[SAMPLES][2], factors[SAMPLES][2][ORBITS], count[GROUPS], even[GROUPS][2][2],
            odd[GROUPS][2][GROUP_POWERS], cross[GROUPS][4][GROUP_POWERS], rows[GROUPS][2];
    } *result = take(sizeof *result);
    int64_t *groups = take(8 * SAMPLES);
    for (int64_t i = 0; i < SAMPLES; i++)
        groups[i] = i % GROUPS;
    expect(low_modes(&f, random_bytes(SAMPLES * (depth * height * width + 7) / 8 + 1), SAMPLES,
                     result->values[0], result->factors[0][0]) == RSMI_OK);
    const group_sums sums = {GROUPS,
                             2,
                             2,
                             result->count,
                             take_doubles(GROUPS * 2),
                             result->even[0][0],
                             result->odd[0][0],
                             result->cross[0][0]};
    expect(add_to_groups(&sums, result->values[0], result->values[0], groups, SAMPLES) == RSMI_OK);
    expect(add_rows_to_groups(result->values[0], 2, groups, SAMPLES, GROUPS, result->rows[0]) ==
           RSMI_OK);
    report(kernel, result, sizeof *result);
}

static void rbm(const char *kernel, int persistent)
{
    enum { V = 35, H = 21, BATCH = 100, N = 1000 };
    rbm_state s = {V,
                   H,
                   take(4 * V * H),
                   take(4 * V),
                   take(4 * H),
                   take(4 * V * H),
                   take(4 * V),
                   take(4 * H),
                   take(32),
                   take(16 * RBM_LANES),
                   persistent ? take(BATCH * V) : NULL};
    rbm_schedule schedule = {.batch_size = BATCH,
                             .n_gibbs = 2,
                             .learning_rate = 0.1,
                             .momentum = 0.5,
                             .weight_decay = 1e-3,
                             .total_batches = 30};
    const int8_t *data = random_spins(V * N);
    double error;
    for (int k = 0; k < 4; k++)
        s.rng[k] = 1 + (uint64_t)k;
    expect(rbm_initialize(&s, persistent ? BATCH : 0, 0.05) == RSMI_OK);
    for (; schedule.first_batch < 30; schedule.first_batch += 10)
        expect(rbm_train_epoch(&s, data, N, &schedule, &error) == RSMI_OK);
    report(kernel, s.weights, 4 * V * H);
}

static void tied(const char *kernel)
{
    enum { V = 11, H = 7, Q = 3, BATCH = 100, N = 1000 };
    tied_rbm s = {V, H, random_doubles(V * H, 0.1), take(8 * V * H), take(32), NULL};
    tied_rbm_schedule schedule = {.batch_size = BATCH,
                                  .n_gibbs = 2,
                                  .learning_rate = 0.2,
                                  .momentum = 0.5,
                                  .total_batches = 30};
    const double values[Q * Q] = {0.75, -0.25, -0.5, -0.25, 0.75, -0.5, -0.5, -0.5, 1.0};
    const feature_table features = {Q, Q, values};
    int8_t *data = random_spins(V * N);
    double error;
    for (int k = 0; k < 4; k++)
        s.rng[k] = 1 + (uint64_t)k;
    for (int j = 0; j < V * N; j++)
        data[j] = (int8_t)(data[j] > 0 ? j % 2 : 2);
    for (; schedule.first_batch < 30; schedule.first_batch += 10)
        expect(tied_rbm_train_epoch(&s, &features, data, N, &schedule, &error) == RSMI_OK);
    report(kernel, s.weights, 8 * V * H);
}

static void lambda(const char *kernel, int64_t objective)
{
    enum { V = 9, E = 20, K = 30, M = 12, HIDDEN = 2, BATCH = 90, N = 400, UNITS = 11 };
    const double *weights = random_doubles((V + E) * K, 0.3);
    const double *visible = random_doubles(V + E, 0.1), *hidden = random_doubles(K, 0.1);
    const double *block_weights = random_doubles(V * M, 0.3);
    const double *block_visible = random_doubles(V, 0.1), *block_hidden = random_doubles(M, 0.1);
    const theta_pair theta = {
        V, E, K, M, weights, visible, hidden, block_weights, block_visible, block_hidden, 0};
    const int8_t *blocks = random_spins(N * V), *environments = random_spins(N * E);
    const window_table table = {.n_windows = N,
                                .n_block = V,
                                .n_environment = E,
                                .blocks = blocks,
                                .environments = environments,
                                .theta = &theta};
    const lambda_settings settings = {.objective = objective,
                                      .n_hidden = HIDDEN,
                                      .batch = BATCH,
                                      .total_steps = 60,
                                      .steps_per_epoch = 30,
                                      .n_chains = 50,
                                      .n_sweeps = 2,
                                      .decoder_units = UNITS,
                                      .adam = 1,
                                      .free_bias = 1,
                                      .learning_rate = 0.05,
                                      .decoder_learning_rate = 0.02};
    const int64_t size = lambda_size(&settings, &table);
    double *objectives = take_doubles(2), *filters = take_doubles(2 * HIDDEN * V),
           *bias = take_doubles(2 * HIDDEN);
    uint64_t rng[4] = {1, 2, 3, 4};
    int64_t step = 0;
    double *parameters = random_doubles(size, 0.1);
    int8_t *chains = random_spins((V * 50) << HIDDEN);
    lambda_state state = {parameters, take_doubles(size), take_doubles(size), chains, rng, &step};
    expect(lambda_train(&table, &settings, &state, 2, objectives, filters, bias) == RSMI_OK);
    report(kernel, state.parameters, 8 * size);
}

static void transfer(const char *kernel)
{
    enum { RINGS = 20 };
    const transfer_window window = {3, 4, 1, 0.44};
    double *averages = take_doubles(RINGS * 3), *entropy = take_doubles(RINGS);
    const double *functions = random_doubles(3 << 12, 1);
    const int8_t *rings = random_spins(RINGS * transfer_ring_size(window));
    expect(transfer_block_averages(rings, RINGS, window, functions, 3, averages, entropy, NULL) ==
           RSMI_OK);
    for (int k = 0; k < RINGS; k++)
        averages[k] += entropy[k];
    report(kernel, averages, 8 * RINGS * 3);
}

static void explain(const char *kernel, int symmetric)
{
    enum { STATES = 203, SITES = 21, UNITS = 9, BYTES = (SITES + 7) / 8 };
    uint8_t *blocks = random_bytes(STATES * BYTES);
    double *weights = take_doubles(STATES), *up = take_doubles(SITES);
    for (int s = 0; s < STATES; s++) {
        blocks[s * BYTES + BYTES - 1] &= (1 << SITES % 8) - 1;
        weights[s] = 1.0 / STATES;
        for (int i = 0; i < SITES; i++)
            up[i] += weights[s] * (spin_at(blocks + s * BYTES, i) > 0);
    }
    double *filters = random_doubles(UNITS * SITES, 0.1);
    double *bias = take_doubles(UNITS), *alpha = random_doubles(UNITS * SITES, 1);
    explanation e = {UNITS,
                     0,
                     filters,
                     bias,
                     alpha,
                     take_doubles(SITES),
                     take_doubles(UNITS),
                     take_doubles(UNITS)};
    for (int i = 0; i < SITES; i++)
        e.sharpness[i] = 20.0;
    expect(explain_total_correlation(
               &(block_table){STATES, SITES, blocks, weights, up, STATES, symmetric}, 7, &e) ==
           RSMI_OK);
    report(kernel, e.filters, 8 * UNITS * SITES);
}

int main(void)
{
    static const char *const objectives[] = {"lambda-pairs", "lambda-chains", "lambda-log-sum",
                                             "lambda-enumerate", "lambda-decoder"};
#ifndef ONLY_FLOATS
    static const char *const samplers[] = {"metropolis", "heat-bath", "swendsen-wang", "wolff"};
    for (int algorithm = ISING_METROPOLIS; algorithm <= ISING_WOLFF; algorithm++)
        for (int64_t depth = 1; depth <= 6; depth += 5)
            ising(samplers[algorithm], algorithm, depth, 18, 74);
    ising_bitsliced("strip", BITSLICED_STRIP, 1, 32, 256),
        ising_bitsliced("strip", BITSLICED_STRIP, 16, 6, 128);
    ising_bitsliced("replicas", BITSLICED_REPLICAS, 1, 10, 14),
        ising_bitsliced("replicas", BITSLICED_REPLICAS, 4, 6, 6);
    lattice("lattice-replicas", "lattice-chain", "lattice-clusters");
    dimers("dimers", 0), dimers("dimers", 1);
    triangles("triangular");
    loops("loops", 0), loops("loops", 1);
    blocking("block-hard", 2, 1, 1), blocking("block-soft", 4, 2, 0), blocking("block-64", 8, 3, 0);
    operators("operators");
    levels("levels");
    neighbourhood("neighbourhood");
    correlations("correlations");
    windows("windows");
#endif
    rbm("rbm-cd", 0), rbm("rbm-persistent", 1), tied("rbm-tied");
    for (int64_t objective = LAMBDA_PAIRS; objective <= LAMBDA_DECODER; objective++)
        lambda(objectives[objective], objective);
    transfer("transfer");
    explain("explain", 0), explain("explain", 1);
    modes("low-modes", 1, 20, 70), modes("low-modes", 5, 6, 9);
    functions("functions");
    return 0;
}
