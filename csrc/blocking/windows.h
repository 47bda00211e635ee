#ifndef RSMI_WINDOWS_H
#define RSMI_WINDOWS_H

#include <stdint.h>

enum { WINDOWS_MAX_DIMENSION = 4 }; /* three of space and one of components */

/* Chooses n_windows windows: the configurations evenly and ascending, the first site of the block
 * uniformly (n_windows x dimension coordinates), and a global flip +-1 (always +1 unless
 * symmetric). All that is random is a hash of (key, window). */
int choose_windows(const uint64_t key[2], int64_t n_configurations, const int64_t *shape,
                   int dimension, int symmetric, int64_t n_windows, int64_t *configurations,
                   int64_t *origins, int8_t *flips);

/* Gathers n_sites spins of every window from packed rows of row_bytes bytes. The offsets (n_sites x
 * dimension) are relative to the origin of the window and lie in 0 .. shape - 1. Output: n_windows
 * x n_sites spins +-1.
 *
 * RSMI_BAD_VALUE: a configuration, origin, offset or flip is outside its range. RSMI_BAD_SHAPE: the
 * dimension is not 1 .. 4. */
int extract_windows(const uint8_t *packed, int64_t n_configurations, int64_t row_bytes,
                    const int64_t *shape, int dimension, const int64_t *offsets, int64_t n_sites,
                    const int64_t *configurations, const int64_t *origins, const int8_t *flips,
                    int64_t n_windows, int8_t *windows);

#endif
