/* Spin operators by bit rows, in one, two and three dimensions.
 *
 * A product of +-1 spins is the parity of its up-bits, so a lattice sum is a population count: with k spins in the
 * product and N sites, sum = (-1)^k (N - 2 popcount(XOR of k shifted lattices)).
 *
 * Layout: each row of the lattice (planes, rows, columns) is unpacked to ceil(columns / 64) words (bit x = column x,
 * padding 0), rows following one another, planes following one another, with the first planes repeated at the end. One
 * such copy for every offset (dy, dx) holds the lattice with its rows and columns rotated by that much. The point
 * (dz, dy, dx) of a term at all sites at once is then the run of planes * rows * words words that starts at plane dz of
 * copy (dy, dx); a term is the XOR of at most four such runs, 64 sites a word. A square lattice is taken as planes of a
 * single row, so that three copies hold it; the axes are alike.
 *
 * Reference: Swendsen, PRL 42, 859 (1979), for the operators; Wegner, Nucl. Phys. B 180, 77 (1981), for multi-spin coding. */
#include "operators.h"

#include <stdlib.h>

#include "bits.h"
#include "status.h"

typedef struct {
    int64_t planes, rows, columns; /* of the lattice */
    int64_t reach[3];              /* largest offset of a term on each axis */
    int64_t words, plane, copy;    /* words of a row, of a plane, of a copy with its repeated planes */
} layout;

typedef struct {
    int spins;
    int32_t owner;
    int64_t start[OPERATOR_SPINS]; /* first word of each point */
} product;

/* The row with its columns rotated by one: out[x] = in[x + 1]. */
static inline __attribute__((always_inline)) void rotate_row(const uint64_t *in, int64_t words, int64_t columns, uint64_t *out)
{
    for (int64_t w = 0; w < words; w++) out[w] = (in[w] >> 1) | (w + 1 < words ? in[w + 1] << 63 : 0);
    out[(columns - 1) >> 6] |= (in[0] & 1) << ((columns - 1) & 63);
}

static inline __attribute__((always_inline)) void shifted_copies(const uint8_t *row, int64_t n_bytes, const layout *l, uint64_t *copies)
{
    const int64_t columns = l->columns, shifts = l->reach[2] + 1;
    for (int64_t z = 0; z < l->planes + l->reach[0]; z++) {
        uint64_t *plane = copies + z * l->plane;
        for (int64_t y = 0; y < l->rows; y++) {
            uint64_t *line = plane + y * l->words;
            const int64_t first = (z % l->planes * l->rows + y) * columns;
            for (int64_t x = 0; x < columns; x += 64)
                line[x >> 6] = read_bits(row, n_bytes, first + x, columns - x < 64 ? (int)(columns - x) : 64);
            for (int64_t dx = 1; dx < shifts; dx++)
                rotate_row(line + (dx - 1) * l->copy, l->words, columns, line + dx * l->copy);
        }
        for (int64_t copy = shifts; copy < shifts * (l->reach[1] + 1); copy++) { /* one row further than copy - shifts */
            const uint64_t *in = plane + (copy - shifts) * l->copy;
            uint64_t *out = plane + copy * l->copy;
            memcpy(out, in + l->words, (size_t)(l->plane - l->words) * sizeof *out);
            memcpy(out + l->plane - l->words, in, (size_t)l->words * sizeof *out);
        }
    }
}

/* Number of sites with an odd number of up-spins among the k points of a term. */
static inline __attribute__((always_inline)) int64_t odd_parities(const uint64_t *const p[OPERATOR_SPINS], int k, int64_t n)
{
    int64_t count = 0;
    if (k == 1)
        for (int64_t i = 0; i < n; i++) count += __builtin_popcountll(p[0][i]);
    else if (k == 2)
        for (int64_t i = 0; i < n; i++) count += __builtin_popcountll(p[0][i] ^ p[1][i]);
    else if (k == 3)
        for (int64_t i = 0; i < n; i++) count += __builtin_popcountll(p[0][i] ^ p[1][i] ^ p[2][i]);
    else
        for (int64_t i = 0; i < n; i++) count += __builtin_popcountll(p[0][i] ^ p[1][i] ^ p[2][i] ^ p[3][i]);
    return count;
}

RSMI_CLONES
static void sums_of_lattice(const uint8_t *row, const layout *l, const product *terms, int64_t n_terms, uint64_t *copies, int64_t *sums)
{
    const int64_t sites = l->planes * l->rows * l->columns, run = l->planes * l->plane;
    shifted_copies(row, (sites + 7) / 8, l, copies);
    for (const product *t = terms; t < terms + n_terms; t++) {
        const uint64_t *points[OPERATOR_SPINS];
        for (int i = 0; i < OPERATOR_SPINS; i++) points[i] = copies + t->start[i];
        const int64_t sum = sites - 2 * odd_parities(points, t->spins, run);
        sums[t->owner] += t->spins & 1 ? -sum : sum;
    }
}

static int spins_in(const int32_t *term)
{
    int k = 0;
    while (k < OPERATOR_SPINS && term[3 * k] >= 0) k++;
    return k;
}

/* How far the terms reach, or RSMI_BAD_VALUE. */
static int check_terms(const int32_t *terms, const int32_t *term_operator, int64_t n_terms, int64_t n_operators, int64_t reach[3])
{
    reach[0] = reach[1] = reach[2] = 0;
    for (int64_t t = 0; t < n_terms; t++, terms += 3 * OPERATOR_SPINS) {
        const int k = spins_in(terms);
        if (k == 0 || term_operator[t] < 0 || term_operator[t] >= n_operators) return RSMI_BAD_VALUE;
        for (int i = 0; i < 3 * k; i++) {
            if (terms[i] < 0 || terms[i] > OPERATOR_RANGE) return RSMI_BAD_VALUE;
            if (terms[i] > reach[i % 3]) reach[i % 3] = terms[i];
        }
    }
    return RSMI_OK;
}

static void place_terms(const int32_t *terms, const int32_t *term_operator, int64_t n_terms, const int axis[2], const layout *l,
                        product *placed)
{
    for (int64_t t = 0; t < n_terms; t++, terms += 3 * OPERATOR_SPINS) {
        placed[t] = (product){.spins = spins_in(terms), .owner = term_operator[t]};
        for (int i = 0; i < placed[t].spins; i++) {
            const int32_t *point = terms + 3 * i;
            placed[t].start[i] = point[axis[0]] * l->plane + (point[axis[1]] * (l->reach[2] + 1) + point[2]) * l->copy;
        }
    }
}

int operator_sums(const uint8_t *rows, int64_t n_samples, const int64_t *shape, const int32_t *terms,
                  const int32_t *term_operator, int64_t n_terms, int64_t n_operators, int64_t *sums)
{
    const int axis[2] = {shape[0] == 1, shape[0] != 1}; /* a single plane of rows becomes planes of a single row */
    layout l = {.planes = shape[axis[0]], .rows = shape[axis[1]], .columns = shape[2], .words = (shape[2] + 63) / 64};
    int64_t reach[3];
    const int status = check_terms(terms, term_operator, n_terms, n_operators, reach);
    if (status != RSMI_OK) return status;
    l.reach[0] = reach[axis[0]], l.reach[1] = reach[axis[1]], l.reach[2] = reach[2];
    l.plane = l.rows * l.words;
    l.copy = (l.planes + l.reach[0]) * l.plane;
    uint64_t *copies = malloc((size_t)((l.reach[1] + 1) * (l.reach[2] + 1) * l.copy) * sizeof *copies);
    product *placed = malloc((size_t)n_terms * sizeof *placed);
    if (copies && placed) {
        place_terms(terms, term_operator, n_terms, axis, &l, placed);
        memset(sums, 0, (size_t)(n_samples * n_operators) * sizeof *sums);
        const int64_t n_bytes = (l.planes * l.rows * l.columns + 7) / 8;
        for (int64_t i = 0; i < n_samples; i++)
            sums_of_lattice(rows + i * n_bytes, &l, placed, n_terms, copies, sums + i * n_operators);
    }
    const int done = copies && placed ? RSMI_OK : RSMI_NO_MEMORY;
    free(copies);
    free(placed);
    return done;
}

RSMI_CLONES
int accumulate_products(const int64_t *left, const int64_t *right, const int64_t *blocks, int64_t n_samples, int64_t n_left,
                        int64_t n_right, int64_t *products)
{
    for (int64_t i = 0; i < n_samples; i++, left += n_left, right += n_right) {
        int64_t *out = products + blocks[i] * n_left * n_right;
        for (int64_t a = 0; a < n_left; a++)
            for (int64_t b = 0; b < n_right; b++) out[a * n_right + b] += left[a] * right[b];
    }
    return RSMI_OK;
}
