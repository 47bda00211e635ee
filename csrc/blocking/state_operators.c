/* Lattice sums of operators of variables with several states.
 *
 * Every operator is a sum over all sites of products of statements "two variables are equal", with
 * or without the colour of one variable. Statements are words of 64 sites: equality is the NOR over
 * the bit planes of the XOR of two shifted lattices, and a colour the AND of the planes or of their
 * complements. A term costs a few ANDs and one count of bits per word, for each colour.
 *
 * Memory. The rows of a lattice are cut into words, each row with one word more that repeats its
 * beginning, and two rows are repeated at the end. A shift by columns is then one shift of words,
 * made once for 0, 1 and 2 columns; a shift by rows is an offset of the address.
 *
 * Reference: R. H. Swendsen, PRL 42, 859 (1979); for q states, the operators are those of D.
 * Andelman & A. N. Berker, J. Phys. A 14, L91 (1981), without vacancies. */
#include "blocking/state_operators.h"

#include "base/arena.h"
#include "base/bits.h"
#include "base/compiler.h"
#include "base/status.h"

enum { REACH = 2, SHIFTS = REACH + 1, MOST_PLANES = 4, MOST_PAIRS = STATE_POINTS * STATE_POINTS };

typedef struct {
    int64_t rows, columns, words; /* of the lattice; words of a row */
    int64_t states, planes;
    uint64_t *plane[SHIFTS][MOST_PLANES];           /* (rows + REACH, words) */
    uint64_t *colour[SHIFTS][MOST_OPERATOR_STATES]; /* (rows + REACH, words) */
    uint64_t *equal[MOST_PAIRS];                    /* (rows, words); NULL where not needed */
    uint64_t *product;                              /* (rows, words) */
    uint64_t *line;                                 /* (words + 1) */
} workspace;

static int is_point(int32_t point)
{
    return point >= 0 && point < STATE_POINTS;
}

static int take(workspace *w, arena *memory, const int32_t *pairs, int64_t n_terms)
{
    const size_t padded = (size_t)((w->rows + REACH) * w->words) * 8,
                 plain = (size_t)(w->rows * w->words) * 8;
    uint64_t *planes = arena_take(memory, padded * (size_t)(SHIFTS * w->planes)),
             *colours = arena_take(memory, padded * (size_t)(SHIFTS * w->states));
    uint64_t *equal = arena_take(memory, plain * MOST_PAIRS);
    w->product = arena_take(memory, plain);
    w->line = arena_take(memory, (size_t)(w->words + 1) * 8);
    if (memory->failed)
        return RSMI_NO_MEMORY;
    for (int shift = 0; shift < SHIFTS; shift++) {
        for (int64_t p = 0; p < w->planes; p++, planes += padded / 8)
            w->plane[shift][p] = planes;
        for (int64_t a = 0; a < w->states; a++, colours += padded / 8)
            w->colour[shift][a] = colours;
    }
    for (int64_t i = 0; i < n_terms * STATE_PAIRS; i++) {
        const int32_t *pair = pairs + 2 * i;
        if (pair[0] < 0)
            continue;
        if (!is_point(pair[0]) || !is_point(pair[1]))
            return RSMI_BAD_VALUE;
        const int number = pair[0] * STATE_POINTS + pair[1];
        if (!w->equal[number])
            w->equal[number] = equal + number * (int64_t)(plain / 8);
    }
    return RSMI_OK;
}

/* Cuts one plane into words of its rows, shifted by 0, 1 and 2 columns. */
static void cut_plane(const workspace *w, const uint8_t *row, int64_t n_bytes, int64_t plane)
{
    const int64_t n = w->columns, last = w->words - 1;
    const int tail = (int)(n - 64 * last);
    const uint64_t mask = tail < 64 ? (1ULL << tail) - 1 : ~0ULL;
    for (int64_t y = 0; y < w->rows + REACH; y++) {
        const int64_t first = (plane * w->rows + y % w->rows) * n;
        for (int64_t i = 0; i <= last; i++)
            w->line[i] = read_bits(row, n_bytes, first + 64 * i, i < last ? 64 : tail);
        uint64_t beginning = 0; /* the bits after the last one: columns 0 and 1 again */
        for (int k = 0; k < REACH; k++)
            beginning |= (w->line[0] >> k % n & 1) << k;
        w->line[last + 1] = tail < 64 ? beginning >> (64 - tail) : beginning;
        if (tail < 64)
            w->line[last] |= beginning << tail;
        for (int shift = 0; shift < SHIFTS; shift++) {
            uint64_t *out = w->plane[shift][plane] + y * w->words;
            for (int64_t i = 0; i <= last; i++)
                out[i] = shift ? w->line[i] >> shift | w->line[i + 1] << (64 - shift) : w->line[i];
            out[last] &= mask;
        }
    }
}

RSMI_CLONES
static void find_colours(const workspace *w, uint64_t *const planes[], int64_t n,
                         uint64_t *const colours[])
{
    for (int64_t a = 0; a < w->states; a++) {
        uint64_t *out = colours[a];
        for (int64_t i = 0; i < n; i++)
            out[i] = a & 1 ? planes[0][i] : ~planes[0][i];
        for (int64_t p = 1; p < w->planes; p++) {
            const uint64_t flip = a >> p & 1 ? 0 : ~0ULL, *bits = planes[p];
            for (int64_t i = 0; i < n; i++)
                out[i] &= bits[i] ^ flip;
        }
    }
}

RSMI_CLONES
static void find_equal(uint64_t *restrict out, const uint64_t *a, const uint64_t *b, int64_t n,
                       int is_first)
{
    if (is_first)
        for (int64_t i = 0; i < n; i++)
            out[i] = ~(a[i] ^ b[i]);
    else
        for (int64_t i = 0; i < n; i++)
            out[i] &= ~(a[i] ^ b[i]);
}

RSMI_CLONES
static void intersect(uint64_t *restrict out, const uint64_t *a, const uint64_t *b, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        out[i] = a[i] & b[i];
}

RSMI_CLONES
static int64_t count_both(const uint64_t *a, const uint64_t *b, int64_t n)
{
    int64_t count = 0;
    for (int64_t i = 0; i < n; i++)
        count += __builtin_popcountll(a[i] & b[i]);
    return count;
}

static void clear_tail(const workspace *w, uint64_t *words)
{
    const int tail = (int)(w->columns % 64);
    if (tail)
        for (int64_t y = 0; y < w->rows; y++)
            words[(y + 1) * w->words - 1] &= (1ULL << tail) - 1;
}

/* All statements of one lattice. Returns the number of sites that have a colour. */
static int64_t find_statements(const workspace *w, const uint8_t *row, int64_t n_bytes)
{
    const int64_t n = w->rows * w->words, padded = (w->rows + REACH) * w->words;
    int64_t coloured = 0;
    for (int64_t p = 0; p < w->planes; p++)
        cut_plane(w, row, n_bytes, p);
    for (int shift = 0; shift < SHIFTS; shift++)
        find_colours(w, w->plane[shift], padded, w->colour[shift]);
    for (int64_t a = 0; a < w->states; a++) {
        clear_tail(w, w->colour[0][a]);
        coloured += count_both(w->colour[0][a], w->colour[0][a], n);
    }
    for (int pair = 0; pair < MOST_PAIRS; pair++) {
        if (!w->equal[pair])
            continue;
        const int one = pair / STATE_POINTS, two = pair % STATE_POINTS;
        for (int64_t p = 0; p < w->planes; p++)
            find_equal(w->equal[pair], w->plane[one % 3][p] + one / 3 * w->words,
                       w->plane[two % 3][p] + two / 3 * w->words, n, p == 0);
        clear_tail(w, w->equal[pair]);
    }
    return coloured;
}

/* The sites at which all statements of a term hold; NULL if there are none to hold. */
static const uint64_t *term_of(const workspace *w, const int32_t *pairs)
{
    const uint64_t *found = NULL;
    for (int k = 0; k < STATE_PAIRS && pairs[2 * k] >= 0; k++) {
        const uint64_t *own = w->equal[pairs[2 * k] * STATE_POINTS + pairs[2 * k + 1]];
        if (found)
            intersect(w->product, found, own, w->rows * w->words);
        found = found ? w->product : own;
    }
    return found;
}

int state_operator_sums(const uint8_t *rows, int64_t n_samples, const int64_t shape[2],
                        int64_t states, const int32_t *pairs, const int32_t *points,
                        const int32_t *owner, int64_t n_terms, int64_t n_even, int64_t n_odd,
                        int64_t *even, int64_t *odd)
{
    if (states < 2 || states > MOST_OPERATOR_STATES || shape[0] < 1 || shape[1] < 1)
        return RSMI_BAD_SHAPE;
    workspace w = {.rows = shape[0], .columns = shape[1], .words = (shape[1] + 63) / 64};
    w.states = states;
    while (1LL << w.planes < states)
        w.planes++;
    for (int64_t t = 0; t < n_terms; t++)
        if (owner[t] < 0 || points[t] >= STATE_POINTS || (points[t] < 0 && pairs[6 * t] < 0) ||
            owner[t] >= (points[t] < 0 ? n_even : n_odd))
            return RSMI_BAD_VALUE;
    arena memory = {0};
    int status = take(&w, &memory, pairs, n_terms);
    const int64_t sites = w.rows * w.columns, n_bytes = (w.planes * sites + 7) / 8,
                  n = w.rows * w.words;
    for (int64_t i = 0; i < n_samples && !status;
         i++, rows += n_bytes, even += n_even, odd += states * n_odd) {
        if (find_statements(&w, rows, n_bytes) != sites)
            status = RSMI_BAD_VALUE;
        memset(even, 0, (size_t)n_even * sizeof *even);
        memset(odd, 0, (size_t)(states * n_odd) * sizeof *odd);
        for (int64_t t = 0; t < n_terms && !status; t++) {
            const uint64_t *term = term_of(&w, pairs + 2 * STATE_PAIRS * t);
            const int32_t point = points[t];
            if (point < 0)
                even[owner[t]] += count_both(term, term, n);
            for (int64_t a = 0; point >= 0 && a < states; a++) {
                /* without statements the colour counts wherever the point lies */
                const uint64_t *colour =
                    term ? w.colour[point % 3][a] + point / 3 * w.words : w.colour[0][a];
                odd[a * n_odd + owner[t]] += count_both(term ? term : colour, colour, n);
            }
        }
    }
    arena_free(&memory);
    return status;
}
