/* Metropolis and heat bath of the Ising model, 512 spins at a time, one bit a spin.
 *
 * The chains are those of ising.h in everything but the order of their random numbers: E = - sum
 * s_i s_j on a periodic lattice, even and odd sublattice in turn, the same acceptance with exact
 * 64-bit thresholds, independent random bits for every spin. ising_bitsliced_sweep.h tells how it
 * works.
 *
 * A word is 512 bits, uint64_t[8]; its eight 64-bit lanes never mix. Two layouts of the lattice:
 *
 *   replicas   512 lattices of any even size; a word is a site, its bits are the replicas.
 *   strip      one lattice. Axis 0 is cut into 8 slabs, one a lane; a word holds 64 neighbouring
 * sites of one sublattice in each of them, site x in bit x / 2 % 64 of word x / 128 of its row. The
 * width is a multiple of 128, axis 0 of 16; two or three axes. Sizes that do not fit are sampled as
 * replicas.
 *
 * Both are stored as spins[2][layers + 2][rows][columns][8], 1 = up. The first axis is the
 * sublattice (parity of the coordinate sum); a layer is what is perpendicular to axis 0, `layers`
 * of them in a slab, `rows` rows each of `columns` words. The layers before the first and after the
 * last are copies (the halo: of the neighbouring slab, or across the boundary), so that a sweep has
 * no edges.
 *
 * The random state is generators[blocks][17][8]: the words of a sublattice are cut into `blocks`
 * equal ranges, each with random streams of its own, so that threads may share the work. The number
 * of blocks is part of the definition of a trajectory; who works on them, and with which
 * instructions, is not. Rows 0..15 are four xoshiro256++ streams of 8 lanes, row 16 a key of two
 * words, then the number of words updated. Spins and generators together are the checkpoint.
 * 64-byte alignment makes them fast; 8 is enough. */
#ifndef RSMI_ISING_BITSLICED_H
#define RSMI_ISING_BITSLICED_H

#include "models/ising/ising.h"

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(RSMI_PORTABLE)
#define BITSLICED_X86 1
#else
#define BITSLICED_X86 0
#endif

enum { BITSLICED_STRIP, BITSLICED_REPLICAS };

/* The instructions used. All give the same bits, but for the last: the same source with so few
 * draws that what is rare in the others happens all the time, for the tests. */
enum {
    BITSLICED_AUTO,
    BITSLICED_AVX512,
    BITSLICED_AVX2,
    BITSLICED_SSE2,
    BITSLICED_PORTABLE,
    BITSLICED_STRESS
};

enum {
    BITSLICED_LANES = 8,
    BITSLICED_BITS = 512,
    BITSLICED_STREAMS = 4,
    BITSLICED_DRAWS = 16,
    BITSLICED_GENERATOR = 17 * BITSLICED_LANES
};

typedef struct {
    ising_chain ising; /* ISING_METROPOLIS or ISING_HEAT_BATH */
    int layout, path;
    int64_t blocks;
} bitsliced_chain;

typedef struct {
    int64_t layers, rows, columns;
} bitsliced_shape;

/* RSMI_BAD_SHAPE: sizes the layout cannot hold. RSMI_BAD_VALUE: what ising_check() refuses, another
 * algorithm, no blocks, an unknown layout or path. RSMI_UNSUPPORTED: a path this processor or build
 * does not have. */
int bitsliced_check(const bitsliced_chain *chain);
int bitsliced_supports(int path);

/* Shape of the spins of a chain that passed the check. Their number, halo included, is 2 (layers +
 * 2) rows columns words. */
bitsliced_shape bitsliced_shape_of(const bitsliced_chain *chain);

/* Independent streams for every block from the state of one xoshiro256++, which is only read. */
void bitsliced_seed(const uint64_t rng[4], int64_t blocks, uint64_t *generators);

/* The given number of sweeps, the halo being right before and after. Calls bitsliced_check, returns
 * its status. */
int bitsliced_sweep(const bitsliced_chain *chain, int64_t sweeps, uint64_t *spins,
                    uint64_t *generators);

/* count times: interval sweeps, then one row of each output (strip) or 512. As bitsliced_sweep,
 * bitsliced_pack, bitsliced_measure. */
int bitsliced_sample(const bitsliced_chain *chain, int64_t interval, int64_t count, uint64_t *spins,
                     uint64_t *generators, uint8_t *packed, int64_t *energy,
                     int64_t *magnetization);

/* A sweep in parts, for threads: all blocks of sublattice 0 in any order or at once, its halo, then
 * the same for sublattice 1. Neither checks the chain. */
void bitsliced_update(const bitsliced_chain *chain, int sublattice, int64_t block, uint64_t *spins,
                      uint64_t *generators);
void bitsliced_renew_halo(const bitsliced_chain *chain, int sublattice, uint64_t *spins);

/* To and from rows of packed bits, ceil(sites / 8) bytes a lattice as in ising.h, one row (strip)
 * or 512. Unpacking makes the halo. */
void bitsliced_pack(const bitsliced_chain *chain, const uint64_t *spins, uint8_t *packed);
void bitsliced_unpack(const bitsliced_chain *chain, const uint8_t *packed, uint64_t *spins);

/* Energy in units of the bond strength and sum of the spins, one value each (strip) or 512. */
void bitsliced_measure(const bitsliced_chain *chain, const uint64_t *spins, int64_t *energy,
                       int64_t *magnetization);

/* --- Between the files of the sampler
 * ------------------------------------------------------------------------------ */

/* Word 0 of layer 0 of a sublattice. */
uint64_t *bitsliced_layer_0(bitsliced_shape shape, int sublattice, uint64_t *spins);

/* What one block of one sublattice needs to be updated. */
typedef struct {
    bitsliced_shape shape;
    int dimension, metropolis, strip, sublattice;
    int64_t first, last;     /* pairs of words: see ising_bitsliced_sweep.h */
    uint64_t *own;           /* first word of layer 0 of this sublattice */
    const uint64_t *other;   /* and of the other */
    uint64_t *generator;     /* [17][8] */
    uint64_t probability[3]; /* of going against the sum of the neighbours when its magnitude is 2,
                                4, 6; times 2^64 */
    uint64_t steps[3][BITSLICED_DRAWS]; /* digit j of c = probability[0] ^ probability[0] >> 1; of c
                                           ^ that of another; zeros or ones */
    uint64_t opposite;  /* all ones if the spins prefer the opposite of their neighbours */
    uint64_t hesitates; /* all ones if Metropolis flips a coin for moves of no cost */
} bitsliced_job;

void bitsliced_update_avx512(const bitsliced_job *job);
void bitsliced_update_avx2(const bitsliced_job *job);
void bitsliced_update_sse2(const bitsliced_job *job);
void bitsliced_update_portable(const bitsliced_job *job);
void bitsliced_update_stress(const bitsliced_job *job);

#endif
