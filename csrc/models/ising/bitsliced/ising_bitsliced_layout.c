/* The layout of bit-sliced spins: shape, address of a sublattice, and halo.
 *
 * Memory: see ising_bitsliced_layout.h. A strip is cut along axis 0 into 8 slabs, and lane l holds
 * slab l:
 *
 *     lane           0        1       ...      7
 *     layer -1     slab 7   slab 0    ...    slab 6      halo: the last layers of the slabs before
 *     layer 0      slab 0   slab 1    ...    slab 7
 *       ...
 *     layer n-1    slab 0   slab 1    ...    slab 7
 *     layer n      slab 1   slab 2    ...    slab 0      halo: the first layers of the slabs after
 *
 * So the halo of a strip is a copy whose lanes are rotated by one. In replicas every lane holds
 * lattices of its own, and the halo is a plain copy.
 *
 * Reference: M. Creutz, L. Jacobs, C. Rebbi, Phys. Rev. Lett. 42, 1390 (1979), for multi-spin
 * coding. */
#include "models/ising/bitsliced/ising_bitsliced_layout.h"

int64_t bitsliced_first_axis(const ising_chain *chain)
{
    return chain->depth > 1 ? chain->depth : chain->height;
}

bitsliced_shape bitsliced_shape_of(const bitsliced_chain *chain)
{
    const int strip = chain->layout == BITSLICED_STRIP;
    return (bitsliced_shape){.layers = bitsliced_first_axis(&chain->ising) /
                                       (strip ? BITSLICED_LANES : 1),
                             .rows = chain->ising.depth > 1 ? chain->ising.height : 1,
                             .columns = chain->ising.width / (strip ? 128 : 2)};
}

uint64_t *bitsliced_layer_0(bitsliced_shape shape, int sublattice, uint64_t *spins)
{
    const int64_t layer = shape.rows * shape.columns;
    return spins + 8 * layer * (1 + sublattice * (shape.layers + 2));
}

/* In a strip, lane l of the layer before the first is lane l - 1 of the last layer, and lane l of
 * the layer after the last is lane l + 1 of the first layer. */
void bitsliced_renew_halo(const bitsliced_chain *chain, int sublattice, uint64_t *spins)
{
    const bitsliced_shape shape = bitsliced_shape_of(chain);
    const int64_t layer = 8 * shape.rows * shape.columns;
    const int turn = chain->layout == BITSLICED_STRIP;
    uint64_t *first = bitsliced_layer_0(shape, sublattice, spins),
             *last = first + (shape.layers - 1) * layer;
    for (int64_t word = 0; word < layer; word += 8)
        for (int lane = 0; lane < 8; lane++) {
            (first - layer + word)[(lane + turn) % 8] = (last + word)[lane];
            (last + layer + word)[lane] = (first + word)[(lane + turn) % 8];
        }
}
