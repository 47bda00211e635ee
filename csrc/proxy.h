/* The two RSMI objectives evaluated on the pairs (v_j, e_i) of one minibatch. */
#ifndef RSMI_PROXY_H
#define RSMI_PROXY_H

#include <stdint.h>

/* Both: energies (n, padded n) = f(v_j, e_i), row i = environment, column j = block (destroyed); q (n_states, n) batch-last;
 * scratch (3 n_states, padded n); derivative (n_states, n) = dA/dq(h|v_j), every q taken as independent. Return A. */

/* First cumulant, KR eq. 14. Its maximum is right, its value is not a mutual information. */
double proxy_objective(int64_t n_states, int64_t n, const double *q, double *energies, double *scratch, double *derivative);

/* KR eq. 12, without the Jensen step. */
double log_sum_objective(int64_t n_states, int64_t n, const double *q, double *energies, double *scratch, double *derivative);

#endif
