/* Private to learning: the two RSMI objectives that are evaluated on pairs (v_j, e_i) of samples of
 * V and environments of a minibatch. */
#ifndef RSMI_PROXY_H
#define RSMI_PROXY_H

#include <stdint.h>

#include "base/arena.h"

/* The samples of V and the workspace. The caller sets own, weight and energies; the energies are
 * destroyed. */
typedef struct {
    int64_t rows, columns;
    int leave_own_out; /* the columns are the own blocks of the rows: leave (v_i, e_i) out */
    int64_t *own;      /* (rows,) the column that is the own block of the row */
    double *weight;    /* (padded columns,) frequencies of the columns, of sum 1, padding 0 */
    double *energies;  /* (rows, padded columns) f(v_j, e_i) */
    double *w, *conditional, *rows_of_state, *back, *probability;
} proxy_columns;

/* Takes the space for rows x columns. The caller sets the sizes of a call in `c`. */
void proxy_take(arena *a, int64_t n_states, int64_t rows, int64_t columns, proxy_columns *c);

/* Both objectives take q (n_states, columns), batch-last = q(h|v_j), write derivative (n_states,
 * columns) = dA/dq(h|v_j), and return A. */

/* The first cumulant (Koch-Janusz & Ringel 2018, eq. 14). Its maximum is right; its value is not a
 * mutual information. */
double proxy_objective(int64_t n_states, const double *q, const proxy_columns *c,
                       double *derivative);

/* Koch-Janusz & Ringel 2018, eq. 12, without the step that uses Jensen's inequality. */
double log_sum_objective(int64_t n_states, const double *q, const proxy_columns *c,
                         double *derivative);

#endif
