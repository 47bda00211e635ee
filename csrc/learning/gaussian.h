/* Private to learning: the first cumulant with the critic of correlated Gaussian variables, which
 * is bilinear in block and environment. */
#ifndef RSMI_GAUSSIAN_H
#define RSMI_GAUSSIAN_H

#include <stdint.h>

#include "base/arena.h"
#include "learning/window_table.h"

typedef struct {
    double *pull;                    /* (n_block, n): the critic times the centred environments */
    double *own;                     /* (n,): energy of a block with its own environment */
    double *offset, *blocks, *pulls; /* (n_block,); (n_states, n_block), twice */
} gaussian_workspace;

void gaussian_take(arena *a, int64_t n_states, int64_t n, int64_t n_block, gaussian_workspace *w);

/* blocks (n_block, n), environments (n_environment, n) and q (n_states, n) = q(h|v_s) are
 * batch-last. The table has the critic and the means (NULL: zero). Writes derivative (n_states, n)
 * = dA/dq(h|v_s) and returns A. */
double gaussian_objective(const window_table *windows, int64_t n_states, int64_t n,
                          const double *blocks, const double *environments, const double *q,
                          gaussian_workspace *w, double *derivative);

#endif
