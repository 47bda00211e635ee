/* RSMI by enumeration of the block: I(H:E) from the table P(V|e), for blocks of at most 16
 * sites. */
#ifndef RSMI_ENUMERATE_H
#define RSMI_ENUMERATE_H

#include <stdint.h>

#include "base/arena.h"
#include "learning/features.h"

enum { ENUMERATE_LARGEST_BLOCK = 16 };

/* The number of states of a block; -1 beyond 2^16. */
int64_t block_states(const feature_table *features, int64_t n_block);

/* Sums over the environments so far. */
typedef struct {
    int64_t n_states, n_blocks, environments;
    double conditional_entropy;
    double *block_sum;  /* (n_blocks,) of P(V|e) */
    double *state_sum;  /* (n_states,) of P(h|e) */
    double *derivative; /* (n_states, n_blocks) batch-last: of P(V|e) log P(h|e); at the end
                           dA/dq(h|V) */
    double *posterior_h, *log_h;
} enumeration;

/* Takes the space for n_blocks = 2^n_block columns and at most `rows` environments at a time. */
void enumeration_take(arena *a, int64_t n_states, int64_t n_blocks, int64_t rows, enumeration *e);

void enumeration_reset(enumeration *e);

/* Adds environments: posterior (rows, padded n_blocks) = P(V|e_i); q (n_states, n_blocks) of all
 * blocks. */
void enumeration_add(enumeration *e, int64_t rows, const double *posterior, const double *q);

/* Returns I = H(mean P) - mean H(P(.|e)) and leaves dI/dq(h|V) in e->derivative. */
double enumeration_finish(enumeration *e);

/* Turns rows of log-weights (rows, padded n_blocks) into normalised probabilities. */
void normalize_rows(int64_t rows, int64_t n_blocks, double *log_weight);

/* Writes all blocks as features (feature_count, n_blocks), batch-last: the code of site i is the
 * digit of q^i in the number of a state, and for variables +-1 bit i. */
void all_blocks(const feature_table *features, int64_t n_block, double *out);

/* I(H:E) and its gradient from a given table posterior (n_environments, 2^n_block) = P(V|e). With a
 * table of features the sites have its number q of states, and the states of the block are sum_i
 * code_i q^i, at most 2^16; a softmax has n_hidden coarse states, see channel.h. */
int enumerate_information(const double *posterior, int64_t n_environments, int64_t n_block,
                          int64_t n_hidden, int softmax, const feature_table *features,
                          const double *filters, const double *bias, double *value,
                          double *filters_gradient, double *bias_gradient);

#endif
