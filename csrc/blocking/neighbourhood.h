/* The histogram of local energies: how often each combination of products of spins through one site
 * occurs on a periodic lattice. */
#ifndef RSMI_NEIGHBOURHOOD_H
#define RSMI_NEIGHBOURHOOD_H

#include <stdint.h>

enum {
    NEIGHBOURHOOD_RANGE = 3,     /* largest distance of a point from the site on any axis */
    NEIGHBOURHOOD_OTHERS = 3,    /* most spins in a product beside the spin of the site */
    NEIGHBOURHOOD_OPERATORS = 4, /* most operators */
    NEIGHBOURHOOD_TERMS = 12     /* most products of one operator through a site */
};

/* counts[blocks[i]][bin] += number of sites of sample i in the bin.
 *
 * Through every site pass n_a products of spins of operator a, of which k_a are -1. The site is in
 * the bin k_0 + (n_0 + 1) (k_1 + (n_1 + 1) (k_2 + ...)).
 *
 * rows            (n_samples, ceil(depth * height * width / 8)), packed, bit 1 = spin +1; any size
 *                 >= 1 (offsets wrap around)
 * terms           (n_terms, NEIGHBOURHOOD_OTHERS, 3), the offsets (dz, dy, dx) from the site of the
 *                 other spins of a product: three of them, or one followed by two offsets of zero;
 *                 each within +-NEIGHBOURHOOD_RANGE
 * term_operator   (n_terms,), the operator a to which a term belongs: 0, 1, ... in ascending order
 * blocks          (n_samples,), the row of `counts` to which a sample is added; runs of one block
 *                 are fastest
 * counts          (n_blocks, (n_0 + 1) (n_1 + 1) ...)
 *
 * RSMI_BAD_VALUE: a malformed term. RSMI_NO_MEMORY. */
int neighbourhood_counts(const uint8_t *rows, int64_t n_samples, int64_t depth, int64_t height,
                         int64_t width, const int32_t *terms, const int32_t *term_operator,
                         int64_t n_terms, const int64_t *blocks, int64_t *counts);

#endif
