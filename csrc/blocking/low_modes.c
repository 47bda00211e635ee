/* Fourier sums of products of spins from tables of bytes.
 *
 * Each row of a lattice is a few words of bits. Copies of the lattice, rotated along the rows, make
 * a product of spins the XOR of runs of words, as in operators.c; the first rows of a plane are
 * repeated behind its last ones. A sum over the lattice counts bits. At the wave vectors n = -2,
 * ..., 2 along each axis, exp(-i q x) is a product of five real functions 1, cos, sin, cos 2, sin 2
 * of each coordinate. Along the columns, a table holds the five sums of eight spins for each state
 * of a byte, so that one vector addition takes care of eight spins and five functions. Along rows
 * and planes there are five times five, or five times twenty-five, multiplications for each row or
 * plane. Products of the real functions make the complex modes, for sixteen configurations at a
 * time.
 *
 * Sums are float32 up to the modes of a product: the sums of a row are below 2^24 in units of the
 * spins, so that mode 0 is exact, and the rounding of the others, 1e-7, is far below the
 * fluctuations of a mode, which are of the order of the square root of the number of sites. The
 * functions along the axes are rounded to multiples of 2^-22 by the caller. No sum is reordered and
 * no addition is fused, so that every instruction set gives the same bits. */
#include "blocking/low_modes.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/compiler.h"
#include "base/lanes.h"
#include "base/status.h"

enum {
    BYTE_STATES = 256,
    SIDE_BY_SIDE = 16, /* configurations whose modes are made at the same time */
    PLANE_WAVES = MODE_WAVES * MODE_WAVES,
    PARTS = 8
};

typedef float eight __attribute__((vector_size(32), aligned(4), may_alias));

/* One of the products of real functions that make a mode: entry `wave` of the sums, added to or
 * subtracted from the real or the imaginary part. */
typedef struct {
    int wave;
    float sign;
    int imaginary;
} part;

typedef struct {
    int count;
    part parts[PARTS];
} mode;

typedef struct {
    const local_functions *f;
    int64_t words, run, plane, copy; /* words of a row, of a plane, of one with its repeated rows,
                                        of a copy */
    int64_t bytes, longest;          /* bytes of a row, the longest side */
    int64_t *shifts, n_shifts;       /* the offsets along a row that occur */
    int64_t *starts;                 /* where each point begins in the copies, without its plane */
    uint64_t *copies, *product;
    float *table; /* (bytes, BYTE_STATES, 8) */
    mode *modes;
    int64_t waves;     /* products of real functions: MODE_WAVES^2 or ^3 */
    float *sums;       /* (n_products, waves, SIDE_BY_SIDE) */
    double *amplitude; /* (n_functions, n_modes, 2, SIDE_BY_SIDE) */
    double *orbits;    /* (n_orbits, SIDE_BY_SIDE) of one function */
} workspace;

/* ---- rows ---- */

/* Reads a row of bits into words, the padding 0. */
RSMI_INLINE void read_line(const uint8_t *row, int64_t n_bytes, int64_t position, int64_t columns,
                           uint64_t *line)
{
    for (int64_t x = 0; x < columns; x += 64)
        line[x / 64] =
            read_row(row, n_bytes, position + x, columns - x < 64 ? (int)(columns - x) : 64);
}

/* Makes out[x] = line[x + shift] for a circular row, 0 < shift < columns. */
RSMI_INLINE void rotate_line(const uint64_t *line, int64_t columns, int64_t shift, uint64_t *out)
{
    const uint8_t *bytes = (const uint8_t *)line;
    const int64_t n_bytes = (columns + 63) / 64 * 8;
    for (int64_t x = 0; x < columns; x += 64) {
        const int width = columns - x < 64 ? (int)(columns - x) : 64;
        const int64_t start = (x + shift) % columns, left = columns - start;
        out[x / 64] = width <= left ? read_bits(bytes, n_bytes, start, width)
                                    : read_bits(bytes, n_bytes, start, (int)left) |
                                          read_bits(bytes, n_bytes, 0, width - (int)left) << left;
    }
}

/* Makes the rotated copies of one configuration. */
RSMI_INLINE void make_copies(const workspace *w, const uint8_t *row)
{
    const int64_t *shape = w->f->shape, n_bytes = (shape[0] * shape[1] * shape[2] + 7) / 8;
    for (int64_t z = 0; z < shape[0]; z++) {
        uint64_t *plane = w->copies + z * w->plane;
        for (int64_t y = 0; y < shape[1]; y++) {
            uint64_t *line = plane + y * w->words;
            read_line(row, n_bytes, (z * shape[1] + y) * shape[2], shape[2], line);
            for (int64_t s = 1; s < w->n_shifts; s++)
                rotate_line(line, shape[2], w->shifts[s], line + s * w->copy);
        }
        for (int64_t s = 0; s < w->n_shifts; s++)
            for (int64_t i = w->run; i < w->plane; i++)
                plane[s * w->copy + i] = plane[s * w->copy + i - w->run];
    }
}

/* The parities of the spins of a product at all sites of a plane. Returns where they are. */
RSMI_INLINE const uint64_t *parities(const workspace *w, int64_t p, int64_t z)
{
    const local_functions *f = w->f;
    const uint64_t *only = NULL;
    for (int64_t i = f->first[p]; i < f->first[p + 1]; i++) {
        const uint64_t *in =
            w->copies + w->starts[i] + (z + f->points[3 * i]) % f->shape[0] * w->plane;
        if (i == f->first[p])
            only = in;
        else if (i == f->first[p] + 1)
            for (int64_t j = 0; j < w->run; j++)
                w->product[j] = only[j] ^ in[j];
        else
            for (int64_t j = 0; j < w->run; j++)
                w->product[j] ^= in[j];
    }
    return f->first[p + 1] - f->first[p] > 1 ? w->product : only;
}

/* ---- sums of one product ---- */

RSMI_INLINE int64_t lattice_sum(const workspace *w, int64_t p)
{
    const int64_t *shape = w->f->shape;
    int64_t ones = 0;
    for (int64_t z = 0; z < shape[0]; z++) {
        const uint64_t *bits = parities(w, p, z);
        for (int64_t j = 0; j < w->run; j++)
            ones += __builtin_popcountll(bits[j]);
    }
    return 2 * ones - shape[0] * shape[1] * shape[2];
}

RSMI_INLINE eight sum_of_row(const workspace *w, const uint64_t *line)
{
    const uint8_t *bytes = (const uint8_t *)line;
    const float *table = w->table;
    eight sum = {0};
    for (int64_t b = 0; b < w->bytes; b++, table += 8 * BYTE_STATES)
        sum += *(const eight *)(table + 8 * bytes[b]);
    return sum;
}

/* Sums over a plane of the parities (+1 where the bit is 1) times the five functions of the row and
 * the five of the column. */
RSMI_INLINE void sums_of_plane(const workspace *w, const uint64_t *bits, eight plane[MODE_WAVES])
{
    const float *along_y = w->f->waves + MODE_WAVES * w->longest;
    eight s0 = {0}, s1 = s0, s2 = s0, s3 = s0, s4 = s0;
    for (int64_t y = 0; y < w->f->shape[1]; y++) {
        const eight row = sum_of_row(w, bits + y * w->words);
        s0 += row;
        s1 += row * along_y[w->longest + y];
        s2 += row * along_y[2 * w->longest + y];
        s3 += row * along_y[3 * w->longest + y];
        s4 += row * along_y[4 * w->longest + y];
    }
    plane[0] = s0, plane[1] = s1, plane[2] = s2, plane[3] = s3, plane[4] = s4;
}

RSMI_INLINE void store_plane(const eight plane[MODE_WAVES], float *sums)
{
    for (int g = 0; g < MODE_WAVES; g++)
        for (int k = 0; k < MODE_WAVES; k++)
            sums[(g * MODE_WAVES + k) * SIDE_BY_SIDE] = plane[g][k];
}

/* Sums over the lattice of the parities of product p times all products of one real function for
 * each axis, in column i of w->sums. */
RSMI_INLINE void sums_of_waves(const workspace *w, int64_t p, int64_t i)
{
    const int64_t depth = w->f->shape[0];
    float *sums = w->sums + p * w->waves * SIDE_BY_SIDE + i;
    eight plane[MODE_WAVES];
    sums_of_plane(w, parities(w, p, 0), plane);
    if (depth == 1) {
        store_plane(plane, sums);
        return;
    }
    eight total[MODE_WAVES][MODE_WAVES] = {{{0}}};
    for (int64_t z = 0; z < depth; z++) {
        if (z > 0)
            sums_of_plane(w, parities(w, p, z), plane);
        for (int h = 0; h < MODE_WAVES; h++)
            for (int g = 0; g < MODE_WAVES; g++)
                total[h][g] += plane[g] * w->f->waves[h * w->longest + z];
    }
    for (int h = 0; h < MODE_WAVES; h++)
        store_plane(total[h], sums + h * PLANE_WAVES * SIDE_BY_SIDE);
}

/* ---- modes of functions ---- */

/* The product of k spins 2 b - 1 is this sign times 2 (parity of the bits b) - 1. */
RSMI_INLINE double sign_of(const local_functions *f, int64_t p)
{
    return (f->first[p + 1] - f->first[p]) % 2 ? 1.0 : -1.0;
}

/* Adds the lattice sum of product p in configuration i to all functions. */
RSMI_INLINE void add_lattice_sum(const workspace *w, int64_t p, int64_t i)
{
    const local_functions *f = w->f;
    const double sum = sign_of(f, p) * (double)lattice_sum(w, p);
    for (int64_t a = 0; a < f->n_functions; a++)
        w->amplitude[2 * SIDE_BY_SIDE * a + i] += f->weights[2 * (a * f->n_products + p)] * sum;
}

/* Adds product p to all modes of all functions. */
RSMI_INLINE void add_product(const workspace *w, int64_t p)
{
    const local_functions *f = w->f;
    const double sign = sign_of(f, p);
    for (int64_t n = 0; n < f->n_modes; n++) {
        float re[SIDE_BY_SIDE] = {0}, im[SIDE_BY_SIDE] = {0};
        for (int k = 0; k < w->modes[n].count; k++) {
            const part *one = &w->modes[n].parts[k];
            const float *sums = w->sums + (p * w->waves + one->wave) * SIDE_BY_SIDE;
            float *to = one->imaginary ? im : re;
            for (int i = 0; i < SIDE_BY_SIDE; i++)
                to[i] += one->sign * sums[i];
        }
        for (int64_t a = 0; a < f->n_functions; a++) {
            const double *weight = f->weights + 2 * ((a * f->n_products + p) * f->n_modes + n);
            const double x = sign * weight[0], y = sign * weight[1];
            double *to = w->amplitude + 2 * SIDE_BY_SIDE * (a * f->n_modes + n);
            if (x == 0 && y == 0)
                continue;
            for (int i = 0; i < SIDE_BY_SIDE; i++) {
                to[i] += x * re[i] - y * im[i];
                to[SIDE_BY_SIDE + i] += x * im[i] + y * re[i];
            }
        }
    }
}

/* Writes the results of n configurations from the amplitudes. */
RSMI_INLINE void write_results(const workspace *w, int64_t n, double *values, double *factors)
{
    const local_functions *f = w->f;
    for (int64_t a = 0; a < f->n_functions; a++) {
        const double *amplitude = w->amplitude + 2 * SIDE_BY_SIDE * a * f->n_modes;
        memset(w->orbits, 0, (size_t)(f->n_orbits * SIDE_BY_SIDE) * sizeof *w->orbits);
        for (int64_t m = 1; m < f->n_modes; m++) {
            const double *re = amplitude + 2 * SIDE_BY_SIDE * m, *im = re + SIDE_BY_SIDE;
            double *to = w->orbits + f->orbit[m] * SIDE_BY_SIDE;
            for (int i = 0; i < SIDE_BY_SIDE; i++)
                to[i] += f->share[m] * (re[i] * re[i] + im[i] * im[i]);
        }
        for (int64_t i = 0; i < n; i++) {
            values[i * f->n_functions + a] = amplitude[i];
            for (int64_t k = 0; k < f->n_orbits; k++)
                factors[(i * f->n_functions + a) * f->n_orbits + k] =
                    w->orbits[k * SIDE_BY_SIDE + i];
        }
    }
}

RSMI_CLONES
static void modes_of_configurations(const workspace *w, const uint8_t *rows, int64_t n,
                                    double *values, double *factors)
{
    const local_functions *f = w->f;
    const int64_t n_bytes = (f->shape[0] * f->shape[1] * f->shape[2] + 7) / 8;
    memset(w->amplitude, 0,
           (size_t)(2 * SIDE_BY_SIDE * f->n_functions * f->n_modes) * sizeof *w->amplitude);
    for (int64_t i = 0; i < n; i++) {
        make_copies(w, rows + i * n_bytes);
        for (int64_t p = 0; p < f->n_products; p++)
            if (f->n_modes == 1)
                add_lattice_sum(w, p, i);
            else
                sums_of_waves(w, p, i);
    }
    for (int64_t p = 0; p < f->n_products && f->n_modes > 1; p++)
        add_product(w, p);
    write_results(w, n, values, factors);
}

/* ---- preparation ---- */

/* Places every point: finds the shifts along a row that occur, and the run of each point in the
 * copies. */
static void place_points(workspace *w)
{
    const local_functions *f = w->f;
    int64_t reach = 0;
    w->shifts[0] = 0, w->n_shifts = 1;
    for (int64_t i = 0; i < f->first[f->n_products]; i++) {
        const int32_t *point = f->points + 3 * i;
        int64_t s = 0;
        while (s < w->n_shifts && w->shifts[s] != point[2])
            s++;
        if (s == w->n_shifts)
            w->shifts[w->n_shifts++] = point[2];
        w->starts[i] = s;
        if (point[1] > reach)
            reach = point[1];
    }
    w->plane = w->run + reach * w->words, w->copy = f->shape[0] * w->plane;
    for (int64_t i = 0; i < f->first[f->n_products]; i++)
        w->starts[i] = w->starts[i] * w->copy + f->points[3 * i + 1] * w->words;
}

static void fill_table(workspace *w)
{
    const int64_t columns = w->f->shape[2];
    const float *along_x = w->f->waves + 2 * MODE_WAVES * w->longest;
    for (int64_t x = 0; x < columns; x++)
        for (int state = 0; state < BYTE_STATES; state++)
            for (int k = 0; k < MODE_WAVES; k++)
                w->table[(x / 8 * BYTE_STATES + state) * 8 + k] +=
                    (state >> (x % 8) & 1 ? 1.0f : -1.0f) * along_x[k * w->longest + x];
}

/* exp(-i q x) = prod over axes (cos - i sin), multiplied out. */
static void expand_modes(workspace *w)
{
    for (int64_t n = 0; n < w->f->n_modes; n++) {
        const int32_t *number = w->f->numbers + 3 * n;
        mode *m = &w->modes[n];
        m->count = 0;
        for (int sines = 0; sines < PARTS; sines++) {
            int wave = 0, order = 0, possible = 1;
            float sign = 1;
            for (int axis = 0; axis < 3; axis++) {
                const int sine = sines >> axis & 1, size = abs(number[axis]);
                possible &= !sine || size;
                wave = MODE_WAVES * wave + (size ? 2 * size - 1 + sine : 0);
                order += sine;
                sign *= sine && number[axis] < 0 ? -1.0f : 1.0f;
            }
            sign *= order == 1 || order == 2 ? -1.0f : 1.0f; /* the powers of -i */
            if (possible)
                m->parts[m->count++] = (part){wave, sign, order % 2};
        }
    }
}

/* Takes all memory; 0 if there is not enough. */
static int prepare(const local_functions *f, workspace *w, arena *memory)
{
    const int64_t n_points = f->first[f->n_products];
    *w = (workspace){.f = f, .words = (f->shape[2] + 63) / 64, .bytes = (f->shape[2] + 7) / 8};
    w->run = f->shape[1] * w->words;
    for (int axis = 0; axis < 3; axis++)
        w->longest = f->shape[axis] > w->longest ? f->shape[axis] : w->longest;
    w->waves = f->shape[0] > 1 ? MODE_WAVES * PLANE_WAVES : PLANE_WAVES;
    w->shifts = arena_take(memory, (size_t)(n_points + 1) * sizeof *w->shifts);
    w->starts = arena_take(memory, (size_t)n_points * sizeof *w->starts);
    if (memory->failed)
        return 0;
    place_points(w);
    w->copies = arena_take(memory, (size_t)(w->n_shifts * w->copy) * sizeof *w->copies);
    w->product = arena_take(memory, (size_t)w->run * sizeof *w->product);
    w->amplitude = arena_doubles(memory, (size_t)(2 * SIDE_BY_SIDE * f->n_functions * f->n_modes));
    w->orbits = arena_doubles(memory, (size_t)(SIDE_BY_SIDE * f->n_orbits));
    if (f->n_modes > 1) {
        w->table = arena_take(memory, (size_t)(w->bytes * BYTE_STATES * 8) * sizeof *w->table);
        w->sums =
            arena_take(memory, (size_t)(f->n_products * w->waves * SIDE_BY_SIDE) * sizeof *w->sums);
        w->modes = arena_take(memory, (size_t)f->n_modes * sizeof *w->modes);
    }
    if (!memory->failed && f->n_modes > 1) {
        fill_table(w);
        expand_modes(w);
    }
    return !memory->failed;
}

int low_modes(const local_functions *functions, const uint8_t *rows, int64_t n_samples,
              double *values, double *factors)
{
    const local_functions *f = functions;
    const int64_t sites = f->shape[0] * f->shape[1] * f->shape[2], n_bytes = (sites + 7) / 8;
    const int status = check_local_functions(f);
    if (status != RSMI_OK)
        return status;
    arena memory = {{NULL}, 0, 0};
    workspace w;
    const int enough = prepare(f, &w, &memory);
    for (int64_t i = 0; enough && i < n_samples; i += SIDE_BY_SIDE)
        modes_of_configurations(
            &w, rows + i * n_bytes, n_samples - i < SIDE_BY_SIDE ? n_samples - i : SIDE_BY_SIDE,
            values + i * f->n_functions, factors + i * f->n_functions * f->n_orbits);
    arena_free(&memory);
    return enough ? RSMI_OK : RSMI_NO_MEMORY;
}
