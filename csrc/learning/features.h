/* The features of variables with several states, and filters that are tied to the symmetry of the
 * states. */
#ifndef RSMI_FEATURES_H
#define RSMI_FEATURES_H

#include <stdint.h>

/* Numbers (states, width) that stand for the states 0 .. states - 1 of a variable. Without values
 * (NULL) a variable is +-1 and stands for itself, with the width 1. */
typedef struct {
    int64_t states, width;
    const double *values;
} feature_table;

/* The number of features of so many variables. */
int64_t feature_count(const feature_table *f, int64_t sites);

/* out (feature_count, n), batch-last, receives the features of the n windows `index` of the table
 * codes (windows, sites). */
void gather_features(const feature_table *f, int64_t n, int64_t sites, const int8_t *codes,
                     const int64_t *index, double *out);

/* Filters (states, sites width) of a coarse variable with as many states as the sites have, from
 * one weight for each site: filters[h][i width + a] = weights[i] values[h][a]. */
void expand_ties(const feature_table *f, int64_t sites, const double *weights, double *filters);

/* The gradient in the weights (sites,) from that in the filters. */
void contract_ties(const feature_table *f, int64_t sites, const double *filters, double *weights);

#endif
