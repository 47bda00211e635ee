/* Private to learning: the function `products` of rbm_gibbs.c with tables of subset sums in memory.
 *
 * ROWS rows lie side by side in a vector, so that one load and one addition serve ROWS x 5 terms of
 * a column. This file is a template, which is included once per length of a vector with
 *
 *     ROWS      the number of rows in a vector,
 *     TARGET    the attribute of the functions (it may be empty),
 *     NAME(f)   a name of its own for everything that is defined here.
 *
 * NAME(products) is the result. */

typedef uint32_t NAME(vector) __attribute__((vector_size(4 * ROWS)));

/* The sums of all 32 subsets of five terms, for n <= ROWS rows. */
TARGET RSMI_INLINE void NAME(tabulate)(NAME(vector) *restrict table, const uint32_t *factors,
                                       size_t row_step, size_t term_step, size_t n)
{
    table[0] = (NAME(vector)){0};
    for (size_t t = 0, subsets = 1; t < 5; t++, subsets *= 2) {
        NAME(vector) term = {0};
        for (size_t r = 0; r < n; r++)
            term[r] = factors[r * row_step + t * term_step];
        for (size_t subset = 0; subset < subsets; subset++)
            table[subsets + subset] = table[subset] + term;
    }
}

/* Adds to sums[s] the sums of the rows over the first n_groups groups of five bits of words[s]. */
TARGET RSMI_INLINE void NAME(add_subsets)(NAME(vector) *restrict sums,
                                          NAME(vector) (*restrict tables)[32],
                                          const size_t n_groups, const uint32_t *restrict words,
                                          size_t columns)
{
    for (size_t s = 0; s < columns; s++) {
        const uint32_t word = words[s];
        NAME(vector) sum = sums[s];
        for (size_t g = 0; g < n_groups; g++)
            sum += tables[g][word >> 5 * g & 31];
        sums[s] = sum;
    }
}

/* Adds the products of n <= ROWS rows and at most RBM_STRIP columns. */
TARGET RSMI_INLINE void NAME(add_rows)(uint32_t *restrict out, size_t out_stride, size_t n,
                                       const uint32_t *factors, size_t row_step, size_t term_step,
                                       const uint32_t *bits, size_t bits_stride, size_t n_terms,
                                       size_t columns)
{
    NAME(vector) tables[6][32], sums[RBM_STRIP];
    memset(sums, 0, columns * sizeof *sums);
    for (size_t t = 0; t < n_terms; t += RBM_WORD) {
        const size_t left = n_terms - t, n_groups = left < RBM_WORD ? (left + 4) / 5 : 6;
        const uint32_t *const words = bits + t / RBM_WORD * bits_stride;
        for (size_t g = 0; g < n_groups; g++)
            NAME(tabulate)(tables[g], factors + (t + 5 * g) * term_step, row_step, term_step, n);
        if (n_groups == 6)
            NAME(add_subsets)(sums, tables, 6, words, columns); /* the usual case, unrolled */
        else
            NAME(add_subsets)(sums, tables, n_groups, words, columns);
    }
    for (size_t s = 0; s < columns; s++)
        for (size_t r = 0; r < n; r++)
            out[r * out_stride + s] += sums[s][r];
}

TARGET static void NAME(products)(uint32_t *out, size_t out_stride, size_t n_rows,
                                  const uint32_t *factors, size_t row_step, size_t term_step,
                                  const uint32_t *bits, size_t bits_stride, size_t n_terms,
                                  size_t columns)
{
    for (size_t row = 0; row < n_rows; row += ROWS)
        for (size_t start = 0; start < columns; start += RBM_STRIP)
            NAME(add_rows)(out + row * out_stride + start, out_stride,
                           n_rows - row < ROWS ? n_rows - row : ROWS, factors + row * row_step,
                           row_step, term_step, bits + start, bits_stride, n_terms,
                           columns - start < RBM_STRIP ? columns - start : RBM_STRIP);
}

#undef ROWS
#undef TARGET
#undef NAME
