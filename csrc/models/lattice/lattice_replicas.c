/* The front of the bit-sliced sampler: checks, binary digits of the tables, and the choice of
 * instructions.
 *
 * The digits of a table take LATTICE_DRAWS words for each entry, in the caller's workspace. They
 * are made anew in every call, which costs less than one sweep of a lattice of a hundred sites.
 *
 * References: see lattice_sweep.h. */
#include "models/lattice/lattice_replicas.h"

#include "base/generator.h"
#include "base/status.h"
#include "models/lattice/lattice_update.h"

static void (*update_function(int path))(const lattice_job *)
{
    switch (path_chosen(path)) {
#if RSMI_X86
    case PATH_AVX512:
        return lattice_update_avx512;
    case PATH_AVX2:
        return lattice_update_avx2;
    case PATH_SSE2:
        return lattice_update_sse2;
#endif
    case PATH_STRESS:
        return lattice_update_stress;
    default:
        return lattice_update_portable;
    }
}

int lattice_replicas_check(const lattice_replicas *replicas)
{
    const int status = lattice_check(&replicas->system);
    if (status != RSMI_OK)
        return status;
    if (replicas->batches < 1)
        return RSMI_BAD_SHAPE;
    for (int64_t k = 0; k < replicas->system.kinds; k++)
        if (replicas->system.kind[k].classes > LATTICE_CLASSES)
            return RSMI_BAD_SHAPE;
    if (replicas->path < PATH_AUTO || replicas->path > PATH_STRESS)
        return RSMI_BAD_VALUE;
    return path_supported(replicas->path) ? RSMI_OK : RSMI_UNSUPPORTED;
}

int64_t lattice_replicas_workspace(const lattice_replicas *replicas)
{
    return LATTICE_DRAWS * replicas->system.probabilities;
}

void lattice_replicas_seed(const uint64_t rng[4], uint64_t *generator)
{
    generator_seed(rng, 0, generator);
}

/* Turns values of a function of counts into the coefficients of products of their digits: along the
 * axis of a group of `size` neighbours, value number v becomes the XOR of all values whose numbers
 * have no digits but those of v. */
static void expand(int64_t classes, int64_t stride, int64_t size, uint64_t *values)
{
    for (int64_t bit = 1; bit <= size; bit *= 2)
        for (int64_t c = 0; c < classes; c++)
            if (c / stride % (size + 1) & bit)
                values[LATTICE_DRAWS * c] ^= values[LATTICE_DRAWS * (c - bit * stride)];
}

static void write_digits(const lattice_system *system, const lattice_kind *kind, uint64_t *digits)
{
    const uint64_t *p = system->probability + kind->first;
    digits += LATTICE_DRAWS * kind->first;
    for (int j = 0; j < LATTICE_DRAWS; j++) {
        for (int64_t c = 0; c < kind->classes; c++)
            digits[LATTICE_DRAWS * c + j] = 0 - ((p[c] ^ p[c] >> 1) >> (63 - j) & 1);
        for (int64_t g = 0, stride = 1; g < kind->groups; g++) {
            const int64_t size = g < kind->exclusive ? 1 : kind->size[g];
            expand(kind->classes, stride, size, digits + j);
            stride *= size + 1;
        }
    }
}

int lattice_replicas_sweep(const lattice_replicas *replicas, int64_t sweeps, uint64_t *spins,
                           uint64_t *generator, uint64_t *workspace)
{
    if (sweeps < 0)
        return RSMI_BAD_VALUE;
    const lattice_system *system = &replicas->system;
    const lattice_job job = {system, replicas->batches, replicas->order, workspace,
                             spins,  generator};
    void (*const update)(const lattice_job *) = update_function(replicas->path);
    for (int64_t k = 0; k < system->kinds; k++)
        write_digits(system, system->kind + k, workspace);
    for (int64_t i = 0; i < sweeps; i++)
        update(&job);
    return RSMI_OK;
}
