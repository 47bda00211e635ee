/* Private to models/ising: the words of a sublattice and their neighbours, two words at a time.
 *
 * The sites of one sublattice in a row are every other site. A row starts even if its first site on
 * this sublattice has column 0, and odd if it has column 1. In both cases the row of the other
 * sublattice has one neighbour of each site at the same place of its words. The other neighbour
 * lies one place to the left in a row that starts even, and one place to the right in a row that
 * starts odd. One place is one bit in a strip (`beside` then is the word whose bit is shifted in)
 * and one word in replicas. The rows above, below, in front and behind have their neighbours at the
 * same place.
 *
 * Rows that start even and rows that start odd alternate, so words are visited in pairs, one below
 * the other, the word of the row that starts even first. In one dimension there is only one row,
 * and a pair is two words of it. */
#ifndef RSMI_ISING_BITSLICED_WALK_H
#define RSMI_ISING_BITSLICED_WALK_H

#include "base/compiler.h"
#include "models/ising/bitsliced/ising_bitsliced_update.h"

/* One word and its neighbours. `above` and `below` are set in three dimensions only. */
typedef struct {
    uint64_t *own;
    const uint64_t *same, *beside, *above, *below;
} bitsliced_word;

/* Where the next pair of words is. Distances count 64-bit integers. */
typedef struct {
    uint64_t *own;         /* upper word of the pair */
    const uint64_t *other; /* the same place on the other sublattice */
    int64_t even, odd;     /* distance of the row that starts even (odd) from the upper row */
    int64_t column, columns, row, rows;
} bitsliced_walk;

static inline int64_t bitsliced_pairs(bitsliced_shape shape)
{
    return (shape.layers * shape.rows * shape.columns + 1) / 2;
}

static inline bitsliced_walk bitsliced_walk_from(const bitsliced_job *job, int64_t pair)
{
    const int64_t columns = job->shape.columns, rows = job->shape.rows;
    bitsliced_walk w = {
        .own = job->own, .other = job->other, .column = 2 * pair, .columns = columns, .rows = rows};
    if (job->dimension == 1) {
        w.odd = job->sublattice;
        return w;
    }
    const int64_t upper = pair / columns * 2, layer = job->dimension > 2 ? upper / rows : 0;
    const int odd_first = (layer + job->sublattice) & 1;
    w.column = pair % columns, w.row = upper % rows;
    w.even = odd_first ? 8 * columns : 0, w.odd = odd_first ? 0 : 8 * columns;
    w.own += 8 * (upper * columns + w.column), w.other += 8 * (upper * columns + w.column);
    return w;
}

/* Visits the next pair of words of a lattice with one axis. Returns the number of words, 1 or 2. */
RSMI_INLINE int bitsliced_next_of_ring(bitsliced_walk *w, bitsliced_word pair[2])
{
    int n = 0;
    for (; n < 2 && w->column < w->columns; n++, w->column++) {
        const int64_t at = w->column, left = at ? at - 1 : w->columns - 1,
                      right = at + 1 < w->columns ? at + 1 : 0;
        pair[n].own = w->own + 8 * at, pair[n].same = w->other + 8 * at,
        pair[n].beside = w->other + 8 * (w->odd ? right : left);
    }
    return n;
}

RSMI_INLINE void bitsliced_find_above_and_below(const bitsliced_walk *w, int64_t from,
                                                bitsliced_word *word)
{
    const int64_t stride = 8 * w->columns, layer = w->rows * stride;
    word->above = word->same - stride + (from == 0 && w->row == 0 ? layer : 0);
    word->below = word->same + stride - (from != 0 && w->row + 2 == w->rows ? layer : 0);
}

RSMI_INLINE int bitsliced_next(bitsliced_walk *w, int dimension, bitsliced_word pair[2])
{
    if (dimension == 1)
        return bitsliced_next_of_ring(w, pair);
    const int64_t stride = 8 * w->columns, left = w->column ? -8 : stride - 8,
                  right = w->column + 1 < w->columns ? 8 : 8 - stride;
    pair[0].own = w->own + w->even, pair[0].same = w->other + w->even,
    pair[0].beside = pair[0].same + left;
    pair[1].own = w->own + w->odd, pair[1].same = w->other + w->odd,
    pair[1].beside = pair[1].same + right;
    if (dimension > 2) {
        bitsliced_find_above_and_below(w, w->even, pair);
        bitsliced_find_above_and_below(w, w->odd, pair + 1);
    }
    w->own += 8, w->other += 8;
    if (++w->column < w->columns)
        return 2;
    w->own += stride, w->other += stride, w->column = 0, w->row += 2;
    if (dimension > 2 && w->row == w->rows)
        w->row = 0, w->even = stride - w->even, w->odd = stride - w->odd;
    return 2;
}

#endif
