/* The front of the bit-sliced sampler: checks, thresholds, the choice of instructions and seeds.
 *
 * A sweep updates sublattice 0 in blocks, renews its halo, and does the same for sublattice 1. All
 * that the update of one block needs is collected in a job (ising_bitsliced_update.h): addresses,
 * the range of words, and the binary digits of the acceptance probabilities. The job is then handed
 * to the function for the best instruction set that this processor has.
 *
 * Memory: see ising_bitsliced_layout.h for the spins and ising_bitsliced.h for the random state.
 *
 * References: M. Creutz, L. Jacobs, C. Rebbi, Phys. Rev. Lett. 42, 1390 (1979);
 * ising_bitsliced_sweep.h. */
#include "models/ising/bitsliced/ising_bitsliced.h"

#include <math.h>

#include "base/functions.h"
#include "base/status.h"
#include "models/ising/bitsliced/ising_bitsliced_walk.h"
#include "models/ising/ising.h"
#include "models/ising/ising_lattice.h"

/* ---- Choice of instructions ---- */

static void (*update_function(int path))(const bitsliced_job *)
{
    switch (path_chosen(path)) {
#if RSMI_X86
    case PATH_AVX512:
        return bitsliced_update_avx512;
    case PATH_AVX2:
        return bitsliced_update_avx2;
    case PATH_SSE2:
        return bitsliced_update_sse2;
#endif
    case PATH_STRESS:
        return bitsliced_update_stress;
    default:
        return bitsliced_update_portable;
    }
}

/* ---- Chains ---- */

int bitsliced_check(const bitsliced_chain *chain)
{
    const int status = ising_check(&chain->ising);
    if (status != RSMI_OK)
        return status;
    if (chain->ising.algorithm > ISING_HEAT_BATH || chain->blocks < 1)
        return RSMI_BAD_VALUE;
    if (chain->layout != BITSLICED_STRIP && chain->layout != BITSLICED_REPLICAS)
        return RSMI_BAD_VALUE;
    if (chain->path < PATH_AUTO || chain->path > PATH_STRESS)
        return RSMI_BAD_VALUE;
    if (!path_supported(chain->path))
        return RSMI_UNSUPPORTED;
    if (chain->layout == BITSLICED_STRIP &&
        (chain->ising.width % 128 || bitsliced_first_axis(&chain->ising) % 16))
        return RSMI_BAD_SHAPE;
    return RSMI_OK;
}

void bitsliced_seed(const uint64_t rng[4], int64_t blocks, uint64_t *generators)
{
    for (int64_t block = 0; block < blocks; block++)
        generator_seed(rng, (uint64_t)block, generators + block * BITSLICED_GENERATOR);
}

/* ---- Sweeps ---- */

static bitsliced_job job_for(const bitsliced_chain *chain, int sublattice, uint64_t *spins)
{
    const bitsliced_shape shape = bitsliced_shape_of(chain);
    const double coupling = chain->ising.coupling;
    bitsliced_job job = {.shape = shape,
                         .dimension = ising_dimension(&chain->ising),
                         .metropolis = chain->ising.algorithm == ISING_METROPOLIS,
                         .strip = chain->layout == BITSLICED_STRIP,
                         .sublattice = sublattice,
                         .own = bitsliced_layer_0(shape, sublattice, spins),
                         .other = bitsliced_layer_0(shape, 1 - sublattice, spins),
                         .opposite = coupling < 0 ? ~0ULL : 0,
                         .lazy = ising_needs_lazy_zero_moves(&chain->ising) ? ~0ULL : 0};
    for (int i = 0; i < 3; i++) {
        const double cost = 4 * (i + 1) * fabs(coupling);
        job.probability[i] =
            job.metropolis ? bernoulli_threshold(exp_of(-cost), one_minus_exp(cost))
                           : bernoulli_threshold(1 / (1 + exp_of(cost)), 1 / (1 + exp_of(-cost)));
        const uint64_t p = job.probability[i] ^ (i ? job.probability[0] : 0);
        for (int j = 0; j < BITSLICED_DRAWS; j++)
            job.digits[i][j] = 0 - ((p ^ p >> 1) >> (63 - j) & 1);
    }
    return job;
}

/* Gives the job the range of words of one block. */
static void take_share(bitsliced_job *job, int64_t block, int64_t blocks, uint64_t *generators)
{
    const int64_t pairs = bitsliced_pairs(job->shape);
    job->first = pairs * block / blocks;
    job->last = pairs * (block + 1) / blocks;
    job->generator = generators + block * BITSLICED_GENERATOR;
}

void bitsliced_update(const bitsliced_chain *chain, int sublattice, int64_t block, uint64_t *spins,
                      uint64_t *generators)
{
    bitsliced_job job = job_for(chain, sublattice, spins);
    take_share(&job, block, chain->blocks, generators);
    update_function(chain->path)(&job);
}

int bitsliced_sweep(const bitsliced_chain *chain, int64_t sweeps, uint64_t *spins,
                    uint64_t *generators)
{
    const int status = bitsliced_check(chain);
    if (status != RSMI_OK)
        return status;
    if (sweeps < 0)
        return RSMI_BAD_VALUE;
    void (*const update)(const bitsliced_job *) = update_function(chain->path);
    bitsliced_job jobs[2] = {job_for(chain, 0, spins), job_for(chain, 1, spins)};
    for (int64_t half = 0; half < 2 * sweeps; half++) {
        for (int64_t block = 0; block < chain->blocks; block++) {
            take_share(jobs + (half & 1), block, chain->blocks, generators);
            update(jobs + (half & 1));
        }
        bitsliced_renew_halo(chain, half & 1, spins);
    }
    return RSMI_OK;
}

int bitsliced_sample(const bitsliced_chain *chain, int64_t interval, int64_t count, uint64_t *spins,
                     uint64_t *generators, uint8_t *packed, int64_t *energy, int64_t *magnetization)
{
    const int64_t lattices = chain->layout == BITSLICED_STRIP ? 1 : BITSLICED_BITS,
                  row_bytes = (ising_sites(&chain->ising) + 7) / 8;
    for (int64_t row = 0; row < count * lattices; row += lattices) {
        const int status = bitsliced_sweep(chain, interval, spins, generators);
        if (status != RSMI_OK)
            return status;
        bitsliced_pack(chain, spins, packed + row * row_bytes);
        bitsliced_measure(chain, spins, energy + row, magnetization + row);
    }
    return RSMI_OK;
}
