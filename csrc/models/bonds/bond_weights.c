/* P(V | ring) of any model whose energy is a sum over the bonds of the square lattice.
 *
 * Potts, clock and Ashkin-Teller models differ in nothing but the symmetric matrix w(a, b) =
 * exp(-E(a, b) / k_B T) of the weights of a bond. Block and buffer fill a rectangle, and the ring
 * of sites around it is given:
 *
 *       a a a a           a  above        The upper vector T(x, l) is the weight of the rows down
 * to l . . . . r         l  left         the first row of the block, as a function of the sites x
 *     l . v v . r         r  right        of the buffer in this row, the sides, and of the sites l
 * of l . v v . r         b  below        the block, its line. The lower vector is the same from l .
 * . . . r         v  block        below. b b b b           .  buffer
 *
 * 1. One step to the next row multiplies the vector by w along each axis in turn, q operations for
 *    each of its q^width entries, and then by the bonds within the row.
 * 2. Inside the block the lines are kept, so that only the sides are summed: for every line of a
 *    row, the vector of the sides goes on to the next row. The rows of the block form a tree.
 * 3. At the last row of the block the vector of the sides meets the lower one in one sum. For a
 *    2x2 block with a buffer of one site, this is a product of two matrices of q^2 x q^2.
 *
 * Memory: upper vector [line][side], lower vector [side][line], so that every long loop has stride
 * one. Bonds are divided by the largest of them, so that nothing overflows.
 *
 * Reference: H. A. Kramers, G. H. Wannier, Phys. Rev. 60, 252 (1941); R. B. Potts, Proc. Camb.
 * Phil. Soc. 48, 106 (1952). */
#include "models/bonds/bond_weights.h"

#include "base/arena.h"
#include "base/compiler.h"
#include "base/status.h"

typedef struct {
    bond_window window;
    int width, height;
    int64_t row_states, lines, sides; /* states of a row, of its block sites, of its buffer sites */
    double bond[BOND_MOST_STATES * BOND_MOST_STATES];
    int64_t *row;          /* [line][side]: the state of a row */
    double *horizontal;    /* [row state]: the bonds within a row */
    double *overlap;       /* [line][line]: the bonds between two lines */
    double *edge[2];       /* [row state] of row 0 and row height - 1: bonds to the ring there */
    double *vector, *next; /* a vector over row states, and the one after a step */
    double *lower;         /* [side][line] */
    double *tree;          /* [row of the block][line][side] */
    double *side, *spare;  /* vectors over the sides, for each row of the block */
    double *line;          /* [line]: weights of the last row */
} bonds;

static int64_t power(int64_t base, int exponent)
{
    int64_t value = 1;
    for (int i = 0; i < exponent; i++)
        value *= base;
    return value;
}

int bond_ring_size(bond_window window)
{
    return 2 * (window.rows + window.columns + 4 * window.buffer);
}

/* Whether base^exponent is at most the limit; the power itself might overflow. */
static int power_fits(int64_t base, int exponent, int64_t limit)
{
    int64_t value = 1;
    for (int i = 0; i < exponent && value <= limit; i++)
        value *= base;
    return value <= limit;
}

int bond_window_fits(bond_window window)
{
    const int states = window.states;
    return window.rows >= 1 && window.columns >= 1 && window.buffer >= 0 && states >= 2 &&
           states <= BOND_MOST_STATES &&
           power_fits(states, window.rows * window.columns, BOND_LARGEST_BLOCK) &&
           power_fits(states, window.columns + 2 * window.buffer, BOND_WIDEST_ROW);
}

RSMI_INLINE double weight(const bonds *b, int64_t one, int64_t other)
{
    return b->bond[one * b->window.states + other];
}

/* The code of site `site` in the state of several sites. */
RSMI_INLINE int64_t code(const bonds *b, int64_t state, int site)
{
    for (int i = 0; i < site; i++)
        state /= b->window.states;
    return state % b->window.states;
}

/* The row state of a line and a side state, which has the left sites first. */
static int64_t row_state(const bonds *b, int64_t line, int64_t side)
{
    const int buffer = b->window.buffer;
    const int64_t left = power(b->window.states, buffer),
                  block = power(b->window.states, buffer + b->window.columns);
    return side % left + line * left + side / left * block;
}

static void prepare(bonds *b)
{
    for (int64_t x = 0; x < b->row_states; x++) {
        double product = 1.0;
        for (int c = 0; c + 1 < b->width; c++)
            product *= weight(b, code(b, x, c), code(b, x, c + 1));
        b->horizontal[x] = product;
    }
    for (int64_t line = 0; line < b->lines; line++) {
        for (int64_t side = 0; side < b->sides; side++)
            b->row[line * b->sides + side] = row_state(b, line, side);
        for (int64_t other = 0; other < b->lines; other++) {
            double product = 1.0;
            for (int c = 0; c < b->window.columns; c++)
                product *= weight(b, code(b, line, c), code(b, other, c));
            b->overlap[line * b->lines + other] = product;
        }
    }
}

/* The sizes of a window and the bonds relative to the largest one; takes the memory. */
static int open_bonds(bond_window window, const double *bond, arena *a, bonds *b)
{
    const int states = window.states;
    double largest = 0.0;
    *b = (bonds){.window = window};
    b->width = window.columns + 2 * window.buffer, b->height = window.rows + 2 * window.buffer;
    b->row_states = power(states, b->width), b->lines = power(states, window.columns);
    b->sides = power(states, 2 * window.buffer);
    for (int i = 0; i < states * states; i++)
        largest = bond[i] > largest ? bond[i] : largest;
    for (int i = 0; i < states * states; i++)
        b->bond[i] = bond[i] / largest;
    const size_t rows = (size_t)b->row_states, lines = (size_t)b->lines, sides = (size_t)b->sides,
                 levels = (size_t)window.rows;
    b->row = arena_take(a, rows * sizeof *b->row);
    b->horizontal = arena_doubles(a, rows);
    b->overlap = arena_doubles(a, lines * lines);
    b->edge[0] = arena_doubles(a, rows);
    b->edge[1] = arena_doubles(a, rows);
    b->vector = arena_doubles(a, rows);
    b->next = arena_doubles(a, rows);
    b->lower = arena_doubles(a, rows);
    b->tree = arena_doubles(a, levels * rows);
    b->side = arena_doubles(a, levels * sides);
    b->spare = arena_doubles(a, levels * sides);
    b->line = arena_doubles(a, lines);
    if (a->failed)
        return RSMI_NO_MEMORY;
    prepare(b);
    return RSMI_OK;
}

/* The product of the bonds from the sites of a row to the sites of the ring above or below it. */
static void edge_weights(const bonds *b, const int8_t *ring, double *edge)
{
    int64_t size = 1;
    edge[0] = 1.0;
    for (int c = 0; c < b->width; c++, size *= b->window.states)
        for (int64_t k = b->window.states - 1; k >= 0; k--)
            for (int64_t x = 0; x < size; x++)
                edge[k * size + x] = edge[x] * weight(b, k, ring[c]);
}

/* Multiplies a vector over row states by the bonds within row r and to its two sites of the
 * ring. */
RSMI_INLINE void multiply_row(const bonds *b, const int8_t *ring, int r, double *vector)
{
    const int64_t states = b->window.states, inner = b->row_states / states;
    const double *left = b->bond + ring[2 * b->width + r] * states,
                 *right = b->bond + ring[2 * b->width + b->height + r] * states;
    for (int64_t x = 0; x < b->row_states; x += states)
        for (int64_t k = 0; k < states; k++)
            vector[x + k] *= b->horizontal[x + k] * left[k];
    for (int64_t k = 0; k < states; k++)
        for (int64_t x = 0; x < inner; x++)
            vector[k * inner + x] *= right[k];
}

/* out[.., k, ..] = sum_j w(j, k) in[.., j, ..] along one axis of a vector of `size` entries, where
 * `stride` is the number of entries between j and j + 1. */
RSMI_INLINE void step_by(const double *bond, int64_t states, int64_t size, int64_t stride,
                         const double *in, double *out)
{
    for (int64_t first = 0; first < size; first += stride * states)
        for (int64_t k = 0; k < states; k++) {
            double *to = out + first + k * stride;
            const double *from = in + first, *w = bond + k * states;
            for (int64_t x = 0; x < stride; x++) {
                double sum = w[0] * from[x];
                for (int64_t j = 1; j < states; j++)
                    sum += w[j] * from[j * stride + x];
                to[x] = sum;
            }
        }
}

/* step_by with the usual numbers of states as constants, for which the compiler unrolls the sum. */
RSMI_INLINE void step_along(const bonds *b, int64_t size, int64_t stride, const double *in,
                            double *out)
{
    switch (b->window.states) {
    case 2:
        step_by(b->bond, 2, size, stride, in, out);
        return;
    case 3:
        step_by(b->bond, 3, size, stride, in, out);
        return;
    case 4:
        step_by(b->bond, 4, size, stride, in, out);
        return;
    default:
        step_by(b->bond, b->window.states, size, stride, in, out);
    }
}

/* Takes a vector of `size` entries over the bonds to the next row, along all its axes. The result
 * is in *vector; *spare is another vector. */
RSMI_INLINE void step(const bonds *b, int64_t size, double **vector, double **spare)
{
    for (int64_t stride = 1; stride < size; stride *= b->window.states) {
        step_along(b, size, stride, *vector, *spare);
        double *other = *vector;
        *vector = *spare, *spare = other;
    }
}

/* The upper vector, which includes the bonds within the first row of the block. */
RSMI_INLINE void upper_vector(bonds *b, const int8_t *ring)
{
    double *vector = b->vector, *spare = b->next;
    memcpy(vector, b->edge[0], (size_t)b->row_states * sizeof *vector);
    multiply_row(b, ring, 0, vector);
    for (int r = 1; r <= b->window.buffer; r++) {
        step(b, b->row_states, &vector, &spare);
        multiply_row(b, ring, r, vector);
    }
    for (int64_t i = 0; i < b->row_states; i++)
        b->tree[i] = vector[b->row[i]];
}

/* The lower vector, which includes the bonds within the last row of the block, unless this is the
 * first row too. */
RSMI_INLINE void lower_vector(bonds *b, const int8_t *ring)
{
    double *vector = b->vector, *spare = b->next;
    const int last = b->window.buffer + b->window.rows - 1;
    memcpy(vector, b->edge[1], (size_t)b->row_states * sizeof *vector);
    for (int r = b->height - 1; r > last; r--) {
        multiply_row(b, ring, r, vector);
        step(b, b->row_states, &vector, &spare);
    }
    if (b->window.rows > 1)
        multiply_row(b, ring, last, vector);
    for (int64_t line = 0; line < b->lines; line++)
        for (int64_t side = 0; side < b->sides; side++)
            b->lower[side * b->lines + line] = vector[b->row[line * b->sides + side]];
}

/* The sum over the sides of the last row, for all lines: b->line. */
RSMI_INLINE void meet(bonds *b, const double *side)
{
    memset(b->line, 0, (size_t)b->lines * sizeof *b->line);
    for (int64_t s = 0; s < b->sides; s++)
        for (int64_t line = 0; line < b->lines; line++)
            b->line[line] += side[s] * b->lower[s * b->lines + line];
}

/* The table of the row after row `level` of the block, for one line of that row. */
RSMI_INLINE void extend(bonds *b, const int8_t *ring, int level, const double *overlap,
                        const double *side)
{
    const int r = b->window.buffer + level + 1;
    const int8_t left = ring[2 * b->width + r], right = ring[2 * b->width + b->height + r];
    const int64_t states = b->window.states, inner = b->row_states / states;
    double *table = b->tree + (level + 1) * b->row_states;
    for (int64_t line = 0; line < b->lines; line++)
        for (int64_t s = 0; s < b->sides; s++) {
            const int64_t i = line * b->sides + s, x = b->row[i];
            table[i] = overlap[line] * side[s] * b->horizontal[x] * weight(b, x % states, left) *
                       weight(b, x / inner, right);
        }
}

/* The weights of all blocks whose rows above `level` are given; their states differ by multiples
 * of `stride`. */
RSMI_CLONES
static void descend(bonds *b, const int8_t *ring, int level, int64_t stride, double *weights)
{
    const double *table = b->tree + level * b->row_states;
    if (level == b->window.rows - 1) { /* a block of one row */
        for (int64_t line = 0; line < b->lines; line++) {
            double sum = 0.0;
            for (int64_t s = 0; s < b->sides; s++)
                sum += table[line * b->sides + s] * b->lower[s * b->lines + line];
            weights[line] = sum;
        }
        return;
    }
    for (int64_t line = 0; line < b->lines; line++) {
        const double *overlap = b->overlap + line * b->lines;
        double *side = b->side + level * b->sides, *spare = b->spare + level * b->sides;
        memcpy(side, table + line * b->sides, (size_t)b->sides * sizeof *side);
        step(b, b->sides, &side, &spare);
        if (level < b->window.rows - 2) {
            extend(b, ring, level, overlap, side);
            descend(b, ring, level + 1, stride * b->lines, weights + line * stride);
            continue;
        }
        meet(b, side);
        for (int64_t last = 0; last < b->lines; last++)
            weights[line * stride + last * stride * b->lines] = overlap[last] * b->line[last];
    }
}

RSMI_CLONES
static void vectors(bonds *b, const int8_t *ring)
{
    edge_weights(b, ring, b->edge[0]);
    edge_weights(b, ring + b->width, b->edge[1]);
    upper_vector(b, ring);
    lower_vector(b, ring);
}

static int codes_are_states(const int8_t *rings, int64_t n, int states)
{
    int right = 1;
    for (int64_t i = 0; i < n; i++)
        right &= rings[i] >= 0 && rings[i] < states;
    return right;
}

int bond_block_weights(const int8_t *rings, int64_t n, bond_window window, const double *bond,
                       double *weights)
{
    if (!bond_window_fits(window))
        return RSMI_BAD_SHAPE;
    const int64_t size = bond_ring_size(window),
                  states = power(window.states, window.rows * window.columns);
    if (!codes_are_states(rings, n * size, window.states))
        return RSMI_BAD_VALUE;
    arena a = {0};
    bonds b;
    const int status = open_bonds(window, bond, &a, &b);
    for (int64_t i = 0; i < n && status == RSMI_OK; i++) {
        vectors(&b, rings + i * size);
        descend(&b, rings + i * size, 0, 1, weights + i * states);
    }
    arena_free(&a);
    return status;
}
