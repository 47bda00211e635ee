/* The lattice of arrows, and what is read off it. */
#include "models/six_vertex/six_vertex.h"

#include <string.h>

#include "base/status.h"

static int check_lattice(const six_vertex_lattice *lattice)
{
    const int64_t sides[2] = {lattice->rows, lattice->columns};
    for (int axis = 0; axis < 2; axis++)
        if (sides[axis] < 2 || sides[axis] > SIX_VERTEX_LONGEST)
            return RSMI_BAD_SHAPE;
    return RSMI_OK;
}

int six_vertex_check(const six_vertex_lattice *lattice, const uint8_t *vertices)
{
    const int64_t rows = lattice->rows, columns = lattice->columns;
    if (check_lattice(lattice) != RSMI_OK)
        return RSMI_BAD_SHAPE;
    for (int64_t x = 0; x < rows; x++)
        for (int64_t y = 0; y < columns; y++) {
            const unsigned here = vertices[x * columns + y],
                           right = vertices[(x + 1) % rows * columns + y],
                           above = vertices[x * columns + (y + 1) % columns];
            if (here > 15 || __builtin_popcount(here) != 2)
                return RSMI_BAD_VALUE;
            if ((here & 1) == (right >> 2 & 1) || (here >> 1 & 1) == (above >> 3 & 1))
                return RSMI_BAD_VALUE;
        }
    return RSMI_OK;
}

int64_t six_vertex_c_vertices(const six_vertex_lattice *lattice, const uint8_t *vertices)
{
    const int64_t count = six_vertex_vertices(lattice);
    int64_t found = 0;
    for (int64_t v = 0; v < count; v++)
        found += vertices[v] == SIX_VERTEX_C_FIRST || vertices[v] == SIX_VERTEX_C_SECOND;
    return found;
}

/* The bits `leg` of eight vertices as a byte, the first vertex lowest. */
static uint8_t byte_of(const uint8_t *vertices, int leg)
{
    uint64_t word;
    memcpy(&word, vertices, sizeof word);
    return (uint8_t)((word >> leg & 0x0101010101010101) * 0x0102040810204080 >> 56);
}

void six_vertex_pack(const six_vertex_lattice *lattice, const uint8_t *vertices, uint8_t *packed)
{
    const int64_t count = six_vertex_vertices(lattice), links = 2 * count;
    if (count % 8 == 0) {
        for (int leg = 0; leg < 2; leg++)
            for (int64_t v = 0; v < count; v += 8)
                *packed++ = byte_of(vertices + v, leg);
        return;
    }
    memset(packed, 0, (size_t)six_vertex_row_bytes(lattice));
    for (int64_t i = 0; i < links; i++) {
        const unsigned leaves = vertices[i % count] >> (i >= count) & 1u;
        packed[i / 8] |= (uint8_t)(leaves << i % 8);
    }
}
