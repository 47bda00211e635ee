/* Heat bath: a variable is drawn from its distribution given its neighbours.
 *
 * The distribution depends on the states of the 2d neighbours. If they have few combinations, there
 * is a table of Walker's alias method for each of them: a random word chooses one of the q states
 * as the digit of its product with q, and the lower half of the product decides between this state
 * and another one, its alias. An update then costs one random word and one load, however large q
 * is. An entry of the table has the probability of the state in its upper 60 bits, and the alias in
 * its lower 4. Without a table the weights of all states are multiplied and summed up.
 *
 * Sites are updated one after the other, those with an even sum of coordinates first: neighbours
 * then do not wait for each other's loads. Any fixed order leaves the distribution as it is, so
 * that sides may be odd.
 *
 * References: A. J. Walker, ACM Trans. Math. Softw. 3, 253 (1977); M. D. Vose, IEEE Trans. Softw.
 * Eng. 17, 972 (1991). */
#include "models/potts/potts_heat_bath.h"

#include "models/potts/potts_update.h"

enum { ALIAS = 15 };               /* the bits of an entry that hold the alias */
enum { MOST_STATES_IN_SPACE = 5 }; /* of a table in three dimensions */

/* ---- tables ---- */

int64_t potts_alias_entries(int states, int dimension)
{
    int64_t entries = states;
    if (dimension == 3 && states > MOST_STATES_IN_SPACE)
        return 0;
    for (int i = 0; i < 2 * dimension; i++)
        entries *= states;
    return entries;
}

/* Makes the table of one distribution, which is not normalized. */
static void make_entries(const double *weights, int states, uint64_t *entries)
{
    double sum = 0, scaled[POTTS_MOST_STATES];
    int small[POTTS_MOST_STATES], large[POTTS_MOST_STATES], n_small = 0, n_large = 0;
    for (int state = 0; state < states; state++)
        sum += weights[state];
    for (int state = 0; state < states; state++) {
        scaled[state] = weights[state] / sum * states;
        if (scaled[state] < 1)
            small[n_small++] = state;
        else
            large[n_large++] = state;
    }
    while (n_small > 0 && n_large > 0) {
        const int state = small[--n_small], alias = large[n_large - 1];
        entries[state] =
            (probability_threshold(scaled[state]) & ~(uint64_t)ALIAS) | (uint64_t)alias;
        scaled[alias] -= 1 - scaled[state];
        if (scaled[alias] < 1) {
            n_large--;
            small[n_small++] = alias;
        }
    }
    while (n_large > 0)
        entries[large[n_large - 1]] = (uint64_t)large[n_large - 1], n_large--;
    while (n_small > 0)
        entries[small[n_small - 1]] = (uint64_t)small[n_small - 1], n_small--;
}

void potts_alias_table(const double *weights, int states, int dimension, uint64_t *table)
{
    const int64_t combinations = potts_alias_entries(states, dimension) / states;
    for (int64_t combination = 0; combination < combinations; combination++) {
        double product[POTTS_MOST_STATES];
        for (int state = 0; state < states; state++)
            product[state] = 1;
        int64_t rest = combination;
        for (int i = 0; i < 2 * dimension; i++, rest /= states)
            for (int state = 0; state < states; state++)
                product[state] *= weights[rest % states * states + state];
        make_entries(product, states, table + combination * states);
    }
}

/* ---- updates ---- */

RSMI_INLINE uint8_t by_alias(const potts_chain *chain, const uint32_t *neighbours, int n,
                             uint64_t bits)
{
    const uint32_t states = (uint32_t)chain->states;
    uint64_t combination = neighbours[0];
    for (int i = 1; i < n; i++)
        combination = combination * states + neighbours[i];
    const unsigned __int128 product = (unsigned __int128)bits * states;
    const uint64_t state = (uint64_t)(product >> 64), rest = (uint64_t)product,
                   entry = chain->alias[combination * states + state];
    return (uint8_t)(rest >> 4 < entry >> 4 ? state : entry & ALIAS);
}

RSMI_INLINE uint8_t by_weights(const potts_chain *chain, const uint32_t *neighbours, int n,
                               uint64_t bits)
{
    const int states = chain->states;
    double sums[POTTS_MOST_STATES], sum = 0;
    for (int state = 0; state < states; state++) {
        double product = 1;
        for (int i = 0; i < n; i++)
            product *= chain->weights[neighbours[i] * (uint32_t)states + (uint32_t)state];
        sums[state] = sum += product;
    }
    const double level = (double)(bits >> 11) * 0x1.0p-53 * sum;
    int chosen = 0;
    for (int state = 0; state + 1 < states; state++)
        chosen += sums[state] <= level;
    return (uint8_t)chosen;
}

/* Updates every other site of a row, from `first` on. The rows beside it are those of the other
 * axes: below, above, and, if there are layers, behind and in front. */
RSMI_INLINE void update_row(const potts_chain *chain, uint8_t *row, const uint8_t *const *beside,
                            int n, int64_t first, int with_table, uint64_t rng[4])
{
    const int64_t width = chain->width;
    for (int64_t x = first; x < width; x += 2) {
        uint32_t neighbours[6] = {row[x == 0 ? width - 1 : x - 1], row[x + 1 == width ? 0 : x + 1]};
        for (int i = 2; i < n; i++)
            neighbours[i] = beside[i - 2][x];
        const uint64_t bits = xoshiro_next(rng);
        row[x] = with_table ? by_alias(chain, neighbours, n, bits)
                            : by_weights(chain, neighbours, n, bits);
    }
}

RSMI_INLINE void update_half(const potts_chain *chain, uint8_t *spins, int n, int64_t parity,
                             int with_table, uint64_t rng[4])
{
    const int64_t height = chain->height, depth = chain->depth, width = chain->width,
                  layer = height * width;
    for (int64_t z = 0; z < depth; z++)
        for (int64_t y = 0; y < height; y++) {
            uint8_t *plane = spins + z * layer, *row = plane + y * width;
            const uint8_t *const beside[4] = {
                plane + (y == 0 ? height - 1 : y - 1) * width,
                plane + (y + 1 == height ? 0 : y + 1) * width,
                spins + (z == 0 ? depth - 1 : z - 1) * layer + y * width,
                spins + (z + 1 == depth ? 0 : z + 1) * layer + y * width,
            };
            update_row(chain, row, beside, n, (z + y + parity) & 1, with_table, rng);
        }
}

RSMI_INLINE void sweeps_of(const potts_chain *chain, int64_t sweeps, uint8_t *spins, int n,
                           int with_table, uint64_t rng[4])
{
    uint64_t state[4] = {rng[0], rng[1], rng[2], rng[3]};
    for (int64_t i = 0; i < sweeps; i++)
        for (int64_t parity = 0; parity < 2; parity++)
            update_half(chain, spins, n, parity, with_table, state);
    for (int k = 0; k < 4; k++)
        rng[k] = state[k];
}

void potts_heat_bath(const potts_chain *chain, int64_t sweeps, uint8_t *spins, uint64_t rng[4])
{
    const int dimension = potts_dimension(chain);
    if (!chain->alias)
        sweeps_of(chain, sweeps, spins, 2 * dimension, 0, rng);
    else if (dimension == 1)
        sweeps_of(chain, sweeps, spins, 2, 1, rng);
    else if (dimension == 2)
        sweeps_of(chain, sweeps, spins, 4, 1, rng);
    else
        sweeps_of(chain, sweeps, spins, 6, 1, rng);
}
