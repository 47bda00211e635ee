/* P(V | environment) of the Ising model on the square lattice, exactly, by transfer matrices.
 *
 * Interactions between nearest neighbours make block and buffer independent of everything beyond
 * the sites adjacent to their rectangle, once those sites are given. These sites are the ring: the
 * lines above, below, left and right of the rectangle (its corners are adjacent to nothing inside).
 * The rectangle is summed row by row. A row is a state of `width` bits, where bit c is column c.
 * The `columns` bits in the middle belong to the block (in rows of the block); the other 2 * buffer
 * bits are the sides.
 *
 * The rectangle is built from above and from below at once:
 *
 * 1. A vector over row states takes a line of the ring, then `buffer` rows. Each row multiplies by
 *    the bonds within it and to the ring on the left and right (a diagonal factor), then by the
 *    vertical bonds to the next row (one 2x2 matrix per column: a butterfly).
 * 2. At the first block row the vector becomes a table [side state][block rows so far]. Each
 *    further block row extends it. Butterflies act on the sides only, because the spins of the
 *    block are kept, not summed.
 * 3. The upper table (half of the block rows, rounded up) and the lower table meet in one sum over
 *    the side states. So a 4x4 block costs 65,536 x 2^(2 buffer) multiplications for 65,536
 *    probabilities, and no matrix is ever stored.
 *
 * Memory: tables are [side][block] with the block state fastest, so that every long loop has stride
 * one. A bond has the weight exp(K s s' - |K|) <= 1, so nothing overflows at any coupling. Only a
 * ring of probability below 1e-300 can lose all its weights.
 *
 * Reference: H. A. Kramers, G. H. Wannier, Phys. Rev. 60, 252 (1941). */
#include "models/ising/transfer.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/compiler.h"
#include "base/functions.h"
#include "base/status.h"

typedef struct {
    transfer_window window;
    int width, height, upper_rows;
    int64_t row_states, side_states, line_states; /* states of a row, its sides, its block part */
    double equal, opposite;  /* weight of a bond between equal and between opposite spins */
    double *horizontal;      /* [row state]: weight of the bonds within a row */
    double *overlap;         /* [xor of two lines]: weight of the bonds between two block lines */
    double *row, *tables[4]; /* workspace: a row vector; a table and a spare one, above and below */
} transfer;

RSMI_INLINE double bond(const transfer *t, int64_t bit, int8_t spin)
{
    return bit == (spin > 0) ? t->equal : t->opposite;
}

/* The row state of a side state (the left sites in its low bits) and a block line. */
RSMI_INLINE int64_t row_state(const transfer *t, int64_t side, int64_t line)
{
    const int buffer = t->window.buffer;
    const int64_t left = side & (((int64_t)1 << buffer) - 1), right = side >> buffer;
    return left | line << buffer | right << (buffer + t->window.columns);
}

RSMI_INLINE double row_weight(const transfer *t, int64_t row, int8_t left, int8_t right)
{
    return t->horizontal[row] * (bond(t, row & 1, left) * bond(t, row >> (t->width - 1), right));
}

/* Multiplies by the vertical bonds of `bits` spins, the lowest of which has the given stride, and
 * sums over their old values. */
RSMI_INLINE void vertical_bonds(const transfer *t, double *table, int64_t size, int64_t stride,
                                int bits)
{
    const double equal = t->equal, opposite = t->opposite;
    for (int64_t half = stride; bits > 0; bits--, half *= 2)
        for (int64_t first = 0; first < size; first += 2 * half)
            for (int64_t i = first; i < first + half; i++) {
                const double down = table[i], up = table[i + half];
                table[i] = equal * down + opposite * up;
                table[i + half] = opposite * down + equal * up;
            }
}

/* Makes the row vector above the first block row: a ring line, then the buffer rows, up to and
 * including the vertical bonds below them. */
RSMI_INLINE void cross_buffer(const transfer *t, const int8_t *line, const int8_t *left,
                              const int8_t *right, int step)
{
    double *row = t->row;
    row[0] = 1;
    for (int c = 0; c < t->width; c++)
        for (int64_t r = 0, half = (int64_t)1 << c; r < half; r++) {
            row[r + half] = row[r] * bond(t, 1, line[c]);
            row[r] *= bond(t, 0, line[c]);
        }
    for (int k = 0; k < t->window.buffer; k++) {
        for (int64_t r = 0; r < t->row_states; r++)
            row[r] *= row_weight(t, r, left[k * step], right[k * step]);
        vertical_bonds(t, row, t->row_states, 1, t->width);
    }
}

/* Takes the first block row, which turns the row vector into a table. */
RSMI_INLINE void begin_block(const transfer *t, int8_t left, int8_t right, double *table)
{
    for (int64_t side = 0; side < t->side_states; side++)
        for (int64_t line = 0; line < t->line_states; line++) {
            const int64_t r = row_state(t, side, line);
            table[side * t->line_states + line] = t->row[r] * row_weight(t, r, left, right);
        }
}

/* Adds one block row: the table of `done` rows becomes `longer`, of done + 1 rows. Going down the
 * new line takes the highest bits of the block state, going up the lowest bits. */
RSMI_INLINE void extend_block(const transfer *t, int done, int down, int8_t left, int8_t right,
                              double *table, double *longer)
{
    const int64_t lines = t->line_states, blocks = (int64_t)1 << (done * t->window.columns);
    const int64_t block_step = down ? 1 : lines, line_step = down ? blocks : 1;
    const int newest = down ? (done - 1) * t->window.columns : 0;
    vertical_bonds(t, table, t->side_states * blocks, blocks, 2 * t->window.buffer);
    for (int64_t side = 0; side < t->side_states; side++)
        for (int64_t line = 0; line < lines; line++) {
            const double weight = row_weight(t, row_state(t, side, line), left, right);
            const double *from = table + side * blocks;
            double *to = longer + side * blocks * lines + line * line_step;
            for (int64_t block = 0; block < blocks; block++)
                to[block * block_step] =
                    from[block] * (weight * t->overlap[((block >> newest) & (lines - 1)) ^ line]);
        }
}

/* The table of the first `rows` >= 1 rows of the block, seen from one ring line. `left` and `right`
 * advance by `step` from there. */
RSMI_INLINE double *half_table(const transfer *t, int rows, int down, const int8_t *line,
                               const int8_t *left, const int8_t *right, double *table,
                               double *spare)
{
    const int step = down ? 1 : -1;
    cross_buffer(t, line, left, right, step);
    left += t->window.buffer * step;
    right += t->window.buffer * step;
    begin_block(t, *left, *right, table);
    for (int done = 1; done < rows; done++) {
        extend_block(t, done, down, left[done * step], right[done * step], table, spare);
        double *swap = table;
        table = spare;
        spare = swap;
    }
    return table;
}

/* Closes a block of one row: the row vector from below meets the table. */
RSMI_INLINE void close_with_row(const transfer *t, const double *upper, double *weights)
{
    memset(weights, 0, (size_t)t->line_states * sizeof *weights);
    for (int64_t side = 0; side < t->side_states; side++)
        for (int64_t line = 0; line < t->line_states; line++)
            weights[line] += upper[side * t->line_states + line] * t->row[row_state(t, side, line)];
}

RSMI_INLINE void close_with_table(const transfer *t, const double *upper, double *lower,
                                  double *weights)
{
    const int columns = t->window.columns, newest = (t->upper_rows - 1) * columns;
    const int64_t lines = t->line_states, uppers = (int64_t)1 << (t->upper_rows * columns);
    const int64_t lowers = (int64_t)1 << ((t->window.rows - t->upper_rows) * columns);
    vertical_bonds(t, lower, t->side_states * lowers, lowers, 2 * t->window.buffer);
    for (int64_t below = 0; below < lowers; below++) {
        double *to = weights + below * uppers;
        memset(to, 0, (size_t)uppers * sizeof *to);
        for (int64_t side = 0; side < t->side_states; side++) {
            const double factor = lower[side * lowers + below], *from = upper + side * uppers;
            for (int64_t above = 0; above < uppers; above++)
                to[above] += from[above] * factor;
        }
        for (int64_t above = 0; above < uppers; above++)
            to[above] *= t->overlap[(above >> newest) ^ (below & (lines - 1))];
    }
}

RSMI_CLONES static void weigh_block(const transfer *t, const int8_t *ring, double *weights)
{
    const int8_t *above = ring, *below = above + t->width, *left = below + t->width,
                 *right = left + t->height;
    const int last = t->height - 1, lower_rows = t->window.rows - t->upper_rows;
    const double *upper =
        half_table(t, t->upper_rows, 1, above, left, right, t->tables[0], t->tables[1]);
    if (lower_rows == 0) {
        cross_buffer(t, below, left + last, right + last, -1);
        close_with_row(t, upper, weights);
    } else {
        double *lower = half_table(t, lower_rows, 0, below, left + last, right + last, t->tables[2],
                                   t->tables[3]);
        close_with_table(t, upper, lower, weights);
    }
}

/* Normalises the weights and makes averages of the functions, entropy and marginal as transfer.h
 * says. */
RSMI_CLONES static int average_block(const double *weights, int64_t states, const double *functions,
                                     int64_t n_functions, double *averages, double *entropy,
                                     double *marginal)
{
    double total = 0;
    for (int64_t v = 0; v < states; v++)
        total += weights[v];
    if (!(total > 0))
        return RSMI_DIVERGED;
    for (int64_t f = 0; f < n_functions; f++)
        averages[f] = 0;
    for (int64_t v = 0; v < states; v++) {
        const double probability = weights[v] / total;
        for (int64_t f = 0; f < n_functions; f++)
            averages[f] += probability * functions[v * n_functions + f];
        if (marginal)
            marginal[v] += probability;
    }
    if (entropy) {
        *entropy = 0;
        for (int64_t first = 0; first < states; first += 8) {
            /* Impossible states count like certain ones: not at all. */
            lanes8 p = (lanes8){0} + 1.0;
            for (int i = 0; i < 8 && first + i < states; i++)
                if (weights[first + i] > 0)
                    p[i] = weights[first + i] / total;
            lanes8 logarithms = p;
            logarithm(&logarithms);
            for (int i = 0; i < 8; i++)
                *entropy -= p[i] * logarithms[i];
        }
    }
    return RSMI_OK;
}

static double bonds_weight(const transfer *t, int n, int opposite)
{
    return power(t->equal, n - opposite) * power(t->opposite, opposite);
}

static void fill_bond_tables(transfer *t)
{
    const int64_t inner = t->row_states / 2 - 1;
    for (int64_t r = 0; r < t->row_states; r++)
        t->horizontal[r] = bonds_weight(
            t, t->width - 1, __builtin_popcountll((unsigned long long)((r ^ r >> 1) & inner)));
    for (int64_t x = 0; x < t->line_states; x++)
        t->overlap[x] =
            bonds_weight(t, t->window.columns, __builtin_popcountll((unsigned long long)x));
}

/* Sets the sizes and takes the workspace of one call, which free(t->horizontal) releases. */
static int prepare(transfer *t, transfer_window window)
{
    const int rows = window.rows, columns = window.columns;
    if (rows < 1 || columns < 1 || window.buffer < 0 || rows > TRANSFER_MAX_BLOCK ||
        columns > TRANSFER_MAX_BLOCK || rows * columns > TRANSFER_MAX_BLOCK ||
        columns + 2 * window.buffer > TRANSFER_MAX_WIDTH)
        return RSMI_BAD_SHAPE;
    t->window = window;
    t->width = columns + 2 * window.buffer;
    t->height = rows + 2 * window.buffer;
    t->upper_rows = (rows + 1) / 2;
    t->row_states = (int64_t)1 << t->width;
    t->side_states = (int64_t)1 << (2 * window.buffer);
    t->line_states = (int64_t)1 << columns;
    t->equal = exp_of(window.coupling - fabs(window.coupling));
    t->opposite = exp_of(-window.coupling - fabs(window.coupling));
    const int64_t table = t->side_states << (t->upper_rows * columns);
    t->horizontal =
        malloc((size_t)(2 * t->row_states + t->line_states + 4 * table) * sizeof(double));
    if (!t->horizontal)
        return RSMI_NO_MEMORY;
    t->row = t->horizontal + t->row_states;
    t->overlap = t->row + t->row_states;
    for (int k = 0; k < 4; k++)
        t->tables[k] = t->overlap + t->line_states + k * table;
    fill_bond_tables(t);
    return RSMI_OK;
}

int transfer_ring_size(transfer_window window)
{
    return 2 * (window.rows + window.columns) + 8 * window.buffer;
}

int transfer_block_weights(const int8_t *rings, int64_t n, transfer_window window, double *weights)
{
    transfer t;
    const int status = prepare(&t, window);
    if (status != RSMI_OK)
        return status;
    const int64_t states = (int64_t)1 << (window.rows * window.columns);
    for (int64_t k = 0; k < n; k++)
        weigh_block(&t, rings + k * transfer_ring_size(window), weights + k * states);
    free(t.horizontal);
    return RSMI_OK;
}

int transfer_block_averages(const int8_t *rings, int64_t n, transfer_window window,
                            const double *functions, int64_t n_functions, double *averages,
                            double *entropy, double *marginal)
{
    transfer t;
    int status = prepare(&t, window);
    if (status != RSMI_OK)
        return status;
    const int64_t states = (int64_t)1 << (window.rows * window.columns);
    double *weights = malloc((size_t)states * sizeof *weights);
    if (!weights)
        status = RSMI_NO_MEMORY;
    for (int64_t k = 0; status == RSMI_OK && k < n; k++) {
        weigh_block(&t, rings + k * transfer_ring_size(window), weights);
        status = average_block(weights, states, functions, n_functions, averages + k * n_functions,
                               entropy ? entropy + k : NULL, marginal);
    }
    free(weights);
    free(t.horizontal);
    return status;
}
