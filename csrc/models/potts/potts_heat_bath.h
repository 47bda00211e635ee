/* The table of heat bath: the distribution of a variable given its neighbours, by Walker's alias
 * method. */
#ifndef RSMI_POTTS_HEAT_BATH_H
#define RSMI_POTTS_HEAT_BATH_H

#include <stdint.h>

/* The number of entries of the table, q^(2d + 1); 0 if they are so many that the sums of the
 * weights are faster: more than five states in three dimensions, where few of the combinations
 * recur and a table of 2 MB leaves the caches. In two dimensions the largest table has 2^20
 * entries. */
int64_t potts_alias_entries(int states, int dimension);

/* Fills the table from the weights (q, q) of a bond. */
void potts_alias_table(const double *weights, int states, int dimension, uint64_t *table);

#endif
