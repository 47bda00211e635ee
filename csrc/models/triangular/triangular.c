/* The lattice of triangles, and the spins that belong to its frustrated bonds. */
#include "models/triangular/triangular.h"

#include "base/status.h"

static int check_lattice(const triangular_lattice *lattice)
{
    const int64_t sides[2] = {lattice->rows, lattice->columns};
    for (int axis = 0; axis < 2; axis++)
        if (sides[axis] < 3 || sides[axis] % 3 || sides[axis] > TRIANGULAR_LONGEST)
            return RSMI_BAD_SHAPE;
    return RSMI_OK;
}

int triangular_check(const triangular_lattice *lattice, const uint8_t *bonds)
{
    const int64_t rows = lattice->rows, columns = lattice->columns;
    if (check_lattice(lattice) != RSMI_OK)
        return RSMI_BAD_SHAPE;
    for (int64_t x = 0; x < rows; x++)
        for (int64_t y = 0; y < columns; y++) {
            const uint8_t across[3] = {bonds[x * columns + (y + 1) % columns],
                                       bonds[(x + rows - 1) % rows * columns + y],
                                       bonds[x * columns + y]};
            if (across[2] > 2 || (across[0] == 0) + (across[1] == 1) + (across[2] == 2) != 1)
                return RSMI_BAD_VALUE;
        }
    return RSMI_OK;
}

/* Paths around a triangle, and so around all contractible loops, have two bonds that are not
 * frustrated. Two paths around the torus remain: along x through the bonds 0 of A(x, 0), and along
 * y through the bonds 1 of A(rows - 1, y). */
int triangular_has_spins(const triangular_lattice *lattice, const uint8_t *bonds)
{
    const int64_t rows = lattice->rows, columns = lattice->columns;
    const uint8_t *last = bonds + (rows - 1) * columns;
    int64_t along_x = 0, along_y = 0;
    for (int64_t x = 0; x < rows; x++)
        along_x += bonds[x * columns] != 0;
    for (int64_t y = 0; y < columns; y++)
        along_y += last[y] != 1;
    return !((along_x | along_y) & 1);
}

/* From (x, 0) to (x + 1, 0) the spin changes across bond 0 of A(x, 0), and from (x, y) to
 * (x, y + 1) across bond 1 of A(x - 1, y), unless the bond is frustrated. */
void triangular_pack(const triangular_lattice *lattice, const uint8_t *bonds, int up,
                     uint8_t *packed)
{
    const int64_t rows = lattice->rows, columns = lattice->columns;
    unsigned first = up != 0, byte = 0, filled = 0;
    for (int64_t x = 0; x < rows; x++) {
        const uint8_t *before = bonds + (x ? x - 1 : rows - 1) * columns;
        unsigned spin = first;
        for (int64_t y = 0; y < columns; y++) {
            byte |= spin << filled;
            if (++filled == 8)
                *packed++ = (uint8_t)byte, byte = filled = 0;
            spin ^= before[y] != 1;
        }
        first ^= bonds[x * columns] != 0;
    }
    if (filled)
        *packed = (uint8_t)byte;
}
