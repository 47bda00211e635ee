#ifndef RSMI_TRANSFER_H
#define RSMI_TRANSFER_H

#include <stdint.h>

enum { TRANSFER_MAX_BLOCK = 16, TRANSFER_MAX_WIDTH = 12 };

/* A rows x columns block with a buffer of given width on the square lattice, and the Ising coupling
 * K = J/(k_B T). */
typedef struct {
    int rows, columns, buffer;
    double coupling;
} transfer_window;

/* Spins in one ring: above (columns + 2 buffer), below, left (rows + 2 buffer), right. */
int transfer_ring_size(transfer_window window);

/* For each of n rings (n x ring size, spins +-1) the weights of the 2^(rows*columns) block states,
 * the buffer summed over: exp(K sum ss' - |K| bonds) over all bonds inside block and buffer and to
 * the ring. Bit i of a state is 1 where site i (row-major) is +1. The weights of different rings
 * compare. Output: n x states. RSMI_BAD_SHAPE: more than TRANSFER_MAX_BLOCK sites or wider than
 * TRANSFER_MAX_WIDTH; RSMI_NO_MEMORY. */
int transfer_block_weights(const int8_t *rings, int64_t n, transfer_window window, double *weights);

/* Averages under P(V | ring) without keeping it: of n_functions functions of the block state
 * (states x n_functions), to averages (n x n_functions); the entropy of P(V | ring) in nats (n;
 * skipped where NULL); and the sum of P(V | ring) over the n rings (states; skipped where NULL).
 * RSMI_DIVERGED where all weights underflow (rings of probability below 1e-300). */
int transfer_block_averages(const int8_t *rings, int64_t n, transfer_window window,
                            const double *functions, int64_t n_functions, double *averages,
                            double *entropy, double *marginal);

#endif
