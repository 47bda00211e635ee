/* Ground states of the Ising antiferromagnet on the triangular lattice, as frustrated bonds.
 *
 * The lattice is a sheared torus of `rows` x `columns` sites (x, y), both multiples of 3, in
 * row-major order. The neighbours of a site lie at +-(1, 0), +-(0, 1) and +-(1, 1). In a ground
 * state every triangle has exactly one frustrated bond, between two equal spins. Triangles are
 *
 *     up    A(x, y) = (x, y), (x + 1, y), (x + 1, y + 1)
 *     down  B(x, y) = (x, y), (x, y + 1), (x + 1, y + 1)
 *
 * and the bonds of A(x, y) are 0: (x, y) - (x + 1, y), which belongs to B(x, y - 1) too;
 * 1: (x + 1, y) - (x + 1, y + 1), also of B(x + 1, y); 2: (x, y) - (x + 1, y + 1), also of B(x, y).
 *
 * One chain is uint8_t bonds[rows * columns], the frustrated bond of every up triangle, and the
 * uint64_t[4] state of xoshiro256++ (random.h). Both are updated in place, and together they are
 * its checkpoint. A packed row of spins has bit i % 8 of byte i / 8 for site i, 1 = up, padding 0.
 */
#ifndef RSMI_TRIANGULAR_H
#define RSMI_TRIANGULAR_H

#include <stdint.h>

enum { TRIANGULAR_LONGEST = 16383 }; /* most sites along a side */

typedef struct {
    int64_t rows, columns; /* multiples of 3; fewer than 2^28 sites */
} triangular_lattice;

static inline int64_t triangular_sites(const triangular_lattice *lattice)
{
    return lattice->rows * lattice->columns;
}
static inline int64_t triangular_row_bytes(const triangular_lattice *lattice)
{
    return (triangular_sites(lattice) + 7) / 8;
}

/* Returns RSMI_BAD_SHAPE if there is no such lattice, and RSMI_BAD_VALUE unless every triangle has
 * exactly one frustrated bond. */
int triangular_check(const triangular_lattice *lattice, const uint8_t *bonds);

/* Whether spins belong to the frustrated bonds: whether every closed path, also around the torus,
 * has an even number of bonds that are not frustrated. */
int triangular_has_spins(const triangular_lattice *lattice, const uint8_t *bonds);

/* Writes the spins of bonds that have spins, as a packed row. Site 0 is up if `up`. */
void triangular_pack(const triangular_lattice *lattice, const uint8_t *bonds, int up,
                     uint8_t *packed);

#endif
