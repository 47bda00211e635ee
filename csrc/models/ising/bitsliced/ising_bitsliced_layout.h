/* The bit-sliced lattice in memory: 512 spins to a word, one bit per spin.
 *
 * A word is 512 bits, uint64_t[8]. Its eight 64-bit lanes never mix. There are two layouts:
 *
 *   replicas   512 lattices of any even size. A word is a site, and its bits are the replicas.
 *   strip      One lattice. Axis 0 is cut into 8 slabs, one per lane. A word holds 64 neighbouring
 *              sites of one sublattice in each slab: site x is bit x / 2 % 64 of word x / 128 of
 * its row. The width must be a multiple of 128, axis 0 a multiple of 16, and there must be two or
 * three axes. Lattices that do not fit are sampled as replicas.
 *
 * Both are stored as spins[2][layers + 2][rows][columns][8], 1 means up. The first index is the
 * sublattice (the parity of the sum of coordinates). A layer is what is perpendicular to axis 0: a
 * slab has `layers` layers of `rows` rows of `columns` words. The layers before the first and after
 * the last are copies, called the halo: they repeat the edge of the neighbouring slab, or the edge
 * across the periodic boundary, so that a sweep has no edges. */
#ifndef RSMI_ISING_BITSLICED_LAYOUT_H
#define RSMI_ISING_BITSLICED_LAYOUT_H

#include "base/generator.h"
#include "models/ising/ising_chain.h"

enum { BITSLICED_STRIP, BITSLICED_REPLICAS };

enum {
    BITSLICED_LANES = GENERATOR_LANES,
    BITSLICED_BITS = 512,
    BITSLICED_STREAMS = GENERATOR_STREAMS,
    BITSLICED_DRAWS = 16,
    BITSLICED_GENERATOR = GENERATOR_WORDS
};

typedef struct {
    ising_chain ising; /* ISING_METROPOLIS or ISING_HEAT_BATH */
    int layout, path;  /* see base/instructions.h for the path */
    int64_t blocks;
} bitsliced_chain;

typedef struct {
    int64_t layers, rows, columns;
} bitsliced_shape;

/* The shape of the spins of a chain that passed bitsliced_check. With the halo there are 2 (layers
 * + 2) rows columns words. */
bitsliced_shape bitsliced_shape_of(const bitsliced_chain *chain);

/* The number of sites along the first axis that is present (axis 0). */
int64_t bitsliced_first_axis(const ising_chain *chain);

/* Word 0 of layer 0 of a sublattice. */
uint64_t *bitsliced_layer_0(bitsliced_shape shape, int sublattice, uint64_t *spins);

/* Makes the halo of a sublattice from its first and last layer. */
void bitsliced_renew_halo(const bitsliced_chain *chain, int sublattice, uint64_t *spins);

#endif
