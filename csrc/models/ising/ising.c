/* The front of the Ising sampler: validation, the choice of the algorithm, measurement and the
 * sampling loop.
 *
 * The energy is a sum of products of the lattice with itself, shifted by one site along each axis.
 * Written like this the inner loops run over long stretches of bytes, and the compiler vectorizes
 * them. The bonds that wrap around the lattice are corrected afterwards. Each sample leaves as a
 * row of packed bits, which is the form in which samples are stored.
 *
 * Reference: M. E. J. Newman, G. T. Barkema, Monte Carlo Methods in Statistical Physics (1999). */
#include "models/ising/ising.h"

#include <math.h>

#include "base/compiler.h"
#include "base/status.h"
#include "models/ising/ising_lattice.h"

int ising_check(const ising_chain *chain)
{
    const int64_t shape[3] = {chain->depth, chain->height, chain->width};
    const int clusters = chain->algorithm == ISING_SWENDSEN_WANG || chain->algorithm == ISING_WOLFF;
    int64_t sites = 1;
    if (chain->algorithm < ISING_METROPOLIS || chain->algorithm > ISING_WOLFF)
        return RSMI_BAD_VALUE;
    for (int axis = 0; axis < 3; axis++) {
        const int absent = shape[axis] == 1 && sites == 1 && axis < 2;
        if (!absent && (shape[axis] < 2 || (!clusters && shape[axis] % 2)))
            return RSMI_BAD_SHAPE;
        if (shape[axis] > INT32_MAX / sites)
            return RSMI_BAD_SHAPE;
        sites *= shape[axis];
    }
    if (!isfinite(chain->coupling) || (clusters && chain->coupling < 0))
        return RSMI_BAD_VALUE;
    return chain->clusters_per_sweep < 1 ? RSMI_BAD_VALUE : RSMI_OK;
}

int64_t ising_workspace(const ising_chain *chain)
{
    if (chain->algorithm == ISING_SWENDSEN_WANG)
        return ising_swendsen_wang_workspace(chain);
    if (chain->algorithm == ISING_WOLFF)
        return ising_wolff_workspace(chain);
    return 0;
}

int ising_sweep(const ising_chain *chain, int64_t sweeps, int8_t *spins, uint64_t rng[4],
                uint64_t *workspace)
{
    const int status = ising_check(chain);
    if (status != RSMI_OK)
        return status;
    if (sweeps < 0)
        return RSMI_BAD_VALUE;
    if (chain->algorithm == ISING_SWENDSEN_WANG)
        ising_swendsen_wang(chain, sweeps, spins, rng, workspace);
    else if (chain->algorithm == ISING_WOLFF)
        ising_wolff(chain, sweeps * chain->clusters_per_sweep, spins, rng, workspace);
    else
        ising_checkerboard(chain, sweeps, spins, rng);
    return RSMI_OK;
}

RSMI_CLONES static int32_t overlap(const int8_t *a, const int8_t *b, int64_t n)
{
    int32_t sum = 0;
    for (int64_t i = 0; i < n; i++)
        sum += a[i] * b[i];
    return sum;
}

int64_t ising_energy(const ising_chain *chain, const int8_t *spins)
{
    const int64_t width = chain->width, layer = chain->height * width, sites = ising_sites(chain);
    int64_t bonds = overlap(
        spins, spins + 1, sites - 1); /* all rows in one line; the loop below corrects the joints */
    for (int64_t row = 0; row < sites; row += width)
        bonds +=
            spins[row + width - 1] * (spins[row] - (row + width < sites ? spins[row + width] : 0));
    if (chain->height > 1)
        for (int64_t first = 0; first < sites; first += layer) {
            bonds += overlap(spins + first, spins + first + width, layer - width);
            bonds += overlap(spins + first + layer - width, spins + first, width);
        }
    if (chain->depth > 1)
        bonds += overlap(spins, spins + layer, sites - layer) +
                 overlap(spins + sites - layer, spins, layer);
    return -bonds;
}

RSMI_CLONES static int32_t total(const int8_t *spins, int64_t n)
{
    int32_t sum = 0;
    for (int64_t i = 0; i < n; i++)
        sum += spins[i];
    return sum;
}

int64_t ising_magnetization(const ising_chain *chain, const int8_t *spins)
{
    return total(spins, ising_sites(chain));
}

static void pack(const int8_t *spins, int64_t sites, uint8_t *packed)
{
    for (int64_t i = 0; i < sites; i += 64) {
        const int64_t n = sites - i < 64 ? sites - i : 64;
        const uint64_t word = ising_pack_word(spins + i, n);
        memcpy(packed + i / 8, &word, (size_t)(n + 7) / 8);
    }
}

int ising_sample(const ising_chain *chain, int64_t interval, int64_t count, int8_t *spins,
                 uint64_t rng[4], uint64_t *workspace, uint8_t *packed, int64_t *energy,
                 int64_t *magnetization)
{
    const int64_t sites = ising_sites(chain), row_bytes = (sites + 7) / 8;
    for (int64_t i = 0; i < count; i++) {
        const int status = ising_sweep(chain, interval, spins, rng, workspace);
        if (status != RSMI_OK)
            return status;
        pack(spins, sites, packed + i * row_bytes);
        energy[i] = ising_energy(chain, spins);
        magnetization[i] = ising_magnetization(chain, spins);
    }
    return RSMI_OK;
}
