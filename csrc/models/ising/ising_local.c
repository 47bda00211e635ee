/* Metropolis and heat bath in checkerboard order.
 *
 * Sites with even coordinate sum interact only with odd ones, so a sweep updates the even
 * sublattice, then the odd one, each in row-major order. Both algorithms flip a spin with a
 * probability that depends on the product of the spin and the sum of its neighbours alone: min(1,
 * exp(-2 K s h)) for Metropolis (Metropolis et al., J. Chem. Phys. 21, 1087 (1953)), 1 / (1 + exp(2
 * K s h)) for the heat bath (Glauber's rate: the new spin has its conditional distribution whatever
 * the old one was). They share one loop and differ in the table. One draw of 64 bits per site,
 * always; the spin flips if bits >= barrier[s h], that is, the table holds the probability of
 * staying, and "always flip" is a barrier of zero. No branch depends on the data.
 *
 * Always accepting moves of no cost makes this order non-ergodic in places. On a chain domain walls
 * move ballistically, and the number of those moving left minus those moving right is conserved;
 * striped states in which no site has a field are closed orbits, which on sizes up to 4 are a
 * noticeable share of all states; at K = 0 everything always flips. There, and only there,
 * Metropolis accepts moves of no cost with probability 1/2, which keeps detailed balance. (On
 * larger lattices the stripes remain closed, but they have no weight to speak of and cannot be
 * entered from outside.) The heat bath needs no such care. */
#include "models/ising/ising.h"

#include <math.h>

enum { MAX_FIELD = 6 };

/* Where moves of no cost have to be refused at times (see above). */
int ising_hesitates(const ising_chain *chain)
{
    const int short_axis =
        chain->width <= 4 || chain->height <= 4 || (chain->depth > 1 && chain->depth <= 4);
    return chain->algorithm == ISING_METROPOLIS &&
           (short_axis || chain->coupling == 0); /* a chain has height 1 */
}

static void fill_barriers(const ising_chain *chain, uint64_t barrier[2 * MAX_FIELD + 1])
{
    for (int product = -MAX_FIELD; product <= MAX_FIELD; product++) {
        const double cost = 2 * chain->coupling * product;
        uint64_t *stay = &barrier[product + MAX_FIELD];
        if (chain->algorithm == ISING_HEAT_BATH || (cost == 0 && ising_hesitates(chain)))
            *stay = bernoulli_threshold(1 / (1 + exp(-cost)), 1 / (1 + exp(cost)));
        else
            *stay = cost <= 0 ? 0 : bernoulli_threshold(-expm1(-cost), exp(-cost));
    }
}

/* The rows before and after this one along the height and the depth; unused where that axis is
 * absent. */
typedef struct {
    int8_t *row;
    const int8_t *up, *down, *front, *back;
} row_window;

static inline __attribute__((always_inline)) row_window window_at(const ising_chain *chain,
                                                                  int8_t *spins, int64_t z,
                                                                  int64_t y)
{
    const int64_t width = chain->width, layer = chain->height * width;
    const int64_t above = y ? y - 1 : chain->height - 1, below = y + 1 < chain->height ? y + 1 : 0;
    const int64_t before = z ? z - 1 : chain->depth - 1, after = z + 1 < chain->depth ? z + 1 : 0;
    return (row_window){.row = spins + z * layer + y * width,
                        .up = spins + z * layer + above * width,
                        .down = spins + z * layer + below * width,
                        .front = spins + before * layer + y * width,
                        .back = spins + after * layer + y * width};
}

static inline __attribute__((always_inline)) void attempt(row_window w, int64_t left, int64_t x,
                                                          int64_t right, int dimension,
                                                          const uint64_t *barrier, uint64_t rng[4])
{
    int field = w.row[left] + w.row[right];
    if (dimension > 1)
        field += w.up[x] + w.down[x];
    if (dimension > 2)
        field += w.front[x] + w.back[x];
    const int flip = xoshiro_next(rng) >= barrier[w.row[x] * field + MAX_FIELD];
    w.row[x] = (int8_t)((w.row[x] ^ -flip) + flip);
}

static inline __attribute__((always_inline)) void sweep(const ising_chain *chain, int dimension,
                                                        const uint64_t *barrier, int8_t *spins,
                                                        uint64_t rng[4])
{
    const int64_t last = chain->width - 1;
    for (int64_t colour = 0; colour < 2; colour++)
        for (int64_t z = 0; z < chain->depth; z++)
            for (int64_t y = 0; y < chain->height; y++) {
                const row_window w = window_at(chain, spins, z, y);
                int64_t x = (colour + z + y) & 1;
                if (x == 0) {
                    attempt(w, last, 0, 1, dimension, barrier, rng);
                    x = 2;
                }
                for (; x < last; x += 2)
                    attempt(w, x - 1, x, x + 1, dimension, barrier, rng);
                if (x == last)
                    attempt(w, last - 1, last, 0, dimension, barrier, rng);
            }
}

void ising_checkerboard(const ising_chain *chain, int64_t sweeps, int8_t *spins, uint64_t rng[4])
{
    uint64_t barrier[2 * MAX_FIELD + 1];
    uint64_t state[4] = {rng[0], rng[1], rng[2], rng[3]}; /* a copy lives in registers */
    const int dimension = ising_dimension(chain);
    fill_barriers(chain, barrier);
    for (int64_t i = 0; i < sweeps; i++) {
        if (dimension == 1)
            sweep(chain, 1, barrier, spins, state);
        if (dimension == 2)
            sweep(chain, 2, barrier, spins, state);
        if (dimension == 3)
            sweep(chain, 3, barrier, spins, state);
    }
    for (int k = 0; k < 4; k++)
        rng[k] = state[k];
}
