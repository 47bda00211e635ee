/* Metropolis and heat bath in checkerboard order.
 *
 * Sites with an even sum of coordinates interact with odd sites only. A sweep updates the even
 * sublattice, then the odd one, each in row-major order. Both algorithms flip a spin s with a
 * probability that depends only on s h, the product of the spin and the sum of its neighbours:
 *
 *     Metropolis   min(1, exp(-2 K s h))
 *     heat bath    1 / (1 + exp(2 K s h)): the new spin has its conditional distribution,
 *                  whatever the old spin was (Glauber's rate)
 *
 * They share one loop and differ in a table of 64-bit thresholds. Every site takes one draw of 64
 * bits, and the spin flips if bits >= barrier[s h]; the table holds the probability to stay, so
 * that "flip always" is a barrier of zero. No branch depends on the data.
 *
 * Metropolis that always accepts moves of zero cost is not ergodic in this order in three cases. On
 * a chain, domain walls move ballistically, and the number of walls that move left minus the number
 * that move right is conserved. Striped states in which no site has a field are closed orbits, and
 * on sizes up to 4 they are a noticeable share of all states. At K = 0 every spin flips in every
 * sweep. In these cases, and only there, moves of zero cost are accepted with probability 1/2,
 * which keeps detailed balance. On larger lattices the stripes are still closed orbits, but their
 * weight is negligible and no other state leads to them. The heat bath needs no such care.
 *
 * Memory: one byte per spin, rows of `width` spins; see ising_chain.h.
 *
 * References: N. Metropolis et al., J. Chem. Phys. 21, 1087 (1953); R. J. Glauber, J. Math. Phys.
 * 4, 294 (1963). */

#include "base/compiler.h"
#include "base/functions.h"
#include "models/ising/ising_lattice.h"

enum { MAX_FIELD = 6 };

int ising_needs_lazy_zero_moves(const ising_chain *chain)
{
    const int short_axis =
        chain->width <= 4 || chain->height <= 4 || (chain->depth > 1 && chain->depth <= 4);
    return chain->algorithm == ISING_METROPOLIS &&
           (short_axis || chain->coupling == 0); /* a lattice with one axis has height 1 */
}

static void fill_barriers(const ising_chain *chain, uint64_t barrier[2 * MAX_FIELD + 1])
{
    for (int product = -MAX_FIELD; product <= MAX_FIELD; product++) {
        const double cost = 2 * chain->coupling * product;
        uint64_t *stay = &barrier[product + MAX_FIELD];
        if (chain->algorithm == ISING_HEAT_BATH ||
            (cost == 0 && ising_needs_lazy_zero_moves(chain)))
            *stay = bernoulli_threshold(1 / (1 + exp_of(-cost)), 1 / (1 + exp_of(cost)));
        else
            *stay = cost <= 0 ? 0 : bernoulli_threshold(one_minus_exp(cost), exp_of(-cost));
    }
}

/* The row to update and the rows next to it along the height and the depth. Rows along an absent
 * axis are not used. */
typedef struct {
    int8_t *row;
    const int8_t *up, *down, *front, *back;
} row_window;

RSMI_INLINE row_window window_at(const ising_chain *chain, int8_t *spins, int64_t z, int64_t y)
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

RSMI_INLINE void attempt(row_window w, int64_t left, int64_t x, int64_t right, int dimension,
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

RSMI_INLINE void sweep(const ising_chain *chain, int dimension, const uint64_t *barrier,
                       int8_t *spins, uint64_t rng[4])
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
    uint64_t state[4] = {rng[0], rng[1], rng[2], rng[3]}; /* a local copy lives in registers */
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
