/* Configurations of the six-vertex model with the weights a = b = 1 and c, sampled by directed
 * loops.
 *
 * Lattice, vertices, streams and packed rows are those of six_vertex.h. Trajectories are integers
 * and the same on every machine. */
#ifndef RSMI_SIX_VERTEX_LOOP_H
#define RSMI_SIX_VERTEX_LOOP_H

#include "models/six_vertex/six_vertex.h"

/* The weights c of a c vertex for which loops are made: for more than 2 the head would have to turn
 * back, for less than the least it would hardly ever turn. */
#define SIX_VERTEX_LEAST_WEIGHT 0.001
#define SIX_VERTEX_LARGEST_WEIGHT 2.0

/* The number of 64-bit words of workspace that six_vertex_sample needs. The content of the
 * workspace does not matter before a call and has no meaning after it. */
int64_t six_vertex_workspace(const six_vertex_lattice *lattice);

/* Makes `count` rows from `chains` chains in turn: row j belongs to chain (first + j) mod chains.
 * Before each of its rows a chain makes `loops` >= 1 loops. c_vertices[j] is the number of c
 * vertices of the row, and steps[j] that of the vertices which the loops passed. Returns
 * RSMI_BAD_VALUE for a weight outside its range or vertices that six_vertex_check refuses. */
int six_vertex_sample(const six_vertex_lattice *lattice, double weight, int64_t chains,
                      int64_t loops, int64_t first, int64_t count, uint8_t *vertices, uint64_t *rng,
                      uint64_t *workspace, uint8_t *packed, int64_t *c_vertices, int64_t *steps);

#endif
