/* The instructions with which a restricted Boltzmann machine is trained. */
#ifndef RSMI_RBM_PATH_H
#define RSMI_RBM_PATH_H

/* The number of generators of the Gibbs chains, a part of the definition of the random stream. */
#define RBM_LANES 64

/* The instructions to use; all give the same bits. RBM_AUTO takes the best; the others are for
 * tests and benchmarks. */
enum rbm_path { RBM_AUTO, RBM_AVX512, RBM_AVX2, RBM_PORTABLE };

#endif
