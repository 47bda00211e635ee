/* Coarse-graining by hard rules of 2x2 blocks.
 *
 * The rule is two truth tables of the four bits of a block: up, and tie (squares.h). Samples lie
 * side by side in lanes (lanes.h), and the blocks of one row of blocks are at every second bit of
 * two fine rows. The random bits that decide ties are made 64 at a time.
 *
 * Memory: bit-packed rows, as in blocking.h; a workspace of packed coarse rows that mark the ties.
 *
 * Reference: R. H. Swendsen, PRL 42, 859 (1979), for the majority rule with fair ties. */
#include "blocking/squares.h"

#include <stdlib.h>

#include "base/compiler.h"
#include "base/random.h"
#include "base/status.h"

int square_rule_of(const block_rule *rule, const int64_t shape[3], square_rule *square)
{
    memset(square, 0, sizeof *square);
    if (shape[0] != 1 || rule->block[0] != 1 || rule->block[1] != 2 || rule->block[2] != 2 ||
        rule->n_hidden != 1 || rule->components != 1)
        return 0;
    for (uint64_t state = 0; state < SQUARE_STATES; state++) {
        const uint64_t threshold = block_threshold(rule, 0, state);
        if (threshold != 0 && threshold != BLOCK_TIE && threshold != BLOCK_ALWAYS)
            return 0;
        if (threshold == BLOCK_ALWAYS)
            square->up[state] = ~square->up[state];
        if (threshold == BLOCK_TIE)
            square->tie[state] = ~square->tie[state], square->ties = 1;
    }
    return 1;
}

/* Collects every second bit in the low half of each lane. */
RSMI_INLINE lanes even_bits(lanes x)
{
    x &= 0x5555555555555555;
    x = (x | x >> 1) & 0x3333333333333333;
    x = (x | x >> 2) & 0x0f0f0f0f0f0f0f0f;
    x = (x | x >> 4) & 0x00ff00ff00ff00ff;
    x = (x | x >> 8) & 0x0000ffff0000ffff;
    return x | x >> 16;
}

RSMI_INLINE void spread(const lanes *bits, int64_t n_samples, int64_t position, int width,
                        int64_t shared, int64_t n_bytes, uint8_t *rows)
{
    uint64_t word[LANE_COUNT];
    memcpy(word, bits, sizeof word);
    for (int64_t lane = 0; lane < LANE_COUNT; lane++)
        for (int64_t j = 0; j < shared && n_samples > 0; j++, n_samples--, rows += n_bytes)
            join_row(rows, position, word[lane] >> (j * width), width);
}

/* Decides the blocks of some samples. `up` and `tie` are packed coarse rows and must be zero
 * before. */
RSMI_CLONES
static void decide_squares(const uint8_t *rows, int64_t n_samples, int64_t height, int64_t width,
                           const square_rule *rule, uint8_t *up, uint8_t *tie)
{
    const int64_t shared = rows_in_lane(width), n_bytes = (height * width + 7) / 8,
                  n_coarse_bytes = (height * width / 4 + 7) / 8;
    lanes site[SQUARE_SITES], bits;
    for (int64_t y = 0; y < height / 2; y++)
        for (int64_t x = 0; x < width; x += 64) {
            const int64_t position = (y * width + x) / 2;
            const int columns = width - x < 64 ? (int)(width - x) / 2 : 32;
            for (int i = 0; i < 2; i++) {
                gather_row(rows, n_samples, n_bytes, width, 2 * y + i, x, &site[2 * i]);
                site[2 * i + 1] = site[2 * i] >> 1;
            }
            bits = even_bits(look_up(rule->up, site));
            spread(&bits, n_samples, position, columns, shared, n_coarse_bytes, up);
            if (rule->ties) {
                bits = even_bits(look_up(rule->tie, site));
                spread(&bits, n_samples, position, columns, shared, n_coarse_bytes, tie);
            }
        }
}

/* Decides the ties of one sample: up where the top bit of keyed_bits is 0. */
RSMI_CLONES
static void toss_coins(const uint8_t *tie, int64_t n_coarse, const uint64_t key[2], uint64_t sample,
                       uint8_t *up)
{
    const uint64_t golden = 0x9e3779b97f4a7c15ULL,
                   of_sample = mix64(key[0] + (sample + 1) * golden);
    const int64_t n_bytes = (n_coarse + 7) / 8;
    lanes number = {0}; /* lane l makes sites 8 l .. 8 l + 7 of a word */
    for (int l = 0; l < LANE_COUNT; l++)
        number[l] = (8 * (uint64_t)l + 1) * golden;
    for (int64_t byte = 0; byte < n_bytes; byte += 8, number += 57 * golden) {
        lanes down = {0};
        for (int k = 0; k < 8; k++) {
            down |= mix_lanes(of_sample + (key[1] ^ number)) >> 63 << k;
            if (k < 7)
                number += golden;
        }
        uint64_t downs = 0, ties = 0, ups = 0;
        for (int l = 0; l < LANE_COUNT; l++)
            downs |= down[l] << (8 * l);
        const size_t n = n_bytes - byte < 8 ? (size_t)(n_bytes - byte) : 8;
        memcpy(&ties, tie + byte, n);
        memcpy(&ups, up + byte, n);
        ups |= ties & ~downs;
        memcpy(up + byte, &ups, n);
    }
}

int coarse_grain_squares(const uint8_t *rows, int64_t n_samples, const int64_t shape[3],
                         const square_rule *rule, const uint64_t key[2], const uint64_t *samples,
                         uint8_t *coarse)
{
    const int64_t n_bytes = (shape[1] * shape[2] + 7) / 8, n_coarse = shape[1] * shape[2] / 4,
                  n_coarse_bytes = (n_coarse + 7) / 8;
    const int64_t group = LANE_COUNT * rows_in_lane(shape[2]);
    uint8_t *ties = malloc((size_t)(group * n_coarse_bytes));
    if (!ties)
        return RSMI_NO_MEMORY;
    memset(coarse, 0, (size_t)(n_samples * n_coarse_bytes));
    for (int64_t first = 0; first < n_samples; first += group) {
        const int64_t n = n_samples - first < group ? n_samples - first : group;
        uint8_t *up = coarse + first * n_coarse_bytes;
        memset(ties, 0, (size_t)(group * n_coarse_bytes));
        decide_squares(rows + first * n_bytes, n, shape[1], shape[2], rule, up, ties);
        for (int64_t i = 0; rule->ties && i < n; i++)
            toss_coins(ties + i * n_coarse_bytes, n_coarse, key, samples[first + i],
                       up + i * n_coarse_bytes);
    }
    free(ties);
    return RSMI_OK;
}
