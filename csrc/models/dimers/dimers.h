/* Fully packed dimers on the square lattice: every vertex shares a dimer with exactly one
 * neighbour.
 *
 * A lattice has `rows` x `columns` vertices in row-major order; both numbers are even. Direction 0
 * leads to the next row, 1 to the next column, 2 and 3 lead back, so that d ^ 2 is opposite to d.
 * Links go around the edges unless the lattice is open. A covering is int8_t partners[rows *
 * columns], the direction in which the partner of each vertex lies.
 *
 * A packed row of links holds component 0, the links in direction 0 of every vertex, then component
 * 1, the links in direction 1: bit component * vertices + vertex, in bit k % 8 of byte k / 8, 1 =
 * dimer, padding 0. With noise there are four components: a spin on the vertex, the two links, and
 * a spin on the face between the two links of each vertex.
 *
 * One chain is its partners and the uint64_t[4] state of xoshiro256++ (random.h). Both are updated
 * in place, and together they are its checkpoint. */
#ifndef RSMI_DIMERS_H
#define RSMI_DIMERS_H

#include "base/random.h"

enum { DIMER_LONGEST = 32000 }; /* most vertices along a side */

typedef struct {
    int64_t rows, columns; /* even; fewer than 2^25 vertices with a frame around them */
    int open;              /* whether there are no links around the edges */
} dimer_lattice;

static inline int64_t dimer_vertices(const dimer_lattice *lattice)
{
    return lattice->rows * lattice->columns;
}
static inline int64_t dimer_link_bytes(const dimer_lattice *lattice)
{
    return (2 * dimer_vertices(lattice) + 7) / 8;
}

/* Returns RSMI_BAD_SHAPE for an odd size, a size below 2 or above DIMER_LONGEST, or too many
 * vertices. */
int dimer_check(const dimer_lattice *lattice);

/* Returns RSMI_BAD_VALUE unless the partner of every partner is the vertex itself and no dimer
 * leaves an open lattice. Checks the lattice too. */
int dimer_check_covering(const dimer_lattice *lattice, const int8_t *partners);

/* The number of plaquettes with two parallel dimers, of either orientation. */
int64_t dimer_parallel_pairs(const dimer_lattice *lattice, const int8_t *partners);

/* Writes a packed row of links, dimer_link_bytes() bytes. */
void dimer_pack(const dimer_lattice *lattice, const int8_t *partners, uint8_t *packed);

/* Makes four components from two: `count` packed rows of links become rows of ceil(4 vertices / 8)
 * bytes.
 *
 * The spins of the vertices are fair coins. The spin of each face equals the spin of the vertex
 * with which it is paired with the given probability. This is the vertex of its own cell or, if
 * `straddling`, the vertex across the face, at the next row and the next column (always around the
 * edges). Both are keyed_bits() of the key and of the number of the sample, first_sample + row, so
 * that they do not depend on how the rows are cut. */
int dimer_add_noise(const dimer_lattice *lattice, double probability, int straddling,
                    const uint64_t key[2], int64_t first_sample, int64_t count,
                    const uint8_t *links, uint8_t *packed);

#endif
