/* Spin operators by bit rows.
 *
 * A product of +-1 spins is the parity of its up-bits, so a lattice sum is a population count: with k spins in the
 * product and N sites, sum = (-1)^k (N - 2 popcount(XOR of k shifted lattices)).
 *
 * Layout: each lattice row is unpacked to ceil(width / 64) words (bit x = column x, padding 0), rows following one
 * another, rows 0 and 1 repeated at the end. Three such copies hold the lattice with its columns rotated by 0, 1 and 2.
 * The point (dy, dx) of a term at all sites at once is then the run of height * words words that starts at row dy of
 * copy dx; a term is the XOR of at most four such runs, 64 sites a word.
 *
 * Reference: Swendsen, PRL 42, 859 (1979), for the operators; Wegner, Nucl. Phys. B 180, 77 (1981), for multi-spin coding. */
#include "operators.h"

#include <stdlib.h>

#include "bits.h"
#include "status.h"

enum { SHIFTS = OPERATOR_RANGE + 1 };

/* The row with its columns rotated by one: out[x] = in[x + 1]. */
static inline __attribute__((always_inline)) void rotate_row(const uint64_t *in, int64_t words, int64_t width, uint64_t *out)
{
    for (int64_t w = 0; w < words; w++) out[w] = (in[w] >> 1) | (w + 1 < words ? in[w + 1] << 63 : 0);
    out[(width - 1) >> 6] |= (in[0] & 1) << ((width - 1) & 63);
}

static inline __attribute__((always_inline)) void shifted_copies(const uint8_t *row, int64_t n_bytes, int64_t height,
                                                                 int64_t width, int64_t words, uint64_t *copies)
{
    const int64_t stride = (height + OPERATOR_RANGE) * words;
    for (int64_t y = 0; y < height + OPERATOR_RANGE; y++) {
        uint64_t *line = copies + y * words;
        for (int64_t x = 0; x < width; x += 64)
            line[x >> 6] = read_bits(row, n_bytes, y % height * width + x, width - x < 64 ? (int)(width - x) : 64);
        for (int shift = 1; shift < SHIFTS; shift++)
            rotate_row(line + (shift - 1) * stride, words, width, line + shift * stride);
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

static int spins_in(const int32_t *term)
{
    int k = 0;
    while (k < OPERATOR_SPINS && term[k] >= 0) k++;
    return k;
}

RSMI_CLONES
static void sums_of_lattice(const uint8_t *row, int64_t height, int64_t width, const int32_t *terms,
                            const int32_t *term_operator, int64_t n_terms, uint64_t *copies, int64_t *sums)
{
    const int64_t words = (width + 63) / 64, stride = (height + OPERATOR_RANGE) * words;
    shifted_copies(row, (height * width + 7) / 8, height, width, words, copies);
    for (int64_t t = 0; t < n_terms; t++, terms += OPERATOR_SPINS) {
        const uint64_t *points[OPERATOR_SPINS] = {copies, copies, copies, copies};
        const int k = spins_in(terms);
        for (int i = 0; i < k; i++) points[i] = copies + terms[i] % SHIFTS * stride + terms[i] / SHIFTS * words;
        const int64_t sum = height * width - 2 * odd_parities(points, k, height * words);
        sums[term_operator[t]] += k & 1 ? -sum : sum;
    }
}

int operator_sums(const uint8_t *rows, int64_t n_samples, int64_t height, int64_t width, const int32_t *terms,
                  const int32_t *term_operator, int64_t n_terms, int64_t n_operators, int64_t *sums)
{
    for (int64_t t = 0; t < n_terms; t++) {
        if (term_operator[t] < 0 || term_operator[t] >= n_operators || spins_in(terms + t * OPERATOR_SPINS) == 0)
            return RSMI_BAD_VALUE;
        for (int i = 0; i < OPERATOR_SPINS; i++)
            if (terms[t * OPERATOR_SPINS + i] >= SHIFTS * SHIFTS) return RSMI_BAD_VALUE;
    }
    const int64_t words = (width + 63) / 64, n_bytes = (height * width + 7) / 8;
    uint64_t *copies = malloc((size_t)(SHIFTS * (height + OPERATOR_RANGE) * words) * sizeof *copies);
    if (!copies) return RSMI_NO_MEMORY;
    memset(sums, 0, (size_t)(n_samples * n_operators) * sizeof *sums);
    for (int64_t i = 0; i < n_samples; i++)
        sums_of_lattice(rows + i * n_bytes, height, width, terms, term_operator, n_terms, copies, sums + i * n_operators);
    free(copies);
    return RSMI_OK;
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
