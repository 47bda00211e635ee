/* The table of heat bath: the distribution of a variable given its neighbours, by Walker's alias
 * method. */
#ifndef RSMI_POTTS_HEAT_BATH_H
#define RSMI_POTTS_HEAT_BATH_H

#include <stdint.h>

enum { POTTS_MOST_ENTRIES = 1 << 21 }; /* of a table: 16 MB */

/* The number of entries of the table, q^(2d + 1); 0 if they would be too many. */
int64_t potts_alias_entries(int states, int dimension);

/* Fills the table from the weights (q, q) of a bond. */
void potts_alias_table(const double *weights, int states, int dimension, uint64_t *table);

#endif
