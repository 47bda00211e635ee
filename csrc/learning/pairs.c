/* F_ij = sum_k log 2cosh(a_ik + b_jk) for all pairs (i, j).
 *
 * log 2cosh(a + b) = -(a + b) + log(1 + P Q), where P = e^{2a} and Q = e^{2b} are computed once per
 * row and column. The product of (1 + P Q) over k runs in float32, with one multiplication, one
 * addition and one multiplication per term. Before it can overflow, every `peel` factors, its
 * exponent is moved to an integer accumulator and its mantissa back to [3/4, 3/2). One short
 * logarithm per pair remains; the linear parts -(a + b) are summed in double. The rounding of about
 * 3 x 2^-24 per factor adds up like a random walk: < 5e-6 at a few hundred hidden units.
 *
 * If x is the largest a + b of the batch, peel = 8 is safe for x < 5.4, 4 for x < 10.8, 2 for x <
 * 21.7 and 1 for x < 43.4 (a product of `peel` factors 1 + e^{2x} stays below 2^127). Beyond that
 * every pair is summed in double as |x| + log(1 + e^{-2|x|}). The split between P and Q is balanced
 * for each hidden unit, so that neither overflows alone.
 *
 * Memory: P and Q are (hidden unit, sample). A tile of 4 rows x 32 columns of products stays in
 * registers while k advances.
 *
 * Reference: M. Koch-Janusz, Z. Ringel, Nature Physics 14, 578 (2018), for the energies. */
#include "learning/pairs.h"

#include <math.h>

#include "base/compiler.h"
#include "base/dense.h"
#include "base/elementary.h"
#include "base/status.h"

typedef float float16 __attribute__((vector_size(64), aligned(4), may_alias));
typedef float float8 __attribute__((vector_size(32), aligned(4), may_alias));
typedef int32_t int16x __attribute__((vector_size(64), aligned(4), may_alias));

enum { ROWS = 4, VECTORS = 2, COLUMNS = 16 * VECTORS };

void pairs_take(arena *a, int64_t rows, int64_t columns, int64_t n_hidden, pairs_workspace *w)
{
    w->rows = rows, w->columns = columns, w->n_hidden = n_hidden;
    w->row_factor = arena_take(a, (size_t)(padded(rows) * n_hidden) * sizeof(float));
    w->column_factor = arena_take(a, (size_t)(padded(columns) * n_hidden) * sizeof(float));
    w->row_sum = arena_doubles(a, (size_t)padded(rows));
    w->column_sum = arena_doubles(a, (size_t)padded(columns));
    w->shift = arena_doubles(a, (size_t)n_hidden);
}

/* The natural logarithm of m in [3/4, 3/2): 2 atanh((m - 1) / (m + 1)), the series to ninth
 * order. */
RSMI_INLINE float log_mantissa(float m)
{
    const float t = (m - 1.0f) / (m + 1.0f), t2 = t * t;
    return t * (2.0f + t2 * (2.0f / 3 + t2 * (2.0f / 5 + t2 * (2.0f / 7 + t2 * (2.0f / 9)))));
}

/* Moves the exponents of x into e and leaves mantissas in [3/4, 3/2). */
RSMI_INLINE void peel_exponent(float16 *x, int16x *e)
{
    int16x bits = *(int16x *)x;
    const int16x exponent = (bits - 0x3f400000) >> 23;
    *e += exponent;
    bits -= exponent << 23;
    *x = *(float16 *)&bits;
}

RSMI_INLINE void pair_tile(const int rows, const int peel, int64_t n_hidden, const float *p,
                           int64_t p_stride, const float *q, int64_t ld, const double *row_sum,
                           const double *column_sum, double *out)
{
    float16 product[ROWS][VECTORS];
    int16x exponent[ROWS][VECTORS];
    for (int r = 0; r < rows; r++)
        for (int v = 0; v < VECTORS; v++)
            product[r][v] = (float16){0} + 1.0f, exponent[r][v] = (int16x){0};
    for (int64_t first = 0; first < n_hidden; first += peel) {
        const int64_t last = first + peel < n_hidden ? first + peel : n_hidden;
        for (int64_t k = first; k < last; k++)
#pragma GCC unroll 2
            for (int v = 0; v < VECTORS; v++)
#pragma GCC unroll 4
                for (int r = 0; r < rows; r++)
                    product[r][v] *=
                        p[k * p_stride + r] * *(const float16 *)(q + k * ld + 16 * v) + 1.0f;
#pragma GCC unroll 4
        for (int r = 0; r < rows; r++)
#pragma GCC unroll 2
            for (int v = 0; v < VECTORS; v++)
                peel_exponent(&product[r][v], &exponent[r][v]);
    }
    for (int r = 0; r < rows; r++) {
        float mantissa[COLUMNS];
        int32_t power[COLUMNS];
        memcpy(mantissa, product[r], sizeof mantissa);
        memcpy(power, exponent[r], sizeof power);
        for (int c = 0; c < COLUMNS; c++)
            out[r * ld + c] = row_sum[r] + column_sum[c] +
                              (power[c] * 0.69314718055994531 + log_mantissa(mantissa[c]));
    }
}

RSMI_INLINE void all_tiles(const int peel, int64_t rows, int64_t ld, int64_t n_hidden,
                           const pairs_workspace *w, double *out)
{
    const int64_t stride = padded(rows);
    for (int64_t c = 0; c < ld; c += COLUMNS) {
        int64_t r = 0;
        for (; r + ROWS <= rows; r += ROWS)
            pair_tile(ROWS, peel, n_hidden, w->row_factor + r, stride, w->column_factor + c, ld,
                      w->row_sum + r, w->column_sum + c, out + r * ld + c);
        for (; r < rows; r++)
            pair_tile(1, peel, n_hidden, w->row_factor + r, stride, w->column_factor + c, ld,
                      w->row_sum + r, w->column_sum + c, out + r * ld + c);
    }
}

RSMI_CLONES
static void multiply_pairs(double largest, int64_t rows, int64_t ld, int64_t n_hidden,
                           const pairs_workspace *w, double *out)
{
    if (largest < 5.4)
        all_tiles(8, rows, ld, n_hidden, w, out);
    else if (largest < 10.8)
        all_tiles(4, rows, ld, n_hidden, w, out);
    else if (largest < 21.7)
        all_tiles(2, rows, ld, n_hidden, w, out);
    else
        all_tiles(1, rows, ld, n_hidden, w, out);
}

/* factor = e^{2(field + shift_k)} and sum -= field + shift_k over k, for 8 samples at a time. Below
 * e^-80 a factor cannot change 1 + P Q; the clamp keeps denormal numbers out of the product. */
RSMI_CLONES
static void exponentiate(int64_t n, int64_t stride, int64_t factor_stride, int64_t n_hidden,
                         const double *field, double sign, const double *shift, float *factor,
                         double *sum)
{
    for (int64_t i = 0; i < n; i += 8) {
        lanes8 total = {0};
        for (int64_t k = 0; k < n_hidden; k++) {
            lanes8 x = *(const lanes8 *)(field + k * stride + i) + sign * shift[k];
            total += x;
            const bits8 above = x > -40.0;
            select_lanes(&above, &x, -40.0);
            x *= 2.0;
            exponential(&x);
            *(float8 *)(factor + k * factor_stride + i) = __builtin_convertvector(x, float8);
        }
        *(lanes8 *)(sum + i) -= total;
    }
}

static double largest_of(const double *x, int64_t n)
{
    double largest = x[0];
    for (int64_t i = 1; i < n; i++)
        largest = x[i] > largest ? x[i] : largest;
    return largest;
}

/* Balances rows and columns. Returns the largest sum of fields over all hidden units and pairs. */
static double balance(int64_t rows, int64_t columns, int64_t n_hidden, const double *row_field,
                      int64_t row_stride, const double *column_field, double *shift)
{
    double largest = -INFINITY;
    for (int64_t k = 0; k < n_hidden; k++) {
        const double a = largest_of(row_field + k * row_stride, rows),
                     b = largest_of(column_field + k * padded(columns), columns);
        shift[k] = 0.5 * (b - a);
        if (!(a + b <= largest))
            largest = a + b;
    }
    return largest;
}

/* sum[c] += sign * sum_k log 2cosh(a_k + field[k][c]), in double: |x|, and apart from it the
 * product of the factors 1 + e^{-2|x|} <= 2. */
RSMI_CLONES
static void log_cosh_row(int64_t columns, int64_t n_hidden, const double *a, int64_t stride,
                         const double *field, double sign, double *sum)
{
    enum { FACTORS = 512 }; /* 2^512 is far from overflow */
    const int64_t ld = padded(columns);
    for (int64_t c = 0; c < columns; c += DENSE_LANES)
        for (int64_t first = 0; first < n_hidden; first += FACTORS) {
            const int64_t last = first + FACTORS < n_hidden ? first + FACTORS : n_hidden;
            lanes8 product[4], linear[4] = {{0}};
            for (int v = 0; v < 4; v++)
                product[v] = (lanes8){0} + 1.0;
            for (int64_t k = first; k < last; k++)
#pragma GCC unroll 4
                for (int v = 0; v < 4; v++) {
                    lanes8 x =
                        *(const lanes8 *)(field + k * ld + c + 8 * v) + (a ? a[k * stride] : 0.0);
                    absolute_value(&x);
                    linear[v] += x;
                    x *= -2.0;
                    exponential(&x);
                    product[v] *= 1.0 + x;
                }
            for (int v = 0; v < 4; v++) {
                logarithm(&product[v]);
                linear[v] = sign * (linear[v] + product[v]);
            }
            for (int64_t i = 0; i < DENSE_LANES && c + i < columns; i++)
                sum[c + i] += linear[i / 8][i % 8];
        }
}

void add_log_cosh(int64_t n_hidden, int64_t columns, double sign, const double *field, double *sum)
{
    log_cosh_row(columns, n_hidden, NULL, 0, field, sign, sum);
}

void pair_energies(int64_t rows, int64_t columns, int64_t n_hidden, const double *row_field,
                   int64_t row_stride, const double *column_field, const double *row_offset,
                   const double *column_offset, const pairs_workspace *w, double *out)
{
    const int64_t ld = padded(columns);
    const double largest = rows > 0 && columns > 0 ? balance(rows, columns, n_hidden, row_field,
                                                             row_stride, column_field, w->shift)
                                                   : 0.0;
    for (int64_t i = 0; i < rows; i++)
        w->row_sum[i] = row_offset ? row_offset[i] : 0.0;
    for (int64_t j = 0; j < columns; j++)
        w->column_sum[j] = column_offset ? column_offset[j] : 0.0;
    if (largest < 43.4) {
        exponentiate(rows, row_stride, padded(rows), n_hidden, row_field, 1.0, w->shift,
                     w->row_factor, w->row_sum);
        exponentiate(columns, ld, ld, n_hidden, column_field, -1.0, w->shift, w->column_factor,
                     w->column_sum);
        multiply_pairs(largest, rows, ld, n_hidden, w, out);
    } else {
        for (int64_t i = 0; i < rows; i++) {
            for (int64_t j = 0; j < columns; j++)
                out[i * ld + j] = w->row_sum[i] + w->column_sum[j];
            log_cosh_row(columns, n_hidden, row_field + i, row_stride, column_field, 1.0,
                         out + i * ld);
        }
    }
    for (int64_t i = 0; i < rows; i++)
        memset(out + i * ld + columns, 0, (size_t)(ld - columns) * sizeof(double));
}

static void copy_rows(int64_t rows, int64_t columns, const double *x, int64_t stride, double *out,
                      int64_t out_stride)
{
    for (int64_t r = 0; r < rows; r++)
        memcpy(out + r * out_stride, x + r * stride, (size_t)columns * sizeof(double));
}

int pair_log_cosh_table(int64_t n_rows, int64_t n_columns, int64_t n_hidden, const double *rows,
                        const double *columns, int64_t repeats, double *out)
{
    const int64_t ld_rows = padded(n_rows), ld_columns = padded(n_columns);
    arena a = {0};
    pairs_workspace w;
    pairs_take(&a, n_rows, n_columns, n_hidden, &w);
    double *row_field = arena_doubles(&a, (size_t)(n_hidden * ld_rows)),
           *column_field = arena_doubles(&a, (size_t)(n_hidden * ld_columns));
    double *energies = arena_doubles(&a, (size_t)(n_rows * ld_columns));
    const int status = a.failed ? RSMI_NO_MEMORY : RSMI_OK;
    if (status == RSMI_OK) {
        copy_rows(n_hidden, n_rows, rows, n_rows, row_field, ld_rows);
        copy_rows(n_hidden, n_columns, columns, n_columns, column_field, ld_columns);
        for (int64_t r = 0; r < repeats; r++)
            pair_energies(n_rows, n_columns, n_hidden, row_field, ld_rows, column_field, NULL, NULL,
                          &w, energies);
        copy_rows(n_rows, n_columns, energies, ld_columns, out, n_columns);
    }
    arena_free(&a);
    return status;
}
