#ifndef RSMI_TRANSFER_H
#define RSMI_TRANSFER_H

#include <stdint.h>

enum { TRANSFER_MAX_BLOCK = 16, TRANSFER_MAX_WIDTH = 12 };

/* A block of rows x columns sites with a buffer of the given width on the square lattice, and the
 * Ising coupling K = J / (k_B T). */
typedef struct {
    int rows, columns, buffer;
    double coupling;
} transfer_window;

/* The number of spins in one ring. Their order is: above (columns + 2 buffer), below, left (rows +
 * 2 buffer), right. */
int transfer_ring_size(transfer_window window);

/* For each of n rings (n x ring size, spins +-1), computes the weights of the 2^(rows * columns)
 * states of the block, with the buffer summed over: exp(K sum s s' - |K| bonds) over all bonds
 * inside block and buffer and to the ring. Bit i of a state is 1 where site i (row-major) is +1.
 * Weights of different rings can be compared. Output: n x states.
 *
 * RSMI_BAD_SHAPE: more than TRANSFER_MAX_BLOCK sites, or wider than TRANSFER_MAX_WIDTH.
 * RSMI_NO_MEMORY. */
int transfer_block_weights(const int8_t *rings, int64_t n, transfer_window window, double *weights);

/* Averages under P(V | ring), without keeping it: of n_functions functions of the block state
 * (states x n_functions) into averages (n x n_functions); the entropy of P(V | ring) in nats into
 * entropy (n, may be NULL); and the sum of P(V | ring) over the n rings into marginal (states, may
 * be NULL).
 *
 * RSMI_DIVERGED: all weights underflow (a ring of probability below 1e-300). */
int transfer_block_averages(const int8_t *rings, int64_t n, transfer_window window,
                            const double *functions, int64_t n_functions, double *averages,
                            double *entropy, double *marginal);

#endif
