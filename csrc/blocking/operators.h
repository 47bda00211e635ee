/* Lattice sums of spin operators on a periodic lattice of one to three axes. */
#ifndef RSMI_OPERATORS_H
#define RSMI_OPERATORS_H

#include <stdint.h>

enum {
    OPERATOR_RANGE = 7,
    OPERATOR_SPINS = 4
}; /* the largest offset on any axis; the most spins in a product */

/* sums[i][a] = sum over all sites x and all terms t of operator a of the product of the spins at x
 * + (the points of t).
 *
 * rows            (n_samples, ceil(sites / 8)), packed, bit 1 = spin +1
 * shape           (3,) planes, rows, columns, each >= 1 (offsets wrap around); absent axes are
 *                 leading ones
 * terms           (n_terms, OPERATOR_SPINS, 3), each point as its offsets along the axes; negative
 *                 where the product is shorter
 * term_operator   (n_terms,), the operator a to which a term belongs
 * sums            (n_samples, n_operators)
 *
 * RSMI_BAD_VALUE: a malformed term. RSMI_NO_MEMORY. */
int operator_sums(const uint8_t *rows, int64_t n_samples, const int64_t *shape,
                  const int32_t *terms, const int32_t *term_operator, int64_t n_terms,
                  int64_t n_operators, int64_t *sums);

/* The number of spins in the product of one row (OPERATOR_SPINS, 3) of the table. */
int operator_spins(const int32_t *term);

/* The largest offset of any term along every axis. RSMI_BAD_VALUE: a malformed term. */
int operator_reach(const int32_t *terms, const int32_t *term_operator, int64_t n_terms,
                   int64_t n_operators, int64_t reach[3]);

#endif
