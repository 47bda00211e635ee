/* P(V | ring) of any model whose energy is a sum over the bonds of the square lattice. */
#ifndef RSMI_BOND_WEIGHTS_H
#define RSMI_BOND_WEIGHTS_H

#include <stdint.h>

enum {
    BOND_MOST_STATES = 16,        /* of a site */
    BOND_LARGEST_BLOCK = 1 << 16, /* states of a block */
    BOND_WIDEST_ROW = 1 << 16     /* states of the sites of one row of block and buffer */
};

/* A block of rows x columns sites with a buffer of the given width, and the number of states of
 * a site. */
typedef struct {
    int rows, columns, buffer, states;
} bond_window;

/* The number of sites in one ring. Their order is: above (columns + 2 buffer), below, left (rows +
 * 2 buffer), right. */
int bond_ring_size(bond_window window);

/* Whether block and row are within the limits above. */
int bond_window_fits(bond_window window);

/* For each of n rings (n x ring size, codes 0 .. states - 1), computes the weights of the states of
 * the block, with the buffer summed over: the product of bond[a * states + b] over all bonds inside
 * block and buffer and to the ring. The matrix of bond weights is symmetric. The state of a block
 * is sum_i code_i states^i over its sites i in row-major order. Weights of different rings can be
 * compared. Output: n x states^(rows columns).
 *
 * RSMI_BAD_SHAPE: beyond the limits. RSMI_BAD_VALUE: a code that is no state. RSMI_NO_MEMORY. */
int bond_block_weights(const int8_t *rings, int64_t n, bond_window window, const double *bond,
                       double *weights);

#endif
