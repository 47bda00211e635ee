/* Arrows of the six-vertex model on the links of a square lattice.
 *
 * The lattice is a torus of `rows` x `columns` vertices (x, y) in row-major order. A vertex has
 * four legs, 0 to (x + 1, y), 1 to (x, y + 1), 2 to (x - 1, y) and 3 to (x, y - 1), and one byte:
 * bit d is 1 if the arrow on leg d leaves the vertex. Every arrow is stored at both of its ends. By
 * the ice rule two arrows leave every vertex. The six bytes are
 *
 *     a  0011, 1100    b  1001, 0110    c  0101, 1010
 *
 * of which the last two have opposite arrows on opposite legs.
 *
 * One chain is uint8_t vertices[rows * columns] and the uint64_t[4] state of xoshiro256++
 * (random.h). Both are updated in place, and together they are its checkpoint. A packed row has bit
 * i % 8 of byte i / 8 for link i of (2, rows, columns): the arrows on the legs 0 of all vertices,
 * then on the legs 1; 1 = the arrow leaves the vertex, padding 0.
 */
#ifndef RSMI_SIX_VERTEX_H
#define RSMI_SIX_VERTEX_H

#include <stdint.h>

enum {
    SIX_VERTEX_LONGEST = 16383, /* most vertices along a side */
    SIX_VERTEX_C_FIRST = 5,     /* the two c vertices */
    SIX_VERTEX_C_SECOND = 10,
};

typedef struct {
    int64_t rows, columns; /* at least 2; fewer than 2^28 vertices */
} six_vertex_lattice;

static inline int64_t six_vertex_vertices(const six_vertex_lattice *lattice)
{
    return lattice->rows * lattice->columns;
}
static inline int64_t six_vertex_row_bytes(const six_vertex_lattice *lattice)
{
    return (2 * six_vertex_vertices(lattice) + 7) / 8;
}

/* Returns RSMI_BAD_SHAPE if there is no such lattice, and RSMI_BAD_VALUE unless two arrows leave
 * every vertex and both ends of every link tell the same arrow. */
int six_vertex_check(const six_vertex_lattice *lattice, const uint8_t *vertices);

/* The number of c vertices. */
int64_t six_vertex_c_vertices(const six_vertex_lattice *lattice, const uint8_t *vertices);

/* Writes the arrows as a packed row. */
void six_vertex_pack(const six_vertex_lattice *lattice, const uint8_t *vertices, uint8_t *packed);

#endif
