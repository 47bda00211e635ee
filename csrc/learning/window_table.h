/* The windows of one training of Lambda, and what is known of them. */
#ifndef RSMI_WINDOW_TABLE_H
#define RSMI_WINDOW_TABLE_H

#include "learning/features.h"
#include "learning/theta.h"

/* Windows as int8: blocks (n_windows, n_block), environments (n_windows, n_environment) of
 * variables
 * +-1, or of codes with a table of features (decoder only), which then take the place of spins.
 * theta is NULL for the decoder and the Gaussian critic; critic (n_block, n_environment) is for the
 * latter only (gaussian.h). The means are given both or not at all; with them x_j = sum_i
 * filters[j][i] (v_i - mean_i) + bias[j], and likewise for the decoder. */
typedef struct {
    int64_t n_windows, n_block, n_environment;
    const int8_t *blocks, *environments;
    const theta_pair *theta;
    const double *block_mean, *environment_mean, *critic;
    feature_table features;
} window_table;

#endif
