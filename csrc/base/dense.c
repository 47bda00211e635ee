/* Small dense matrix products in a batch-last layout.
 *
 * Memory. Every quantity of a minibatch (spins, fields, probabilities, energies) is stored as
 * (quantity, sample). The samples of the minibatch are contiguous and padded to a multiple of 32,
 * so that all inner loops run over samples on SIMD lanes, whatever the number of hidden units.
 *
 * multiply_add() keeps a tile of 4 rows x 32 samples in registers. multiply_transposed() sums over
 * samples in 8 lanes that are added in a fixed order, so that results depend neither on the
 * alignment nor on the number of threads. The vectors are generic vectors of GCC and Clang: the
 * compiler splits them to the width of the instruction set of each clone. BLAS is not used, because
 * threaded BLAS is not reproducible.
 *
 * Reference: K. Goto, R. A. van de Geijn, ACM Trans. Math. Softw. 34, 12 (2008), for tiles in
 * registers. */
#include "base/dense.h"

#include <string.h>

#include "base/compiler.h"
#include "base/elementary.h"

enum { TILE = 4, TOGETHER = 32, CACHE_LINE = 64 };

RSMI_INLINE void multiply_tile(const int rows, int64_t inner, int64_t ld, const double *a,
                               int64_t stride, const double *x, double *y)
{
    lanes8 sum[TILE][4];
    for (int r = 0; r < rows; r++)
        for (int v = 0; v < 4; v++)
            sum[r][v] = *(const lanes8 *)(y + r * ld + 8 * v);
    for (int64_t i = 0; i < inner; i++)
#pragma GCC unroll 4
        for (int r = 0; r < rows; r++)
#pragma GCC unroll 4
            for (int v = 0; v < 4; v++)
                sum[r][v] += a[r * stride + i] * *(const lanes8 *)(x + i * ld + 8 * v);
    for (int r = 0; r < rows; r++)
        for (int v = 0; v < 4; v++)
            *(lanes8 *)(y + r * ld + 8 * v) = sum[r][v];
}

RSMI_CLONES
void multiply_add(int64_t rows, int64_t inner, int64_t columns, const double *a, int64_t stride,
                  const double *x, double *y)
{
    const int64_t ld = padded(columns);
    for (int64_t c = 0; c < ld; c += DENSE_LANES) {
        int64_t r = 0;
        for (; r + TILE <= rows; r += TILE)
            multiply_tile(TILE, inner, ld, a + r * stride, stride, x + c, y + r * ld + c);
        for (; r + 2 <= rows; r += 2)
            multiply_tile(2, inner, ld, a + r * stride, stride, x + c, y + r * ld + c);
        for (; r < rows; r++)
            multiply_tile(1, inner, ld, a + r * stride, stride, x + c, y + r * ld + c);
    }
}

RSMI_INLINE void dot_tile(const int count, int64_t ld, const double *y, const double *x, double *d)
{
    lanes8 sum[TILE] = {{0}};
    for (int64_t c = 0; c < ld; c += 8) {
        const lanes8 value = *(const lanes8 *)(y + c);
#pragma GCC unroll 4
        for (int i = 0; i < count; i++)
            sum[i] += value * *(const lanes8 *)(x + i * ld + c);
    }
    for (int i = 0; i < count; i++)
        d[i] = ((sum[i][0] + sum[i][4]) + (sum[i][1] + sum[i][5])) +
               ((sum[i][2] + sum[i][6]) + (sum[i][3] + sum[i][7]));
}

RSMI_CLONES
void multiply_transposed(int64_t rows, int64_t inner, int64_t columns, const double *y,
                         const double *x, double *d)
{
    const int64_t ld = padded(columns);
    int64_t i = 0;
    for (; i + TILE <= inner; i += TILE)
        for (int64_t r = 0; r < rows; r++)
            dot_tile(TILE, ld, y + r * ld, x + i * ld, d + r * inner + i);
    for (; i < inner; i++)
        for (int64_t r = 0; r < rows; r++)
            dot_tile(1, ld, y + r * ld, x + i * ld, d + r * inner + i);
}

RSMI_CLONES
double lane_sum(int64_t n, const double *x)
{
    lanes8 sum = {0};
    int64_t i = 0;
    for (; i + 8 <= n; i += 8)
        sum += *(const lanes8 *)(x + i);
    for (; i < n; i++)
        sum[i % 8] += x[i];
    return ((sum[0] + sum[4]) + (sum[1] + sum[5])) + ((sum[2] + sum[6]) + (sum[3] + sum[7]));
}

RSMI_CLONES
void fill_rows(int64_t rows, int64_t columns, const double *value, double *y)
{
    const int64_t ld = padded(columns);
    for (int64_t r = 0; r < rows; r++)
        for (int64_t c = 0; c < ld; c++)
            y[r * ld + c] = value[r];
}

/* The bytes of eight rows, transposed: byte s of x[i] becomes what byte i of x[s] was. */
RSMI_INLINE void transpose_bytes(uint64_t x[8])
{
    static const uint64_t masks[3] = {0x00ff00ff00ff00ff, 0x0000ffff0000ffff, 0x00000000ffffffff};
#pragma GCC unroll 3
    for (int stage = 2; stage >= 0; stage--) {
        const int distance = 1 << stage;
        for (int j = 0; j < 8; j++)
            if (!(j & distance)) {
                const uint64_t swap = ((x[j] >> 8 * distance) ^ x[j + distance]) & masks[stage];
                x[j + distance] ^= swap;
                x[j] ^= swap << 8 * distance;
            }
    }
}

/* Writes eight spins of each of the eight windows `index`. */
RSMI_INLINE void gather_square(int64_t ld, int64_t sites, const int8_t *spins, const int64_t *index,
                               double *out)
{
    typedef int8_t bytes8 __attribute__((vector_size(8)));
    uint64_t word[8];
    for (int k = 0; k < 8; k++)
        memcpy(&word[k], spins + index[k] * sites, 8);
    transpose_bytes(word);
    for (int k = 0; k < 8; k++) {
        bytes8 column;
        memcpy(&column, &word[k], 8);
        *(lanes8 *)(out + k * ld) = __builtin_convertvector(column, lanes8);
    }
}

/* Squares of eight windows and eight sites fill whole cache lines of `out`. One window at a time
 * would write to as many lines as there are sites, which for usual batches all fall into one set of
 * the cache. */
RSMI_CLONES
void gather_spins(int64_t n, int64_t sites, const int8_t *spins, const int64_t *index, double *out)
{
    const int64_t ld = padded(n), squares = sites - sites % 8, whole = n - n % 8;
    for (int64_t first = 0; first < whole; first += TOGETHER) {
        for (int64_t s = first + TOGETHER; s < n && s < first + 2 * TOGETHER; s++)
            for (int64_t i = 0; i < sites; i += CACHE_LINE)
                __builtin_prefetch(spins + index[s] * sites + i);
        for (int64_t i = 0; i < squares; i += 8)
            for (int64_t s = first; s < whole && s < first + TOGETHER; s += 8)
                gather_square(ld, sites, spins + i, index + s, out + i * ld + s);
    }
    for (int64_t i = 0; i < sites; i++) {
        for (int64_t s = i < squares ? whole : 0; s < n; s++)
            out[i * ld + s] = spins[index[s] * sites + i];
        memset(out + i * ld + n, 0, (size_t)(ld - n) * sizeof(double));
    }
}
