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

enum { TILE = 4 };

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

void fill_rows(int64_t rows, int64_t columns, const double *value, double *y)
{
    const int64_t ld = padded(columns);
    for (int64_t r = 0; r < rows; r++)
        for (int64_t c = 0; c < ld; c++)
            y[r * ld + c] = value[r];
}

void gather_spins(int64_t n, int64_t sites, const int8_t *spins, const int64_t *index, double *out)
{
    const int64_t ld = padded(n);
    for (int64_t s = 0; s < n; s++)
        for (int64_t i = 0; i < sites; i++)
            out[i * ld + s] = spins[index[s] * sites + i];
    for (int64_t i = 0; i < sites; i++)
        memset(out + i * ld + n, 0, (size_t)(ld - n) * sizeof(double));
}
