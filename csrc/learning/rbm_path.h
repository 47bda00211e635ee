/* The instructions. */
#ifndef RSMI_RBM_PATH_H
#define RSMI_RBM_PATH_H

#define RBM_LANES                                                                                  \
    64 /* generators of the Gibbs chains; part of the definition of a training's random stream */

/* Which instructions: all give the same bits. RBM_AUTO takes the best; the others are for tests and
 * benchmarks. */
enum rbm_path { RBM_AUTO, RBM_AVX512, RBM_AVX2, RBM_PORTABLE };

#endif
