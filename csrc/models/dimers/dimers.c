/* Coverings as arrays: validation, measurement, and the packed form in which they are stored.
 *
 * Memory. A covering is one byte per vertex, the direction of its partner, so that "the link in
 * direction d is covered" is a comparison of bytes. Counting and packing run over contiguous rows,
 * and the compiler vectorizes them. The packed form is described in dimers.h.
 *
 * Reference: D. S. Rokhsar, S. A. Kivelson, Phys. Rev. Lett. 61, 2376 (1988), for plaquettes with
 * two parallel dimers. */
#include "models/dimers/dimers.h"

#include "base/bits.h"
#include "base/compiler.h"
#include "base/status.h"

int dimer_check(const dimer_lattice *lattice)
{
    const int64_t rows = lattice->rows, columns = lattice->columns;
    if (rows < 2 || columns < 2 || rows % 2 || columns % 2 || rows > DIMER_LONGEST ||
        columns > DIMER_LONGEST)
        return RSMI_BAD_SHAPE;
    if ((rows + 2) * (columns + 2) >= 1 << 25)
        return RSMI_BAD_SHAPE;
    return RSMI_OK;
}

int dimer_check_covering(const dimer_lattice *lattice, const int8_t *partners)
{
    const int64_t rows = lattice->rows, columns = lattice->columns;
    if (dimer_check(lattice) != RSMI_OK)
        return RSMI_BAD_SHAPE;
    for (int64_t row = 0; row < rows; row++)
        for (int64_t column = 0; column < columns; column++) {
            const int direction = partners[row * columns + column];
            if (direction < 0 || direction > 3)
                return RSMI_BAD_VALUE;
            const int64_t y = row + (direction == 0) - (direction == 2),
                          x = column + (direction == 1) - (direction == 3);
            if (lattice->open && (y < 0 || y == rows || x < 0 || x == columns))
                return RSMI_BAD_VALUE;
            if (partners[(y + rows) % rows * columns + (x + columns) % columns] != (direction ^ 2))
                return RSMI_BAD_VALUE;
        }
    return RSMI_OK;
}

/* ---- counting ---- */

/* The number of positions where both a and b are the given direction. */
RSMI_CLONES static int64_t both(const int8_t *a, const int8_t *b, int8_t direction, int64_t n)
{
    int64_t total = 0;
    for (int64_t first = 0; first < n;
         first += 128) { /* counts of one byte each, few enough not to overflow */
        const int64_t last = n - first < 128 ? n : first + 128;
        uint8_t sum = 0;
        for (int64_t i = first; i < last; i++)
            sum = (uint8_t)(sum + ((a[i] == direction) & (b[i] == direction)));
        total += sum;
    }
    return total;
}

int64_t dimer_parallel_pairs(const dimer_lattice *lattice, const int8_t *partners)
{
    const int64_t columns = lattice->columns, vertices = dimer_vertices(lattice),
                  last_row = vertices - columns;
    int64_t pairs = both(partners, partners + columns, 1, last_row) +
                    both(partners, partners + 1, 0, vertices - 1);
    if (!lattice->open)
        pairs += both(partners + last_row, partners, 1, columns);
    for (int64_t row = 0; row < vertices; row += columns) {
        const int end = partners[row + columns - 1] == 0;
        if (row < last_row)
            pairs -= end &
                     (partners[row + columns] == 0); /* the next vertex in memory is no neighbour */
        if (!lattice->open)
            pairs += end & (partners[row] == 0);
    }
    return pairs;
}

/* ---- packing ---- */

/* Bit i is 1 where partners[i] is the direction, for the first n <= 64 vertices. */
static inline uint64_t covered(const int8_t *partners, uint64_t direction, int64_t n)
{
    uint64_t word = 0;
    int64_t i = 0;
    for (; i + 8 <= n; i += 8) {
        uint64_t bytes;
        memcpy(&bytes, partners + i, 8);
        bytes ^=
            direction * 0x0101010101010101ULL; /* the two low bits of each byte, zero where equal */
        word |= ((~(bytes | bytes >> 1) & 0x0101010101010101ULL) * 0x0102040810204080ULL >> 56)
                << i;
    }
    for (; i < n; i++)
        word |= (uint64_t)((uint64_t)partners[i] == direction) << i;
    return word;
}

void dimer_pack(const dimer_lattice *lattice, const int8_t *partners, uint8_t *packed)
{
    const int64_t vertices = dimer_vertices(lattice), n_bytes = dimer_link_bytes(lattice);
    memset(packed, 0, (size_t)n_bytes);
    for (int64_t component = 0; component < 2; component++)
        for (int64_t i = 0; i < vertices; i += 64) {
            const int width = (int)(vertices - i < 64 ? vertices - i : 64);
            join_bits(packed, component * vertices + i,
                      covered(partners + i, (uint64_t)component, width), width);
        }
}

/* ---- noise ---- */

enum {
    COINS_FROM = 1 << 30
}; /* numbers of the draws of one sample: the faces from 0 on, 64 vertices per draw from here on */

/* Bit i is 1 where the spin of face `first` + i differs from the spin of its vertex. */
RSMI_CLONES static uint64_t flips(const uint64_t key[2], uint64_t sample, uint64_t first, int width,
                                  uint64_t threshold)
{
    uint64_t word = 0;
    for (int i = 0; i < width; i++)
        word |= (uint64_t)(keyed_bits(key, sample, first + (uint64_t)i) >= threshold) << i;
    return word;
}

/* The spins of `width` vertices from (row, column) on, around the edges. column + width is at most
 * columns + 1. */
static uint64_t vertex_spins(const dimer_lattice *lattice, const uint8_t *packed, int64_t n_bytes,
                             int64_t row, int64_t column, int width)
{
    const int64_t start = row % lattice->rows * lattice->columns;
    const int inside = (int)(column + width > lattice->columns ? lattice->columns - column : width);
    uint64_t word = inside ? read_bits(packed, n_bytes, start + column, inside) : 0;
    if (inside < width)
        word |= read_bits(packed, n_bytes, start, 1) << inside;
    return word;
}

static void draw_noise(const dimer_lattice *lattice, double probability, int straddling,
                       const uint64_t key[2], uint64_t sample, uint8_t *packed)
{
    const int64_t vertices = dimer_vertices(lattice), columns = lattice->columns,
                  n_bytes = (4 * vertices + 7) / 8;
    const uint64_t threshold = probability < 1 ? probability_threshold(probability)
                                               : 0; /* probability 1 needs no threshold */
    for (int64_t i = 0; i < vertices; i += 64)
        join_bits(packed, i, keyed_bits(key, sample, COINS_FROM + (uint64_t)i / 64),
                  (int)(vertices - i < 64 ? vertices - i : 64));
    for (int64_t row = 0; row < lattice->rows; row++)
        for (int64_t column = 0; column < columns; column += 64) {
            const int width = (int)(columns - column < 64 ? columns - column : 64);
            const int64_t face = row * columns + column;
            const uint64_t differs =
                probability < 1 ? flips(key, sample, (uint64_t)face, width, threshold) : 0;
            join_bits(packed, 3 * vertices + face,
                      differs ^ vertex_spins(lattice, packed, n_bytes, row + straddling,
                                             column + straddling, width),
                      width);
        }
}

int dimer_add_noise(const dimer_lattice *lattice, double probability, int straddling,
                    const uint64_t key[2], int64_t first_sample, int64_t count,
                    const uint8_t *links, uint8_t *packed)
{
    if (dimer_check(lattice) != RSMI_OK)
        return RSMI_BAD_SHAPE;
    if (!(probability >= 0 && probability <= 1))
        return RSMI_BAD_VALUE;
    const int64_t vertices = dimer_vertices(lattice), link_bytes = dimer_link_bytes(lattice),
                  row_bytes = (4 * vertices + 7) / 8;
    memset(packed, 0, (size_t)(count * row_bytes));
    for (int64_t i = 0; i < count; i++, links += link_bytes, packed += row_bytes) {
        for (int64_t k = 0; k < 2 * vertices; k += 64) {
            const int width = (int)(2 * vertices - k < 64 ? 2 * vertices - k : 64);
            join_bits(packed, vertices + k, read_bits(links, link_bytes, k, width), width);
        }
        draw_noise(lattice, probability, straddling != 0, key, (uint64_t)(first_sample + i),
                   packed);
    }
    return RSMI_OK;
}
