/* What the C-level tests share: expect(), scratch memory of exact size (so that the address
 * sanitizer sees one byte too many), and random inputs. */
#ifndef RSMI_EXPECT_H
#define RSMI_EXPECT_H

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "base/status.h"

#define expect(condition)                                                                          \
    ((condition) ? (void)0                                                                         \
                 : (fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #condition), \
                    exit(EXIT_FAILURE)))
#ifdef UNDER_VALGRIND /* some 30 times slower: sizes that pass through the same code */
#define BRIEFLY(full, brief) (brief)
#else
#define BRIEFLY(full, brief) (full)
#endif
#define COUNT(array) ((int64_t)(sizeof(array) / sizeof *(array)))

static void *taken[1024];
static int taken_count = 0;
static uint64_t test_stream[4] = {1, 2, 3, 4};

/* Zeroed memory until release_all(). */
static inline void *take(int64_t bytes)
{
    expect(taken_count < (int)COUNT(taken));
    void *memory = calloc(1, (size_t)bytes);
    expect(memory != NULL);
    return taken[taken_count++] = memory;
}

static inline double *take_doubles(int64_t n)
{
    return take(n * (int64_t)sizeof(double));
}

static inline void release_all(void)
{
    while (taken_count > 0)
        free(taken[--taken_count]);
}

static inline uint64_t random_below(uint64_t n)
{
    return xoshiro_next(test_stream) % n;
}

static inline double *random_doubles(int64_t n, double scale)
{
    double *x = take_doubles(n);
    for (int64_t i = 0; i < n; i++)
        x[i] = scale * (2.0 * xoshiro_uniform(test_stream) - 1.0);
    return x;
}

static inline int8_t *random_spins(int64_t n)
{
    int8_t *spins = take(n);
    for (int64_t i = 0; i < n; i++)
        spins[i] = random_below(2) ? 1 : -1;
    return spins;
}

static inline uint8_t *random_bytes(int64_t n)
{
    uint8_t *bytes = take(n);
    for (int64_t i = 0; i < n; i++)
        bytes[i] = (uint8_t)random_below(256);
    return bytes;
}

/* Spin i of a packed row. */
static inline int spin_at(const uint8_t *row, int64_t i)
{
    return row[i / 8] >> (i % 8) & 1 ? 1 : -1;
}

static inline int all_spins(int64_t n, const int8_t *spins)
{
    for (int64_t i = 0; i < n; i++)
        if (spins[i] != 1 && spins[i] != -1)
            return 0;
    return 1;
}

static inline int close_to(double a, double b, double tolerance)
{
    return fabs(a - b) <= tolerance * (1.0 + fabs(b));
}

#endif
