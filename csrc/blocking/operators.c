/* Spin operators by rows of bits, in one, two and three dimensions.
 *
 * A product of spins +-1 is the parity of its bits that are 1, so a lattice sum counts bits: with k
 * spins in the product and N sites, sum = (-1)^k (N - 2 popcount(XOR of k shifted lattices)).
 *
 * Memory. Groups of at least eight samples lie side by side (lanes.h). For a large lattice, or
 * where there are too few samples, eight slabs of one sample take their place: successive ranges of
 * planes, each of which ends with the first planes of the next slab. The rows of the lattices
 * (planes, rows, columns) follow one another, ceil(columns / 64) words each (padding 0). Planes
 * follow one another, and the first planes are repeated at the end. There is one such copy for
 * every offset (dy, dx), in which rows and columns are rotated by that much. Then the point (dz,
 * dy, dx) of a term, for all sites at once, is the run of planes * rows * words words that starts
 * at plane dz of copy (dy, dx). A term is the XOR of at most four such runs. A lattice of one plane
 * is treated as planes of a single row, so that three copies hold it; the axes are alike.
 *
 * The bits of all terms of an operator are counted by carry-save adders: digit p of the count of
 * every column of bits is a word. Only the digits, a dozen words, are left to population counts,
 * sample by sample. An adder takes at most three instructions on every processor. That is no more
 * than a vector popcount and an addition where these exist, and a fraction of them elsewhere.
 *
 * References: R. H. Swendsen, PRL 42, 859 (1979), for the operators; F. Wegner, Nucl. Phys. B 180,
 * 77 (1981), for multi-spin coding; W. Mula, N. Kurz, D. Lemire, Comput. J. 61, 111 (2018), for
 * counting bits by carry-save adders. */
#include "blocking/operators.h"

#include <stdlib.h>

#include "base/compiler.h"
#include "base/counting.h"
#include "base/status.h"

enum { DIGITS = 48, SLABS_FROM = 64, LARGE = 1 << 18 };

typedef struct {
    int64_t planes, rows, columns; /* of the lattice, or of a slab */
    int64_t slabs;                 /* number of slabs of a lattice, 1 if it is not cut */
    int64_t reach[3];              /* largest offset of a term on each axis */
    int64_t words, plane, copy;    /* words of a row, a plane, a copy with its repeated planes */
} layout;

typedef struct {
    int spins;
    int32_t owner;
    int64_t start[OPERATOR_SPINS]; /* first word of each point */
} product;

/* ---- lattices side by side ---- */

/* The bits of a lane that are the last column of a row. */
static uint64_t last_columns(int64_t columns)
{
    uint64_t bits = 0;
    if (columns >= 64)
        return 1ULL << ((columns - 1) & 63);
    for (int64_t j = 1; j <= 64 / columns; j++)
        bits |= 1ULL << (j * columns - 1);
    return bits;
}

/* Rotates the columns of a row by one: out[x] = in[x + 1]. */
RSMI_INLINE void rotate_row(const lanes *in, int64_t words, int64_t columns, uint64_t last,
                            lanes *out)
{
    for (int64_t w = 0; w + 1 < words; w++)
        out[w] = in[w] >> 1 | in[w + 1] << 63;
    out[words - 1] = (in[words - 1] >> 1 & ~last) |
                     (in[0] << (columns < 64 ? columns - 1 : (columns - 1) & 63) & last);
}

/* Gathers 64 columns from `first` on of row y of plane z of every slab of one lattice. */
RSMI_INLINE void gather_slabs(const uint8_t *row, int64_t n_bytes, const layout *l, int64_t z,
                              int64_t y, int64_t first, lanes *out)
{
    const int width = l->columns - first < 64 ? (int)(l->columns - first) : 64;
    uint64_t words[LANE_COUNT];
    for (int64_t slab = 0; slab < LANE_COUNT; slab++) {
        const int64_t plane = (slab * l->planes + z) % (LANE_COUNT * l->planes);
        words[slab] = read_bits(row, n_bytes, (plane * l->rows + y) * l->columns + first, width);
    }
    memcpy(out, words, sizeof words);
}

RSMI_INLINE void shifted_copies(const uint8_t *rows, int64_t n_samples, const layout *l,
                                lanes *copies)
{
    const int64_t shifts = l->reach[2] + 1,
                  n_bytes = (l->slabs * l->planes * l->rows * l->columns + 7) / 8;
    const uint64_t last = last_columns(l->columns);
    for (int64_t z = 0; z < l->planes + l->reach[0]; z++) {
        lanes *plane = copies + z * l->plane;
        for (int64_t y = 0; y < l->rows; y++) {
            lanes *line = plane + y * l->words;
            if (l->slabs > 1)
                for (int64_t w = 0; w < l->words; w++)
                    gather_slabs(rows, n_bytes, l, z, y, 64 * w, line + w);
            else if (z < l->planes)
                for (int64_t w = 0; w < l->words; w++)
                    gather_row(rows, n_samples, n_bytes, l->columns, z * l->rows + y, 64 * w,
                               line + w);
            else
                memcpy(line, copies + z % l->planes * l->plane + y * l->words,
                       (size_t)l->words * sizeof *line);
            for (int64_t dx = 1; dx < shifts; dx++)
                rotate_row(line + (dx - 1) * l->copy, l->words, l->columns, last,
                           line + dx * l->copy);
        }
        for (int64_t copy = shifts; copy < shifts * (l->reach[1] + 1);
             copy++) { /* one row further than copy - shifts */
            const lanes *in = plane + (copy - shifts) * l->copy;
            lanes *out = plane + copy * l->copy;
            memcpy(out, in + l->words, (size_t)(l->plane - l->words) * sizeof *out);
            memcpy(out + l->plane - l->words, in, (size_t)l->words * sizeof *out);
        }
    }
}

/* ---- counting ---- */

RSMI_INLINE lanes parity_at(const lanes *const p[OPERATOR_SPINS], int k, int64_t i)
{
    lanes x = p[0][i];
    if (k > 1)
        x ^= p[1][i];
    if (k > 2)
        x ^= p[2][i];
    if (k > 3)
        x ^= p[3][i];
    return x;
}

/* Adds CHUNK words: bit p of the number of ones in each column is in digit p. */
RSMI_INLINE void add_chunk(const lanes x[CHUNK], lanes digits[DIGITS], int n_digits)
{
    lanes carry = add_sixteen(x, digits);
    for (int p = CHUNK_DIGITS; p < n_digits; p++) {
        const lanes old = digits[p];
        digits[p] = old ^ carry;
        carry &= old;
    }
}

RSMI_INLINE void add_parities(const lanes *const points[OPERATOR_SPINS], int k, int64_t n,
                              lanes digits[DIGITS], int n_digits)
{
    lanes x[CHUNK];
    int64_t i = 0;
    for (; i + CHUNK <= n; i += CHUNK) {
#pragma GCC unroll 16
        for (int j = 0; j < CHUNK; j++)
            x[j] = parity_at(points, k, i + j);
        add_chunk(x, digits, n_digits);
    }
    if (i < n) {
        memset(x, 0, sizeof x);
        for (int j = 0; i + j < n; j++)
            x[j] = parity_at(points, k, i + j);
        add_chunk(x, digits, n_digits);
    }
}

/* Adds the number of bits of every sample, from the digits of its columns, to the sums. */
RSMI_INLINE void add_counts(const lanes *digits, int n_digits, int64_t columns, int64_t n_samples,
                            int64_t all, int64_t sign, int64_t stride, int64_t *sums)
{
    const int64_t shared = rows_in_lane(columns);
    const uint64_t mask = columns < 64 ? (1ULL << columns) - 1 : UINT64_MAX;
    for (int64_t lane = 0; lane < LANE_COUNT; lane++)
        for (int64_t j = 0; j < shared && n_samples > 0; j++, n_samples--, sums += stride) {
            int64_t count = 0;
            for (int p = n_digits - 1; p >= 0; p--)
                count =
                    2 * count + __builtin_popcountll(
                                    ((const uint64_t *)(digits + p))[lane] >> (j *columns) & mask);
            *sums += sign * (all - 2 * count);
        }
}

static int digits_of(int64_t largest)
{
    int n = CHUNK_DIGITS;
    while (largest >> n)
        n++;
    return n;
}

/* Terms of one operator with the same sign follow one another and are counted together. Returns how
 * many there are from t on. */
RSMI_INLINE int64_t alike(const product *t, int64_t n_terms)
{
    int64_t n = 1;
    while (n < n_terms && t[n].owner == t->owner && (t[n].spins & 1) == (t->spins & 1))
        n++;
    return n;
}

RSMI_CLONES
static void sums_of_group(const uint8_t *rows, int64_t n_samples, const layout *l,
                          const product *terms, int64_t n_terms, int64_t n_operators, lanes *copies,
                          int64_t *sums)
{
    const int64_t sites = l->planes * l->rows * l->columns, run = l->planes * l->plane;
    shifted_copies(rows, n_samples, l, copies);
    for (int64_t n; n_terms > 0; terms += n, n_terms -= n) {
        n = alike(terms, n_terms);
        const int n_digits = digits_of(n * run);
        lanes digits[DIGITS];
        memset(digits, 0, (size_t)n_digits * sizeof *digits);
        for (const product *t = terms; t < terms + n; t++) {
            const lanes *points[OPERATOR_SPINS];
            for (int i = 0; i < OPERATOR_SPINS; i++)
                points[i] = copies + t->start[i];
            if (t->spins == 1)
                add_parities(points, 1, run, digits, n_digits);
            else if (t->spins == 2)
                add_parities(points, 2, run, digits, n_digits);
            else if (t->spins == 3)
                add_parities(points, 3, run, digits, n_digits);
            else
                add_parities(points, 4, run, digits, n_digits);
        }
        add_counts(digits, n_digits, l->columns, l->slabs > 1 ? LANE_COUNT : n_samples, n * sites,
                   terms->spins & 1 ? -1 : 1, l->slabs > 1 ? 0 : n_operators, sums + terms->owner);
    }
}

/* ---- the table of terms ---- */

int operator_spins(const int32_t *term)
{
    int k = 0;
    while (k < OPERATOR_SPINS && term[3 * k] >= 0)
        k++;
    return k;
}

int operator_reach(const int32_t *terms, const int32_t *term_operator, int64_t n_terms,
                   int64_t n_operators, int64_t reach[3])
{
    reach[0] = reach[1] = reach[2] = 0;
    for (int64_t t = 0; t < n_terms; t++, terms += 3 * OPERATOR_SPINS) {
        const int k = operator_spins(terms);
        if (k == 0 || term_operator[t] < 0 || term_operator[t] >= n_operators)
            return RSMI_BAD_VALUE;
        for (int i = 0; i < 3 * k; i++) {
            if (terms[i] < 0 || terms[i] > OPERATOR_RANGE)
                return RSMI_BAD_VALUE;
            if (terms[i] > reach[i % 3])
                reach[i % 3] = terms[i];
        }
    }
    return RSMI_OK;
}

static void place_terms(const int32_t *terms, const int32_t *term_operator, int64_t n_terms,
                        const int axis[2], const layout *l, product *placed)
{
    for (int64_t t = 0; t < n_terms; t++, terms += 3 * OPERATOR_SPINS) {
        placed[t] = (product){.spins = operator_spins(terms), .owner = term_operator[t]};
        for (int i = 0; i < placed[t].spins; i++) {
            const int32_t *point = terms + 3 * i;
            placed[t].start[i] = point[axis[0]] * l->plane +
                                 (point[axis[1]] * (l->reach[2] + 1) + point[2]) * l->copy;
        }
    }
}

/* How many samples, counted from the last one, are better treated one by one, in slabs. These are
 * all samples of a large lattice, whose copies side by side would fill the cache; otherwise the
 * rest that fills less than half a group. */
static int64_t in_slabs(int64_t n_samples, int64_t group, const layout *l)
{
    if (l->columns < 64 || l->planes % LANE_COUNT || l->planes < SLABS_FROM)
        return 0;
    if (l->planes * l->rows * l->columns >= LARGE)
        return n_samples;
    return 2 * (n_samples % group) <= LANE_COUNT ? n_samples % group : 0;
}

/* Makes the sums of n_samples samples, `group` at a time. */
static int sums_of_samples(const uint8_t *rows, int64_t n_samples, int64_t group, const layout *l,
                           const int axis[2], const int32_t *terms, const int32_t *term_operator,
                           int64_t n_terms, int64_t n_operators, int64_t *sums)
{
    lanes *copies = aligned_alloc(
        sizeof *copies, (size_t)((l->reach[1] + 1) * (l->reach[2] + 1) * l->copy) * sizeof *copies);
    product *placed = malloc((size_t)n_terms * sizeof *placed);
    if (copies && placed) {
        place_terms(terms, term_operator, n_terms, axis, l, placed);
        const int64_t n_bytes = (l->slabs * l->planes * l->rows * l->columns + 7) / 8;
        for (int64_t i = 0; i < n_samples; i += group)
            sums_of_group(rows + i * n_bytes, n_samples - i < group ? n_samples - i : group, l,
                          placed, n_terms, n_operators, copies, sums + i * n_operators);
    }
    const int done = copies && placed ? RSMI_OK : RSMI_NO_MEMORY;
    free(copies);
    free(placed);
    return done;
}

int operator_sums(const uint8_t *rows, int64_t n_samples, const int64_t *shape,
                  const int32_t *terms, const int32_t *term_operator, int64_t n_terms,
                  int64_t n_operators, int64_t *sums)
{
    const int axis[2] = {shape[0] == 1,
                         shape[0] != 1}; /* a single plane of rows becomes planes of a single row */
    layout l = {.planes = shape[axis[0]],
                .rows = shape[axis[1]],
                .columns = shape[2],
                .words = (shape[2] + 63) / 64,
                .slabs = 1};
    int64_t reach[3];
    const int status = operator_reach(terms, term_operator, n_terms, n_operators, reach);
    if (status != RSMI_OK)
        return status;
    l.reach[0] = reach[axis[0]], l.reach[1] = reach[axis[1]], l.reach[2] = reach[2];
    l.plane = l.rows * l.words;
    const int64_t n_bytes = (l.planes * l.rows * l.columns + 7) / 8,
                  group = LANE_COUNT * rows_in_lane(l.columns);
    const int64_t rest = in_slabs(n_samples, group, &l), side_by_side = n_samples - rest;
    memset(sums, 0, (size_t)(n_samples * n_operators) * sizeof *sums);
    l.copy = (l.planes + l.reach[0]) * l.plane;
    int done = side_by_side ? sums_of_samples(rows, side_by_side, group, &l, axis, terms,
                                              term_operator, n_terms, n_operators, sums)
                            : RSMI_OK;
    if (done == RSMI_OK && rest) {
        l.slabs = LANE_COUNT, l.planes /= LANE_COUNT;
        l.copy = (l.planes + l.reach[0]) * l.plane;
        done =
            sums_of_samples(rows + side_by_side * n_bytes, rest, 1, &l, axis, terms, term_operator,
                            n_terms, n_operators, sums + side_by_side * n_operators);
    }
    return done;
}
