/* Lattice sums of operators of variables with several states, on a periodic square lattice. */
#ifndef RSMI_STATE_OPERATORS_H
#define RSMI_STATE_OPERATORS_H

#include <stdint.h>

/* All points lie in a square of 3x3 sites: point 3 i + j is at row i and column j. */
enum { STATE_POINTS = 9, STATE_PAIRS = 3, MOST_OPERATOR_STATES = 16 };

/* A term is a product of at most STATE_PAIRS statements that the variables at two points are equal.
 * Its even operator counts where it holds; its odd one counts, for every colour a, where it holds
 * and the variable at one more point has the colour a.
 *
 * rows     (n_samples, ceil(planes * sites / 8)), the bits of arrays (planes, *shape) in C order
 * shape    (2,) rows and columns
 * pairs    (n_terms, STATE_PAIRS, 2), the points of the statements; negative where there are fewer
 * points   (n_terms,), the point whose colour counts; negative for an even term
 * owner    (n_terms,), the even operator, or the odd one, to which a term belongs
 * even     (n_samples, n_even)
 * odd      (n_samples, states, n_odd)
 *
 * RSMI_BAD_SHAPE, RSMI_BAD_VALUE: a malformed term, or a code that is that of no state.
 * RSMI_NO_MEMORY. */
int state_operator_sums(const uint8_t *rows, int64_t n_samples, const int64_t shape[2],
                        int64_t states, const int32_t *pairs, const int32_t *points,
                        const int32_t *owner, int64_t n_terms, int64_t n_even, int64_t n_odd,
                        int64_t *even, int64_t *odd);

#endif
