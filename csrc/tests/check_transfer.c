/* Checks transfer matrices against the sum over all states of block and buffer. */
#include "models/ising/transfer.h"
#include "tests/expect.h"

static int64_t states_of(transfer_window w)
{
    return (int64_t)1 << (w.rows * w.columns);
}

/* exp(K sum ss' - |K| bonds) of a rectangle of bits with its ring, all bonds. */
static double plain_weight(transfer_window w, uint64_t rectangle, const int8_t *ring)
{
    const int height = w.rows + 2 * w.buffer, width = w.columns + 2 * w.buffer;
    const int8_t *above = ring, *below = above + width, *left = below + width,
                 *right = left + height;
    int sum = 0, bonds = 0;
#define SPIN(y, x) (rectangle >> ((y) * width + (x)) & 1 ? 1 : -1)
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++) {
            const int spin = SPIN(y, x);
            const int down = y + 1 < height ? SPIN(y + 1, x) : below[x],
                      next = x + 1 < width ? SPIN(y, x + 1) : right[y];
            sum += spin * (down + next + (y == 0 ? above[x] : 0) + (x == 0 ? left[y] : 0));
            bonds += 2 + (y == 0) + (x == 0);
        }
    return exp(w.coupling * sum - fabs(w.coupling) * bonds);
}

/* State of the block inside a rectangle. */
static int64_t block_state(transfer_window w, uint64_t rectangle)
{
    const int width = w.columns + 2 * w.buffer;
    int64_t state = 0;
    for (int site = 0; site < w.rows * w.columns; site++) {
        const int y = site / w.columns + w.buffer, x = site % w.columns + w.buffer;
        state |= (int64_t)(rectangle >> (y * width + x) & 1) << site;
    }
    return state;
}

static void check_weights(transfer_window w)
{
    enum { RINGS = 3 };
    const int ring_size = transfer_ring_size(w),
              sites = (w.rows + 2 * w.buffer) * (w.columns + 2 * w.buffer);
    const int8_t *rings = random_spins(RINGS * ring_size);
    double *weights = take_doubles(RINGS * states_of(w)), *expected = take_doubles(states_of(w));
    expect(transfer_block_weights(rings, RINGS, w, weights) == RSMI_OK);
    for (int k = 0; k < RINGS; k++) {
        memset(expected, 0, (size_t)states_of(w) * sizeof *expected);
        for (uint64_t rectangle = 0; rectangle >> sites == 0; rectangle++)
            expected[block_state(w, rectangle)] +=
                plain_weight(w, rectangle, rings + k * ring_size);
        for (int64_t v = 0; v < states_of(w); v++)
            expect(fabs(weights[k * states_of(w) + v] - expected[v]) <= 1e-12 * expected[v]);
    }
    release_all();
}

/* Averages, entropy and marginal against the weights; any size. */
static void check_averages(transfer_window w)
{
    enum { RINGS = 2, FUNCTIONS = 3 };
    const int64_t states = states_of(w);
    const int8_t *rings = random_spins(RINGS * transfer_ring_size(w));
    double *weights = take_doubles(RINGS * states), *marginal = take_doubles(states),
           *functions = random_doubles(states * FUNCTIONS, 1);
    double averages[RINGS][FUNCTIONS], only[RINGS][FUNCTIONS], entropy[RINGS], marginal_total = 0;
    expect(transfer_block_weights(rings, RINGS, w, weights) == RSMI_OK);
    expect(transfer_block_averages(rings, RINGS, w, functions, FUNCTIONS, averages[0], entropy,
                                   marginal) == RSMI_OK);
    expect(transfer_block_averages(rings, RINGS, w, functions, FUNCTIONS, only[0], NULL, NULL) ==
           RSMI_OK);
    expect(memcmp(averages, only, sizeof only) == 0);
    for (int64_t k = 0; k < RINGS; k++) {
        double total = 0, sum = 0, expected_entropy = 0;
        for (int64_t v = 0; v < states; v++)
            total += weights[k * states + v];
        for (int64_t v = 0; v < states; v++) {
            const double p = weights[k * states + v] / total;
            sum += p * functions[v * FUNCTIONS + 1];
            expected_entropy -= p > 0 ? p * log(p) : 0;
        }
        expect(close_to(averages[k][1], sum, 1e-12) &&
               close_to(entropy[k], expected_entropy, 1e-10));
        expect(w.coupling != 0 ||
               close_to(entropy[k], (double)(w.rows * w.columns) * log(2.0), 1e-10));
    }
    for (int64_t v = 0; v < states; v++)
        marginal_total += marginal[v];
    expect(close_to(marginal_total, RINGS, 1e-12));
    release_all();
}

static void check_refusals(void)
{
    const transfer_window bad[] = {{0, 1, 0, 0.4},   {1, 0, 0, 0.4},
                                   {-1, -1, 0, 0.4}, {1, 17, 0, 0.4},
                                   {17, 1, 0, 0.4},  {4, 5, 0, 0.4},
                                   {2, 2, -1, 0.4},  {1, 13, 0, 0.4},
                                   {2, 2, 6, 0.4},   {1 << 16, 1 << 16, 0, 0.4}};
    for (int64_t i = 0; i < COUNT(bad); i++) {
        expect(transfer_block_weights(NULL, 0, bad[i], NULL) == RSMI_BAD_SHAPE);
        expect(transfer_block_averages(NULL, 0, bad[i], NULL, 0, NULL, NULL, NULL) ==
               RSMI_BAD_SHAPE);
    }
    const transfer_window frozen = {1, 1, 0, 1e3}; /* a frustrated ring: every weight underflows */
    const int8_t ring[4] = {1, -1, 1, -1};
    double average;
    expect(transfer_block_averages(ring, 1, frozen, (const double[2]){0, 1}, 1, &average, NULL,
                                   NULL) == RSMI_DIVERGED);
}

int main(void)
{
    const double couplings[] = {0.0, 0.4406867935097715, -0.7, 5.0};
    const int small[][3] = {{1, 1, 0}, {1, 1, 1}, {2, 1, 1}, {1, 2, 1},  {2, 2, 1},
                            {3, 3, 0}, {2, 5, 0}, {5, 2, 0}, {12, 1, 0}, {1, 12, 0}};
    const int large[][3] = {{16, 1, 0}, {4, 4, 0}, {4, 4, 1}, {2, 2, 4},
                            {1, 2, 5},  {8, 2, 1}, {3, 5, 1}, {1, 10, 1}};
    for (int64_t k = 0; k < COUNT(couplings); k++) {
        for (int64_t i = 0; i < COUNT(small); i++) {
            const transfer_window w = {small[i][0], small[i][1], small[i][2], couplings[k]};
            expect(transfer_ring_size(w) == 2 * (w.rows + w.columns + 4 * w.buffer));
            check_weights(w);
            check_averages(w);
        }
        for (int64_t i = 0; i < COUNT(large); i++)
            check_averages((transfer_window){large[i][0], large[i][1], large[i][2], couplings[k]});
    }
    check_refusals();
    return 0;
}
