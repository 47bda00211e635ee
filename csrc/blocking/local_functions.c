/* Whether the arrays that describe local functions are in range, so that kernels need not look. */
#include "blocking/local_functions.h"

#include <stdlib.h>

#include "base/status.h"

int check_local_functions(const local_functions *f)
{
    if (f->shape[0] * f->shape[1] * f->shape[2] >= MODE_LARGEST_SITES)
        return RSMI_BAD_SHAPE;
    for (int64_t p = 0; p < f->n_products; p++)
        if (f->first[p] >= f->first[p + 1])
            return RSMI_BAD_VALUE;
    for (int64_t i = 0; i < 3 * f->first[f->n_products]; i++)
        if (f->points[i] < 0 || f->points[i] >= f->shape[i % 3])
            return RSMI_BAD_VALUE;
    for (int64_t i = 0; i < 3 * f->n_modes; i++)
        if (abs(f->numbers[i]) > MODE_WAVES / 2 ||
            (f->numbers[i] && (i < 3 || f->shape[i % 3] == 1)))
            return RSMI_BAD_VALUE;
    for (int64_t m = 1; m < f->n_modes; m++)
        if (f->orbit[m] < 0 || f->orbit[m] >= f->n_orbits)
            return RSMI_BAD_VALUE;
    return f->first[0] == 0 && f->n_modes > 0 ? RSMI_OK : RSMI_BAD_VALUE;
}
