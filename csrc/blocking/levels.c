/* Blocking and operators with 512 lattices side by side.
 *
 * Memory. A word is a site, and its bits are the lattices: bit b of lane l is lattice 64 l + b of
 * the group. Packed rows are turned into words by transposing squares of 64 x 64 bits, eight at a
 * time. A plane holds the words of one level in row-major order. As many rows and columns as the
 * operators reach are repeated at its end, so that the spins x + (one point of a term), for all
 * sites x of a row, are a run of words.
 *
 * A block is decided by the logic of squares.h. Its coins are hashed for eight lattices at a time;
 * the hash of the number of the sample is made once per level. The bits of the terms of an operator
 * are counted by carry-save adders, one row of the lattice after the other, so that the rows in use
 * stay in the nearest cache. Sixteen words make one word of weight 16, and such a word without a
 * partner waits for the next one of its weight. The digits of the counts, transposed by squares of
 * 16 x 16 bits, are the counts.
 *
 * References: R. H. Swendsen, PRL 42, 859 (1979); W. Mula, N. Kurz, D. Lemire, Comput. J. 61, 111
 * (2018), for counting bits. */
#include "blocking/levels.h"

#include <stdlib.h>

#include "base/compiler.h"
#include "base/counting.h"
#include "base/random.h"
#include "base/status.h"
#include "blocking/squares.h"

enum { LATTICES = 64 * LANE_COUNT, DIGITS = 48, CODE_BITS = 16 };

typedef struct {
    int64_t height, width, stride; /* height and width in sites; words from row to row */
    int64_t reach[2];
    lanes *words;
} plane;

typedef struct {
    int spins;
    int32_t owner, point[OPERATOR_SPINS][2];
} product;

/* The digits of a count, and for each digit from 16 on the word that waits to be added to it. */
typedef struct {
    lanes digits[DIGITS], waiting[DIGITS];
    uint64_t chunks;
    int64_t terms;
    int spins, used; /* spins in each product; digits in use */
    int32_t owner;
} counter;

/* ---- in and out ---- */

RSMI_CLONES
static void unpack_rows(const uint8_t *rows, int64_t n_samples, plane *p)
{
    const int64_t sites = p->height * p->width, n_bytes = (sites + 7) / 8;
    lanes square[64];
    for (int64_t first = 0, y = 0, x = 0; first < sites; first += 64) {
        const int count = sites - first < 64 ? (int)(sites - first) : 64;
        for (int i = 0; i < 64; i++) {
            uint64_t word[LANE_COUNT] = {0};
            for (int64_t lane = 0; lane < LANE_COUNT && 64 * lane + i < n_samples; lane++)
                word[lane] = read_bits(rows + (64 * lane + i) * n_bytes, n_bytes, first, count);
            memcpy(&square[i], word, sizeof word);
        }
        transpose_squares(square, 64);
        for (int k = 0; k < count; k++) {
            p->words[y * p->stride + x] = square[k];
            if (++x == p->width)
                x = 0, y++;
        }
    }
}

/* Repeats the first columns after the last column, and the first rows after the last row. */
static void wrap(plane *p)
{
    for (int64_t y = 0; y < p->height; y++) {
        lanes *row = p->words + y * p->stride;
        for (int64_t x = 0; x < p->reach[1]; x++)
            memcpy(row + p->width + x, row + x % p->width, sizeof *row);
    }
    for (int64_t y = 0; y < p->reach[0]; y++)
        memcpy(p->words + (p->height + y) * p->stride, p->words + y % p->height * p->stride,
               (size_t)p->stride * sizeof *p->words);
}

/* ---- blocking ---- */

RSMI_CLONES
static void block_squares(const plane *fine, const square_rule *rule, const uint64_t key[2],
                          const uint64_t *samples, int64_t n_samples, plane *coarse)
{
    const uint64_t golden = 0x9e3779b97f4a7c15ULL;
    uint64_t hashes[64][LANE_COUNT] = {{0}};
    for (int64_t i = 0; i < n_samples; i++)
        hashes[i % 64][i / 64] = mix64(key[0] + (samples[i] + 1) * golden);
    lanes of_sample[64], site[SQUARE_SITES];
    memcpy(of_sample, hashes, sizeof hashes);
    uint64_t number = golden;
    for (int64_t y = 0; y < coarse->height; y++)
        for (int64_t x = 0; x < coarse->width; x++, number += golden) {
            const lanes *block = fine->words + 2 * (y * fine->stride + x);
            for (int i = 0; i < SQUARE_SITES; i++)
                site[i] = block[i / 2 * fine->stride + i % 2];
            lanes spins = look_up(rule->up, site);
            if (rule->ties) {
                lanes down = {0};
#pragma GCC unroll 8
                for (int i = 0; i < 64; i++)
                    down = down >> 1 | (mix_lanes(of_sample[i] + (key[1] ^ number)) & (1ULL << 63));
                spins |= look_up(rule->tie, site) & ~down;
            }
            coarse->words[y * coarse->stride + x] = spins;
        }
}

/* ---- counting ---- */

RSMI_INLINE void count_chunk(counter *c, const lanes x[CHUNK])
{
    lanes carry = add_sixteen(x, c->digits);
    int p = CHUNK_DIGITS;
    for (uint64_t n = c->chunks++; n & 1; n >>= 1, p++)
        carry = add_to_digit(&c->digits[p], c->waiting[p], carry);
    c->waiting[p] = carry;
}

RSMI_INLINE lanes parity_at(const lanes *const point[OPERATOR_SPINS], const int spins, int64_t i)
{
    lanes x = point[0][i];
    if (spins > 1)
        x ^= point[1][i];
    if (spins > 2)
        x ^= point[2][i];
    if (spins > 3)
        x ^= point[3][i];
    return x;
}

RSMI_INLINE void count_row(counter *c, const lanes *const point[OPERATOR_SPINS], const int spins,
                           int64_t width)
{
    lanes x[CHUNK];
    int64_t i = 0;
    for (; i + CHUNK <= width; i += CHUNK) {
#pragma GCC unroll 16
        for (int j = 0; j < CHUNK; j++)
            x[j] = parity_at(point, spins, i + j);
        count_chunk(c, x);
    }
    if (i == width)
        return;
    memset(x, 0, sizeof x);
    for (int j = 0; i + j < width; j++)
        x[j] = parity_at(point, spins, i + j);
    count_chunk(c, x);
}

RSMI_CLONES
static void count_plane(const plane *p, const product *products, int64_t n_products,
                        counter *counters)
{
    for (int64_t y = 0; y < p->height; y++) {
        counter *c = counters;
        for (const product *t = products; t < products + n_products; t++) {
            const lanes *point[OPERATOR_SPINS];
            if (t->owner != c->owner || t->spins != c->spins)
                c++;
            for (int i = 0; i < OPERATOR_SPINS; i++)
                point[i] = p->words + (y + t->point[i][0]) * p->stride + t->point[i][1];
            if (t->spins == 1)
                count_row(c, point, 1, p->width);
            else if (t->spins == 2)
                count_row(c, point, 2, p->width);
            else if (t->spins == 3)
                count_row(c, point, 3, p->width);
            else
                count_row(c, point, 4, p->width);
        }
    }
}

/* Adds the words that still wait to the digits. */
static void finish(counter *c)
{
    for (int p = CHUNK_DIGITS; c->chunks >> (p - CHUNK_DIGITS); p++)
        if (c->chunks >> (p - CHUNK_DIGITS) & 1) {
            lanes carry = c->waiting[p];
            for (int q = p; q < c->used; q++) {
                const lanes old = c->digits[q];
                c->digits[q] = old ^ carry;
                carry &= old;
            }
        }
}

RSMI_CLONES
static void add_counts(counter *c, int64_t sites, int64_t n_samples, int64_t n_operators,
                       int64_t *sums)
{
    const int64_t all = c->terms * sites, sign = c->spins & 1 ? -1 : 1;
    int64_t counts[LATTICES] = {0};
    finish(c);
    for (int first = 0; first < c->used; first += CODE_BITS) {
        uint16_t codes[CODE_BITS]
                      [LATTICES / CODE_BITS]; /* bit j of group g belongs to lattice 16 g + j */
        transpose_squares(c->digits + first, CODE_BITS);
        memcpy(codes, c->digits + first, sizeof codes);
        for (int g = 0; g < LATTICES / CODE_BITS; g++)
            for (int j = 0; j < CODE_BITS; j++)
                counts[CODE_BITS * g + j] += (int64_t)codes[j][g] << first;
    }
    sums += c->owner;
    for (int64_t i = 0; i < n_samples; i++)
        sums[i * n_operators] += sign * (all - 2 * counts[i]);
}

/* ---- all levels ---- */

/* Prepares one counter for each pair of operator and number of spins that occurs, in the order of
 * the products. Returns the number of counters. */
static int64_t prepare(const product *products, int64_t n_products, int64_t sites,
                       counter *counters)
{
    int64_t n = 0;
    for (int64_t t = 0; t < n_products; t++) {
        if (n == 0 || products[t].owner != counters[n - 1].owner ||
            products[t].spins != counters[n - 1].spins) {
            memset(&counters[n], 0, sizeof *counters);
            counters[n].owner = products[t].owner, counters[n].spins = products[t].spins;
            n++;
        }
        counters[n - 1].terms++;
    }
    for (int64_t i = 0; i < n; i++)
        while (counters[i].terms * sites >> counters[i].used)
            counters[i].used++;
    return n;
}

static plane plane_of(int64_t height, int64_t width, const int64_t reach[3], lanes *words)
{
    return (plane){.height = height,
                   .width = width,
                   .stride = width + reach[2],
                   .reach = {reach[1], reach[2]},
                   .words = words};
}

static int64_t words_in(plane p)
{
    return (p.height + p.reach[0]) * p.stride;
}

int level_sums(const uint8_t *rows, int64_t n_samples, const int64_t shape[3],
               const block_rule *rule, int64_t steps, const uint64_t *keys, const uint64_t *samples,
               const int32_t *terms, const int32_t *term_operator, int64_t n_terms,
               int64_t n_operators, int64_t *sums)
{
    const int64_t sites = shape[1] * shape[2], n_bytes = (sites + 7) / 8;
    int64_t reach[3];
    square_rule square;
    const int status = operator_reach(terms, term_operator, n_terms, n_operators, reach);
    if (status != RSMI_OK)
        return status;
    if (shape[0] != 1 || reach[0] || steps < 0 || steps > 62 || shape[1] % (1LL << steps) ||
        shape[2] % (1LL << steps))
        return RSMI_BAD_SHAPE;
    if (!square_rule_of(rule, shape, &square))
        return RSMI_UNSUPPORTED;
    const plane finest = plane_of(shape[1], shape[2], reach, NULL),
                coarser = plane_of((shape[1] + 1) / 2, (shape[2] + 1) / 2, reach, NULL);
    lanes *words = aligned_alloc(sizeof *words,
                                 (size_t)(words_in(finest) + words_in(coarser)) * sizeof *words);
    counter *counters = aligned_alloc(sizeof *words, (size_t)n_terms * sizeof *counters);
    product *products = malloc((size_t)n_terms * sizeof *products);
    const int enough = words && counters && products;
    for (int64_t t = 0; enough && t < n_terms; t++) {
        products[t] = (product){.spins = operator_spins(terms + t * 3 * OPERATOR_SPINS),
                                .owner = term_operator[t]};
        for (int i = 0; i < 2 * products[t].spins; i++)
            products[t].point[i / 2][i % 2] = terms[3 * (t * OPERATOR_SPINS + i / 2) + 1 + i % 2];
    }
    if (enough)
        memset(sums, 0, (size_t)((steps + 1) * n_samples * n_operators) * sizeof *sums);
    for (int64_t first = 0; enough && first < n_samples; first += LATTICES) {
        const int64_t n = n_samples - first < LATTICES ? n_samples - first : LATTICES;
        plane p = plane_of(shape[1], shape[2], reach, words);
        unpack_rows(rows + first * n_bytes, n, &p);
        for (int64_t level = 0; level <= steps; level++) {
            int64_t *of_level = sums + (level * n_samples + first) * n_operators;
            if (level) {
                const plane fine = p;
                p = plane_of(fine.height / 2, fine.width / 2, reach,
                             level % 2 ? words + words_in(finest) : words);
                block_squares(&fine, &square, keys + 2 * (level - 1), samples + first, n, &p);
            }
            const int64_t n_counters = prepare(products, n_terms, p.height * p.width, counters);
            wrap(&p);
            count_plane(&p, products, n_terms, counters);
            for (int64_t c = 0; c < n_counters; c++)
                add_counts(&counters[c], p.height * p.width, n, n_operators, of_level);
        }
    }
    free(words);
    free(counters);
    free(products);
    return enough ? RSMI_OK : RSMI_NO_MEMORY;
}
