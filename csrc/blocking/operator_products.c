/* Sums over samples of products of operators, for the linearised renormalization transformation.
 *
 * The sums of operators are integers. As doubles they are exact, and so are their sums of products
 * as long as these stay below 2^53. A run of RUN samples is therefore multiplied in doubles, ROWS
 * rows times eight columns in registers, and added to the integers. Where the values are too large,
 * the products are made in integers one by one.
 *
 * Memory: for one sector and level, the factors of each sample lie in a row (1, energy, own sums,
 * sums of the level before), padded with zeros to a multiple of eight.
 *
 * Reference: R. H. Swendsen, PRL 42, 859 (1979). */
#include "blocking/operator_products.h"

#include <stdlib.h>
#include <string.h>

#include "base/compiler.h"
#include "base/status.h"

enum { RUN = 256, ROWS = 5 };

typedef double doubles __attribute__((vector_size(64), aligned(8), may_alias));

RSMI_CLONES
static int64_t largest_magnitude(const int64_t *values, int64_t n)
{
    int64_t largest = 0;
    for (int64_t i = 0; i < n; i++) {
        const int64_t magnitude = values[i] < 0 ? -values[i] : values[i];
        largest = magnitude > largest ? magnitude : largest;
    }
    return largest;
}

/* The factors of one sector and level: 1, the energy, the k sums of this level, the k sums of the
 * level before, and zeros up to `padded`. */
typedef struct {
    int64_t k, columns, padded;
    const int64_t *own, *before, *energies; /* the level before is NULL at the first level */
    int64_t stride;
} factors;

RSMI_INLINE int64_t factor(const factors *f, int64_t sample, int64_t column)
{
    if (column < 2)
        return column ? f->energies[sample] : 1;
    if (column < 2 + f->k)
        return f->own[sample * f->stride + column - 2];
    return f->before ? f->before[sample * f->stride + column - 2 - f->k] : 0;
}

RSMI_INLINE void to_doubles(const factors *f, const int64_t *samples, int64_t n, double *out)
{
    for (int64_t i = 0; i < n; i++, out += f->padded) {
        const int64_t *own = f->own + samples[i] * f->stride,
                      *before = f->before ? f->before + samples[i] * f->stride : NULL;
        out[0] = 1.0, out[1] = (double)f->energies[samples[i]];
        for (int64_t a = 0; a < f->k; a++)
            out[2 + a] = (double)own[a];
        for (int64_t a = 0; a < f->k; a++)
            out[2 + f->k + a] = before ? (double)before[a] : 0.0;
        for (int64_t a = f->columns; a < f->padded; a++)
            out[a] = 0.0;
    }
}

/* Multiplies `rows` numbers of the left of every sample by eight of the right, and sums over
 * samples. */
RSMI_INLINE void add_outer_products(const double *left, int rows, const double *right,
                                    int64_t padded, int64_t n_samples, doubles *sums)
{
    doubles sum[ROWS] = {{0}};
    for (int64_t i = 0; i < n_samples; i++, left += padded, right += padded) {
        const doubles eight = *(const doubles *)right;
#pragma GCC unroll 5
        for (int r = 0; r < rows; r++)
            sum[r] += left[r] * eight;
    }
    for (int r = 0; r < rows; r++)
        sums[r] = sum[r];
}

RSMI_CLONES
static void products_of_run(const factors *f, const int64_t *samples, int64_t n, double *work,
                            int64_t *out)
{
    to_doubles(f, samples, n, work);
    for (int64_t a = 0; a < f->k; a += ROWS) {
        const int rows = f->k - a < ROWS ? (int)(f->k - a) : ROWS;
        for (int64_t b = 0; b < f->columns; b += 8) {
            doubles sums[ROWS];
            if (rows == ROWS)
                add_outer_products(work + 2 + a, ROWS, work + b, f->padded, n, sums);
            else if (rows == 4)
                add_outer_products(work + 2 + a, 4, work + b, f->padded, n, sums);
            else if (rows == 3)
                add_outer_products(work + 2 + a, 3, work + b, f->padded, n, sums);
            else if (rows == 2)
                add_outer_products(work + 2 + a, 2, work + b, f->padded, n, sums);
            else
                add_outer_products(work + 2 + a, 1, work + b, f->padded, n, sums);
            for (int r = 0; r < rows; r++)
                for (int j = 0; j < 8 && b + j < f->columns; j++)
                    out[(a + r) * f->columns + b + j] += (int64_t)sums[r][j];
        }
    }
}

static void products_one_by_one(const factors *f, const int64_t *samples, int64_t n, int64_t *out)
{
    for (int64_t i = 0; i < n; i++)
        for (int64_t a = 0; a < f->k; a++)
            for (int64_t b = 0; b < f->columns; b++)
                out[a * f->columns + b] += factor(f, samples[i], 2 + a) * factor(f, samples[i], b);
}

/* Sorts the samples by block: the samples of block b are order[begin[b]] .. order[begin[b + 1] -
 * 1]. */
static void sort_by_block(const int64_t *blocks, int64_t n_samples, int64_t n_blocks,
                          int64_t *begin, int64_t *order)
{
    memset(begin, 0, (size_t)(n_blocks + 1) * sizeof *begin);
    for (int64_t i = 0; i < n_samples; i++)
        begin[blocks[i]]++;
    for (int64_t b = 1; b <= n_blocks; b++)
        begin[b] += begin[b - 1]; /* these are the ends; each sample moves the end of its block */
    for (int64_t i = n_samples - 1; i >= 0; i--)
        order[--begin[blocks[i]]] = i;
}

int accumulate_levels(const int64_t *sums, const int64_t *energies, const int64_t *blocks,
                      int64_t n_levels, int64_t n_samples, const int64_t n_operators[2],
                      int64_t n_blocks, int64_t *products[2])
{
    const int64_t stride = n_operators[0] + n_operators[1],
                  widest = n_operators[n_operators[1] > n_operators[0]];
    double *work = malloc((size_t)((2 * widest + 9) * RUN) * sizeof *work);
    int64_t *order = malloc((size_t)(n_samples + n_blocks + 1) * sizeof *order),
            *begin = order + n_samples;
    const int enough = work && order;
    int64_t largest = enough ? largest_magnitude(energies, n_samples) : 0;
    if (enough)
        sort_by_block(blocks, n_samples, n_blocks, begin, order);
    for (int64_t level = 0; enough && level < n_levels; level++, sums += n_samples * stride) {
        const int64_t of_level = largest_magnitude(sums, n_samples * stride);
        largest = largest > of_level ? largest : of_level;
        const int exact = (double)largest * (double)of_level * RUN < 0x1p53;
        for (int sector = 0; sector < 2; sector++) {
            const int64_t k = n_operators[sector], columns = 2 + 2 * k,
                          *own = sums + sector * n_operators[0];
            const factors f = {k,
                               columns,
                               (columns + 7) & ~(int64_t)7,
                               own,
                               level ? own - n_samples * stride : NULL,
                               energies,
                               stride};
            for (int64_t b = 0; b < n_blocks; b++)
                for (int64_t i = begin[b], n; i < begin[b + 1]; i += n) {
                    n = begin[b + 1] - i < RUN ? begin[b + 1] - i : RUN;
                    int64_t *out = products[sector] + (b * n_levels + level) * k * columns;
                    if (exact)
                        products_of_run(&f, order + i, n, work, out);
                    else
                        products_one_by_one(&f, order + i, n, out);
                }
        }
    }
    free(work);
    free(order);
    return enough ? RSMI_OK : RSMI_NO_MEMORY;
}
