/* Sums of powers and products of lattice averages over groups of configurations. */
#ifndef RSMI_GROUP_SUMS_H
#define RSMI_GROUP_SUMS_H

#include <stdint.h>

enum { GROUP_POWERS = 3 }; /* |m|, m^2 and m^4 */

/* The sums of all groups, see rsmi/renormalization/spectrum/group_sums.py for their meaning.
 *
 * count        (groups,)
 * offset       (groups, n_even), set by the first configuration of a group
 * even_sums    (groups, n_even, 2)
 * odd_sums     (groups, n_odd, GROUP_POWERS)
 * cross_sums   (groups, n_even, n_odd, GROUP_POWERS) */
typedef struct {
    int64_t n_groups, n_even, n_odd;
    double *count, *offset, *even_sums, *odd_sums, *cross_sums;
} group_sums;

/* Adds configurations, one after the other. even: (n_samples, n_even), odd: (n_samples, n_odd),
 * groups: (n_samples,).
 *
 * RSMI_BAD_VALUE: a group out of range; nothing is added. */
int add_to_groups(const group_sums *sums, const double *even, const double *odd,
                  const int64_t *groups, int64_t n_samples);

/* Adds rows (n_samples, width) of numbers to the sums (n_groups, width) of their groups, in the
 * same order and with the same errors. */
int add_rows_to_groups(const double *rows, int64_t width, const int64_t *groups, int64_t n_samples,
                       int64_t n_groups, double *sums);

#endif
