/* Binary variables whose probability is a table over up-counts: any lattice, any graph.
 *
 * A site is up or down. Its neighbours come in groups, and the probability that the site is up,
 * given all others, depends only on how many neighbours of each group are up. So a kernel knows
 * nothing of energies: Ising spins with any bonds and fields, particles with hard cores and lattice
 * gases are tables.
 *
 * Sites of the same kind have groups of the same sizes and one table. With n_g of the neighbours of
 * group g up, a site is up with the probability number
 *
 *     first + sum over g of stride_g n_g,    stride_0 = 1, stride_(g + 1) = stride_g (size_g + 1).
 *
 * Group 0 may be exclusive: it then counts as one neighbour, which is up if any of them is. */
#ifndef RSMI_LATTICE_SYSTEM_H
#define RSMI_LATTICE_SYSTEM_H

#include <stdint.h>

enum {
    LATTICE_GROUPS = 12,  /* the most groups of a kind */
    LATTICE_CLASSES = 64, /* the most entries of a table for the bit-sliced kernel */
    LATTICE_BATCH = 8,    /* sites that are updated together */
    LATTICE_KIND = 4 + LATTICE_GROUPS
};

/* LATTICE_KIND integers. */
typedef struct {
    int64_t exclusive; /* 0 or 1 */
    int64_t groups;
    int64_t classes;              /* entries of the table: the product of all size_g + 1 */
    int64_t first;                /* place of the first one in `probability` */
    int64_t size[LATTICE_GROUPS]; /* the number of neighbours in every group */
} lattice_kind;

/* The neighbours of site i are neighbour[start[i]] .. neighbour[start[i + 1] - 1], group by group.
 * A site may be a neighbour twice, as on lattices of two sites along a side. */
typedef struct {
    int64_t sites, kinds, probabilities;
    const int32_t *kind_of; /* [sites] */
    const int64_t *start;   /* [sites + 1] */
    const int32_t *neighbour;
    const lattice_kind *kind;    /* [kinds] */
    const uint64_t *probability; /* [probabilities], times 2^64 */
} lattice_system;

/* Returns RSMI_BAD_SHAPE if sizes contradict each other or an index is outside its array, and
 * RSMI_BAD_VALUE if a site is its own neighbour. */
int lattice_check(const lattice_system *system);

/* Puts the sites into batches of up to LATTICE_BATCH sites of one kind, of which no two are
 * neighbours: order[][LATTICE_BATCH], with -1 for places that stay empty. The caller provides room
 * for as many batches as there are sites. Returns the number of batches. The system is not
 * checked. */
int64_t lattice_plan(const lattice_system *system, int32_t *order);

#endif
