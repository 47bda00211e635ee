/* Private to learning: Gibbs sampling and statistics of one strip of a batch. The algorithm and the
 * layout are explained in rbm_gibbs.c. */
#ifndef RSMI_RBM_GIBBS_H
#define RSMI_RBM_GIBBS_H

#include <stddef.h>
#include <stdint.h>

enum {
    RBM_STRIP = 128, /* samples that are treated at once; this number also cuts the random stream */
    RBM_ROW =
        160, /* length of a row of samples: RBM_STRIP and zeros up to whole words and groups */
    RBM_WORD = 30, /* units (or samples) in a 32-bit word of a layer: six groups of five */
    RBM_BLOCK =
        12, /* units whose fields are made and sampled at once; times 16, a multiple of the lanes */
    RBM_FIELD_BITS = 23,
    RBM_MEAN_BITS = 22 /* binary places of the finest fixed point */
};

typedef struct {
    size_t n_visible, n_hidden;
    size_t stride;             /* of factors, samples and gradient; an odd multiple of 16 */
    int field_bits, mean_bits; /* binary places of fields (in log2 units) and of means */
    uint32_t *factors; /* (n_hidden rounded up to a multiple of five, stride): twice the weights, in
                          fixed point */
    uint32_t *visible_offsets, *hidden_offsets; /* fields if all opposite units are -1 */
    uint32_t *data, *chain,
        *hidden;       /* (words, RBM_ROW): bit u of word w is 1 where unit 30 w + u is +1 */
    uint32_t *samples; /* the same visible bits transposed: (words of samples, stride) */
    uint32_t *means; /* (n_hidden + 1, RBM_ROW): twice the signed means; row n_hidden is constant */
    uint32_t
        *gradient; /* (n_hidden + 1, stride): sums over bits of twice the means, of all phases */
    uint32_t *mean_sums; /* (n_hidden + 1): sums of the means, of all phases */
    uint32_t *fields;    /* (RBM_BLOCK, columns) */
    float *odds;         /* (RBM_BLOCK, columns): odds of -1 against +1 */
    float *uniforms;     /* (RBM_BLOCK, columns), in whole rounds of the lanes */
    uint32_t *lanes;     /* [4][RBM_LANES] generators */
} rbm_strip;

/* Runs both phases of one strip of n_samples windows in strip->data. With from_chain the chains
 * start from strip->chain instead of the data. Leaves the ends of the chains in strip->chain and
 * adds to gradient and mean_sums. */
typedef void rbm_add_strip(const rbm_strip *strip, int from_chain, size_t n_gibbs,
                           size_t n_samples);

/* The function for an enum rbm_path, or NULL where this machine or build lacks its instructions. */
rbm_add_strip *rbm_strip_function(int path);

#endif
