/* Powers and products of lattice averages, added configuration by configuration.
 *
 * The order of the additions is that of the configurations, so that the sums do not depend on how
 * configurations are divided into calls. Even functions enter as deviations from an offset of their
 * group: their mean may be a thousand times larger than its fluctuations. */
#include "blocking/group_sums.h"

#include <math.h>
#include <string.h>

#include "base/compiler.h"
#include "base/status.h"

RSMI_INLINE void add_configuration(const group_sums *s, const double *even, const double *odd,
                                   int64_t g)
{
    double *offset = s->offset + g * s->n_even, *even_sums = s->even_sums + 2 * g * s->n_even,
           *odd_sums = s->odd_sums + GROUP_POWERS * g * s->n_odd,
           *cross = s->cross_sums + GROUP_POWERS * g * s->n_even * s->n_odd;
    if (s->count[g] == 0)
        memcpy(offset, even, (size_t)s->n_even * sizeof *offset);
    s->count[g] += 1;
    for (int64_t k = 0; k < s->n_even; k++) {
        const double deviation = even[k] - offset[k];
        even_sums[2 * k] += deviation;
        even_sums[2 * k + 1] += deviation * deviation;
    }
    for (int64_t l = 0; l < s->n_odd; l++) {
        const double size = fabs(odd[l]), square = size * size,
                     powers[GROUP_POWERS] = {size, square, square * square};
        for (int p = 0; p < GROUP_POWERS; p++)
            odd_sums[GROUP_POWERS * l + p] += powers[p];
        for (int64_t k = 0; k < s->n_even; k++)
            for (int p = 0; p < GROUP_POWERS; p++)
                cross[GROUP_POWERS * (k * s->n_odd + l) + p] += (even[k] - offset[k]) * powers[p];
    }
}

static int are_groups(const int64_t *groups, int64_t n_samples, int64_t n_groups)
{
    for (int64_t i = 0; i < n_samples; i++)
        if (groups[i] < 0 || groups[i] >= n_groups)
            return 0;
    return 1;
}

int add_to_groups(const group_sums *sums, const double *even, const double *odd,
                  const int64_t *groups, int64_t n_samples)
{
    if (!are_groups(groups, n_samples, sums->n_groups))
        return RSMI_BAD_VALUE;
    for (int64_t i = 0; i < n_samples; i++)
        add_configuration(sums, even + i * sums->n_even, odd + i * sums->n_odd, groups[i]);
    return RSMI_OK;
}

int add_rows_to_groups(const double *rows, int64_t width, const int64_t *groups, int64_t n_samples,
                       int64_t n_groups, double *sums)
{
    if (!are_groups(groups, n_samples, n_groups))
        return RSMI_BAD_VALUE;
    for (int64_t i = 0; i < n_samples; i++)
        for (int64_t j = 0; j < width; j++)
            sums[groups[i] * width + j] += rows[i * width + j];
    return RSMI_OK;
}
