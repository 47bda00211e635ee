/* The front of the samplers of q states: validation, the choice of the algorithm, measurement and
 * the sampling loop.
 *
 * Bonds are counted by the class of their two states. With two classes, of equal and of different
 * states, rows are compared as bytes, which the compiler vectorizes; other classes are looked up.
 */
#include "models/potts/potts.h"

#include <math.h>

#include "base/bits.h"
#include "base/status.h"
#include "models/potts/potts_update.h"

int potts_check(const potts_chain *chain)
{
    const int64_t shape[3] = {chain->depth, chain->height, chain->width};
    int64_t sites = 1;
    if (chain->algorithm < POTTS_HEAT_BATH || chain->algorithm > POTTS_WOLFF)
        return RSMI_BAD_VALUE;
    if (chain->states < 2 || chain->states > POTTS_MOST_STATES)
        return RSMI_BAD_VALUE;
    for (int axis = 0; axis < 3; axis++) {
        const int absent = shape[axis] == 1 && sites == 1 && axis < 2;
        if ((!absent && shape[axis] < 2) || shape[axis] > INT32_MAX / sites)
            return RSMI_BAD_SHAPE;
        sites *= shape[axis];
    }
    return isfinite(chain->coupling) && chain->coupling >= 0 ? RSMI_OK : RSMI_BAD_VALUE;
}

int64_t potts_workspace(const potts_chain *chain)
{
    if (chain->algorithm == POTTS_SWENDSEN_WANG)
        return potts_swendsen_wang_workspace(chain);
    return chain->algorithm == POTTS_WOLFF ? potts_wolff_workspace(chain) : 0;
}

/* ---- measurement ---- */

RSMI_CLONES static int64_t equal_states(const uint8_t *a, const uint8_t *b, int64_t n)
{
    int32_t sum = 0;
    for (int64_t i = 0; i < n; i++)
        sum += a[i] == b[i];
    return sum;
}

static void count_pairs(const potts_chain *chain, const uint8_t *a, const uint8_t *b, int64_t n,
                        const uint8_t *classes, int64_t n_classes, int64_t *pairs)
{
    if (n_classes == 2) {
        const int64_t equal = equal_states(a, b, n);
        pairs[classes[0]] += equal;
        pairs[classes[1]] += n - equal;
        return;
    }
    for (int64_t i = 0; i < n; i++)
        pairs[classes[a[i] * chain->states + b[i]]]++;
}

void potts_pairs(const potts_chain *chain, const uint8_t *spins, const uint8_t *classes,
                 int64_t n_classes, int64_t *pairs)
{
    const int64_t width = chain->width, height = chain->height, layer = height * width,
                  sites = potts_sites(chain);
    for (int64_t first = 0; first < sites; first += width) {
        const uint8_t *row = spins + first, *last = row + width - 1;
        count_pairs(chain, row, row + 1, width - 1, classes, n_classes, pairs);
        count_pairs(chain, last, row, 1, classes, n_classes, pairs);
    }
    if (height > 1)
        for (int64_t first = 0; first < sites; first += layer) {
            const uint8_t *top = spins + first, *last = top + layer - width;
            count_pairs(chain, top, top + width, layer - width, classes, n_classes, pairs);
            count_pairs(chain, last, top, width, classes, n_classes, pairs);
        }
    if (chain->depth > 1) {
        count_pairs(chain, spins, spins + layer, sites - layer, classes, n_classes, pairs);
        count_pairs(chain, spins + sites - layer, spins, layer, classes, n_classes, pairs);
    }
}

static void pack(const potts_chain *chain, const uint8_t *spins, uint8_t *packed, int64_t row_bytes)
{
    const int64_t sites = potts_sites(chain);
    memset(packed, 0, (size_t)row_bytes);
    for (int plane = 0; plane < potts_planes(chain->states); plane++)
        for (int64_t i = 0; i < sites; i += 64) {
            const int64_t n = sites - i < 64 ? sites - i : 64;
            join_bits(packed, plane * sites + i, potts_pack_plane(spins + i, n, plane), (int)n);
        }
}

/* ---- the loop ---- */

int potts_sample(const potts_chain *chain, int64_t updates, int64_t count, uint8_t *spins,
                 uint64_t rng[4], uint64_t *workspace, const uint8_t *classes, int64_t n_classes,
                 uint8_t *packed, int64_t *pairs, int64_t *moved)
{
    const int status = potts_check(chain);
    if (status != RSMI_OK)
        return status;
    const int64_t row_bytes = (potts_planes(chain->states) * potts_sites(chain) + 7) / 8;
    *moved = 0;
    for (int64_t i = 0; i < count; i++) {
        if (chain->algorithm == POTTS_SWENDSEN_WANG)
            potts_swendsen_wang(chain, updates, spins, rng, workspace);
        else if (chain->algorithm == POTTS_WOLFF)
            *moved += potts_wolff(chain, updates, spins, rng, workspace);
        else
            potts_heat_bath(chain, updates, spins, rng);
        pack(chain, spins, packed + i * row_bytes, row_bytes);
        memset(pairs + i * n_classes, 0, (size_t)n_classes * sizeof *pairs);
        potts_pairs(chain, spins, classes, n_classes, pairs + i * n_classes);
    }
    return RSMI_OK;
}
