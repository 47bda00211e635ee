/* Where a site of a torus lies: in the first or last row or column, or between them.
 *
 * The step from a site to a neighbour depends on nothing else, so that a table of 9 places takes
 * the place of a table of all sites. */
#ifndef RSMI_PLACES_H
#define RSMI_PLACES_H

#include <stdint.h>

enum {
    PLACES = 9
}; /* place 3 i + j: i for the row, j for the column, 0 first, 2 last, 1 between */

static inline unsigned place_along(int64_t x, int64_t length)
{
    return x == 0 ? 0 : x == length - 1 ? 2 : 1;
}

/* Writes 4 times the place of every site, for tables of four entries a place. */
static inline void find_places(int64_t rows, int64_t columns, uint8_t *place)
{
    for (int64_t x = 0; x < rows; x++)
        for (int64_t y = 0; y < columns; y++)
            *place++ = (uint8_t)(4 * (3 * place_along(x, rows) + place_along(y, columns)));
}

#endif
