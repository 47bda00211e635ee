/* Histograms of local energies by rows of bits.
 *
 * A product of an even number of spins +-1 is -1 where the XOR of their bits is 1. For every
 * operator the products through a site are counted by bit-sliced adders, CHUNK words of 64 sites at
 * a time: plane p of an operator holds bit p of the number of its products that are -1. The planes
 * of all operators, at most 16, form one 16-bit code per site. A transposition of 16 x 16 bits
 * turns planes into codes (the order of the sites is lost, which does not matter for a histogram),
 * and every code counts in a table. There are four tables, one for each of the four codes in a
 * word: equal codes often follow one another, and increments of one counter would wait for each
 * other. The tables are added to the bins of the caller when the block of samples changes or a
 * 32-bit counter could overflow.
 *
 * Memory. Each row of the lattice is unpacked to ceil(width / 64) words (bit x = column x, padding
 * 0). Rows follow one another. The first 2 ry rows of every plane are repeated after it, and the
 * first 2 rz planes after the last plane. There are 2 rx + 1 such copies, which hold the lattice
 * with its columns rotated by 0, 1, ... Here rx, ry, rz are the largest offsets that occur. Then
 * the point (dz, dy, dx) of a term, for all sites of a plane at once, is the run of height * words
 * words from plane z + rz + dz, row ry + dy of copy rx + dx.
 *
 * References: R. H. Swendsen, PRL 52, 1165 (1984), which uses the histograms; F. Wegner, Nucl.
 * Phys. B 180, 77 (1981), for multi-spin coding. */
#include "blocking/neighbourhood.h"

#include <stdlib.h>

#include "base/compiler.h"
#include "base/lanes.h"
#include "base/status.h"

enum {
    CHUNK = LANE_COUNT,
    CODE_BITS = 16,
    LANES = 4,
    LANE = (1 << CODE_BITS) + 64,
    PLANES = 4,
    POINTS = NEIGHBOURHOOD_OTHERS + 1,
    ALL_TERMS = NEIGHBOURHOOD_OPERATORS * NEIGHBOURHOOD_TERMS
};

typedef struct {
    int64_t depth, height, width, words;
    int64_t range[3];        /* rz, ry, rx */
    int64_t stride[3];       /* words from plane to plane, from row to row, from copy to copy */
    int n_terms, n_bits;     /* terms of all operators; bits of a code */
    int n_points[ALL_TERMS]; /* 2 or 4, the site first */
    int64_t point[ALL_TERMS][POINTS]; /* words from the beginning of a plane */
    int n_operators;
    int radix[NEIGHBOURHOOD_OPERATORS]; /* terms of an operator, plus 1 */
    int bits[NEIGHBOURHOOD_OPERATORS];  /* planes of an operator */
} layout;

/* ---- the table of terms ---- */

static int bits_of(int64_t number)
{
    int bits = 0;
    while (number >> bits)
        bits++;
    return bits;
}

static int is_far(int32_t offset)
{
    return offset < -NEIGHBOURHOOD_RANGE || offset > NEIGHBOURHOOD_RANGE;
}

/* The number of points of a term, the site among them; 0 if the term is malformed. */
static int points_in(const int32_t *others)
{
    int zero[NEIGHBOURHOOD_OTHERS];
    for (int i = 0; i < NEIGHBOURHOOD_OTHERS; i++) {
        const int32_t *offset = others + 3 * i;
        if (is_far(offset[0]) || is_far(offset[1]) || is_far(offset[2]))
            return 0;
        zero[i] = !offset[0] && !offset[1] && !offset[2];
    }
    if (zero[0])
        return 0;
    return zero[1] && zero[2] ? 2 : !zero[1] && !zero[2] ? POINTS : 0;
}

/* Reads the operators, the ranges and the planes of every term. Returns 0 if a term is
 * malformed. */
static int read_terms(layout *l, const int32_t *terms, const int32_t *term_operator,
                      int64_t n_terms)
{
    if (n_terms < 1 || n_terms > ALL_TERMS)
        return 0;
    l->n_terms = (int)n_terms;
    for (int t = 0; t < l->n_terms; t++) {
        const int32_t *others = terms + t * NEIGHBOURHOOD_OTHERS * 3;
        if (term_operator[t] == l->n_operators) {
            if (l->n_operators == NEIGHBOURHOOD_OPERATORS)
                return 0;
            l->radix[l->n_operators++] = 1;
        }
        const int a = l->n_operators - 1;
        l->n_points[t] = points_in(others);
        if (term_operator[t] != a || !l->n_points[t] || l->radix[a] > NEIGHBOURHOOD_TERMS)
            return 0;
        l->radix[a]++;
        for (int i = 0; i < NEIGHBOURHOOD_OTHERS * 3; i++)
            if (l->range[i % 3] < abs(others[i]))
                l->range[i % 3] = abs(others[i]);
    }
    for (int a = 0; a < l->n_operators; a++) {
        l->bits[a] = bits_of(l->radix[a] - 1);
        l->n_bits += l->bits[a];
    }
    return l->n_bits <= CODE_BITS;
}

static void place_points(layout *l, const int32_t *terms)
{
    const int64_t *range = l->range;
    l->words = (l->width + 63) / 64;
    l->stride[1] = l->words;
    l->stride[0] = (l->height + 2 * range[1]) * l->words;
    l->stride[2] = (l->depth + 2 * range[0]) * l->stride[0];
    for (int t = 0; t < l->n_terms; t++)
        for (int i = 0; i < POINTS; i++) {
            l->point[t][i] = 0;
            for (int axis = 0; axis < 3; axis++)
                l->point[t][i] +=
                    (range[axis] + (i ? terms[(t * NEIGHBOURHOOD_OTHERS + i - 1) * 3 + axis] : 0)) *
                    l->stride[axis];
        }
}

static int64_t bin_of(const layout *l, int64_t code)
{
    int64_t bin = 0, weight = 1;
    for (int a = 0; a < l->n_operators; weight *= l->radix[a++]) {
        const int64_t k = code & ((1 << l->bits[a]) - 1);
        if (k >= l->radix[a])
            return -1; /* this code never occurs */
        bin += weight * k;
        code >>= l->bits[a];
    }
    return bin;
}

/* ---- one lattice ---- */

/* Rotates the columns of rows by one: out[x] = in[x + 1]. The word after the last row is read. */
RSMI_INLINE void rotate_rows(const uint64_t *in, int64_t n_rows, int64_t words, int64_t width,
                             uint64_t *out)
{
    for (int64_t i = 0; i < n_rows * words; i++)
        out[i] = in[i] >> 1 | in[i + 1] << 63;
    for (int64_t first = 0, last = words - 1; first < n_rows * words; first += words, last += words)
        out[last] = in[last] >> 1 | (in[first] & 1) << ((width - 1) & 63);
}

RSMI_INLINE void shifted_copies(const uint8_t *row, const layout *l, uint64_t *copies)
{
    const int64_t n_bytes = (l->depth * l->height * l->width + 7) / 8,
                  n_planes = l->depth + 2 * l->range[0], n_rows = l->height + 2 * l->range[1];
    for (int64_t z = 0; z < n_planes; z++)
        for (int64_t y = 0; y < n_rows; y++) {
            const int64_t first = (z % l->depth * l->height + y % l->height) * l->width;
            for (int64_t x = 0; x < l->width; x += 64)
                copies[z * l->stride[0] + y * l->words + (x >> 6)] = read_bits(
                    row, n_bytes, first + x, l->width - x < 64 ? (int)(l->width - x) : 64);
        }
    for (int64_t shift = 1; shift <= 2 * l->range[2]; shift++, copies += l->stride[2])
        rotate_rows(copies, n_planes * n_rows, l->words, l->width, copies + l->stride[2]);
}

/* Makes the planes of the products that are -1, for CHUNK words from `plane` on. */
RSMI_INLINE void count_products(const layout *l, const uint64_t *plane, lanes code[CODE_BITS])
{
    int first = 0, t = 0;
    for (int a = 0; a < l->n_operators; first += l->bits[a++]) {
        lanes sum[PLANES] = {{0}};
        for (int end = t + l->radix[a] - 1; t < end; t++) {
            const int64_t *point = l->point[t];
            lanes carry = *(const lanes *)(plane + point[0]) ^ *(const lanes *)(plane + point[1]);
            if (l->n_points[t] == POINTS)
                carry ^= *(const lanes *)(plane + point[2]) ^ *(const lanes *)(plane + point[3]);
#pragma GCC unroll 4
            for (int p = 0; p < PLANES; p++) {
                const lanes old = sum[p];
                sum[p] = old ^ carry;
                carry &= old;
            }
        }
        for (int p = 0; p < PLANES; p++)
            if (p < l->bits[a])
                code[first + p] = sum[p];
    }
}

RSMI_INLINE void count_codes(const lanes code[CODE_BITS], int word, int64_t sites,
                             uint32_t tables[LANES][LANE])
{
    if (sites == 64) {
        for (int j = 0; j < CODE_BITS; j++) {
            const uint64_t four = code[j][word];
            tables[0][four & 0xffff]++;
            tables[1][four >> 16 & 0xffff]++;
            tables[2][four >> 32 & 0xffff]++;
            tables[3][four >> 48]++;
        }
    } else
        for (int64_t site = 0; site < sites; site++)
            tables[0][code[site % CODE_BITS][word] >> (site / CODE_BITS * CODE_BITS) & 0xffff]++;
}

RSMI_CLONES
static void count_lattice(const uint8_t *row, const layout *l, uint64_t *copies,
                          uint32_t tables[LANES][LANE])
{
    const int64_t n = l->height * l->words, last = l->width - 64 * (l->words - 1);
    lanes code[CODE_BITS];
    shifted_copies(row, l, copies);
    for (int64_t z = 0; z < l->depth; z++)
        for (int64_t begin = 0; begin < n; begin += CHUNK) {
            memset(code, 0, sizeof code);
            count_products(l, copies + z * l->stride[0] + begin, code);
            transpose_squares(code, CODE_BITS); /* bits 16 g .. 16 g + 15 of each word of code[j]
                                                   are now the code of site 16 g + j */
            for (int64_t w = begin; w < n && w < begin + CHUNK; w++)
                count_codes(code, (int)(w - begin), w % l->words == l->words - 1 ? last : 64,
                            tables);
        }
}

/* ---- all of them ---- */

static void add_tables(const layout *l, uint32_t tables[LANES][LANE], int64_t *counts)
{
    const int64_t size = (int64_t)1 << l->n_bits;
    for (int64_t code = 0; code < size; code++) {
        const int64_t bin = bin_of(l, code);
        for (int lane = 0; lane < LANES && bin >= 0; lane++)
            counts[bin] += tables[lane][code];
    }
    for (int lane = 0; lane < LANES; lane++)
        memset(tables[lane], 0, (size_t)size * sizeof **tables);
}

int neighbourhood_counts(const uint8_t *rows, int64_t n_samples, int64_t depth, int64_t height,
                         int64_t width, const int32_t *terms, const int32_t *term_operator,
                         int64_t n_terms, const int64_t *blocks, int64_t *counts)
{
    layout l = {.depth = depth, .height = height, .width = width};
    if (!read_terms(&l, terms, term_operator, n_terms))
        return RSMI_BAD_VALUE;
    place_points(&l, terms);
    const int64_t sites = depth * height * width, n_bytes = (sites + 7) / 8,
                  at_once = UINT32_MAX / sites;
    int64_t bins = 1, pending = 0;
    for (int a = 0; a < l.n_operators; a++)
        bins *= l.radix[a];
    /* A chunk may begin with the last word of a run, so that CHUNK more words must exist. */
    uint64_t *copies = calloc((size_t)((2 * l.range[2] + 1) * l.stride[2] + CHUNK), sizeof *copies);
    uint32_t (*tables)[LANE] = calloc(LANES, sizeof *tables);
    const int enough = copies && tables;
    for (int64_t i = 0; enough && i < n_samples; i++) {
        count_lattice(rows + i * n_bytes, &l, copies, tables);
        if (++pending == at_once || i + 1 == n_samples || blocks[i + 1] != blocks[i]) {
            add_tables(&l, tables, counts + blocks[i] * bins);
            pending = 0;
        }
    }
    free(copies);
    free(tables);
    return enough ? RSMI_OK : RSMI_NO_MEMORY;
}
