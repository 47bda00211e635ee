/* What a chain of variables with q states is: a lattice, its weights and an algorithm.
 *
 * The lattice is periodic and hypercubic, with one, two or three axes. It is stored as uint8_t
 * states 0 .. q - 1 in row-major order (depth, height, width). Axes that are absent have size 1 and
 * stand in front; they carry no bonds. Every site owns the bond to its next neighbour along each
 * axis, so that an axis of size 2 has double bonds. A bond between states a and b has a weight
 * w(a, b) = w(b, a) > 0, and a configuration has the product of the weights of its bonds: the Potts
 * model, the clock model and, with q = 4, the Ashkin-Teller model differ in these weights only.
 *
 * The update that grows one cluster knows `moves`: exchanges of states that leave all weights as
 * they are and are their own inverse. `bonds` has for each move and each pair of states the
 * probability that a bond joins, as a threshold on 64 bits: p = 1 - w(a, b') / w(a, b) if that is
 * positive, else 0, where b' is what the move makes of b. `choices` lists for every state the moves
 * from which a cluster that begins there chooses. */
#ifndef RSMI_POTTS_CHAIN_H
#define RSMI_POTTS_CHAIN_H

#include <stdint.h>

enum { POTTS_HEAT_BATH, POTTS_SWENDSEN_WANG, POTTS_WOLFF };
enum { POTTS_MOST_STATES = 16 };

typedef struct {
    int64_t depth, height, width; /* at most 2^31 - 1 sites together */
    int states;                   /* q, 2 .. 16 */
    int algorithm;
    double coupling;        /* K of the Potts model, >= 0; only Swendsen-Wang needs it */
    const double *weights;  /* w, (q, q); only heat bath needs them */
    const uint64_t *alias;  /* of potts_heat_bath.h, or NULL */
    int64_t n_moves;        /* what follows is for clusters one at a time */
    int64_t n_choices;      /* of every state */
    const uint8_t *moves;   /* (n_moves, q) */
    const int32_t *choices; /* (q, n_choices) */
    const uint64_t *bonds;  /* (n_moves, q, q) */
} potts_chain;

static inline int64_t potts_sites(const potts_chain *chain)
{
    return chain->depth * chain->height * chain->width;
}

static inline int potts_dimension(const potts_chain *chain)
{
    return 1 + (chain->height > 1) + (chain->depth > 1);
}

#endif
