/* Coarse-graining of variables with several states by a table over the states of a block.
 *
 * One row of blocks is treated at a time. The bits of a plane are spread to bytes, eight at once,
 * and the codes of a row of sites are added to the states of its blocks. A block whose coarse code
 * is certain takes it from a table of bytes; only the others, ties of a hard rule, hash random
 * bits, keyed by (sample, coarse site) as those of binary rules (blocking.c).
 *
 * References: R. H. Swendsen, PRL 42, 859 (1979), for fair ties; M. Koch-Janusz, Z. Ringel, Nature
 * Physics 14, 578 (2018). */
#include "blocking/state_blocks.h"

#include <string.h>

#include "base/arena.h"
#include "base/bits.h"
#include "base/compiler.h"
#include "base/random.h"
#include "base/status.h"

enum { DRAWN = 255 }; /* in place of a coarse code */

/* Bit j of a byte becomes byte j of a word. */
RSMI_INLINE uint64_t spread_bits(uint64_t byte)
{
    return ((byte & 127) * 0x0002040810204081ULL & 0x0101010101010101ULL) | (byte & 128) << 49;
}

/* The codes of `n` sites from `first` on; `codes` has room for 64 more. */
static void gather_codes(const uint8_t *row, int64_t n_bytes, int64_t first, int64_t n,
                         int64_t planes, int64_t sites, uint8_t *codes)
{
    for (int64_t x = 0; x < n; x += 64) {
        const int width = n - x < 64 ? (int)(n - x) : 64;
        uint64_t eight[8] = {0};
        for (int64_t p = 0; p < planes; p++) {
            const uint64_t bits = read_bits(row, n_bytes, p * sites + first + x, width);
            for (int k = 0; k < 8; k++)
                eight[k] |= spread_bits(bits >> 8 * k & 255) << p;
        }
        memcpy(codes + x, eight, sizeof eight);
    }
}

/* Adds the codes of one row of a block, whose first site has the weight `power`, to the states. */
RSMI_CLONES
static void add_codes(const uint8_t *codes, int64_t n_coarse, int64_t width, uint32_t power,
                      uint32_t q, uint32_t *states)
{
    if (width == 2) /* the usual block, without strides that the compiler does not know */
        for (int64_t c = 0; c < n_coarse; c++)
            states[c] += power * (codes[2 * c] + q * codes[2 * c + 1]);
    else
        for (int64_t i = 0; i < width; i++, power *= q)
            for (int64_t c = 0; c < n_coarse; c++)
                states[c] += power * codes[c * width + i];
}

/* The coarse code of every state of a block; DRAWN where random bits decide. */
static void tabulate(const state_rule *rule, int64_t n_states, uint8_t *codes)
{
    const int64_t n = rule->coarse_states - 1;
    const uint64_t *thresholds = rule->thresholds;
    for (int64_t state = 0; state < n_states; state++, thresholds += n) {
        int64_t code = 0;
        while (code < n && thresholds[code] == 0)
            code++;
        codes[state] = code == n || thresholds[code] == UINT64_MAX ? (uint8_t)code : DRAWN;
    }
}

static uint8_t drawn_code(const state_rule *rule, uint32_t state, uint64_t bits)
{
    const int64_t n = rule->coarse_states - 1;
    const uint64_t *thresholds = rule->thresholds + (int64_t)state * n;
    uint8_t code = 0;
    for (int64_t k = 0; k < n; k++)
        code += bits >= thresholds[k] && thresholds[k] != UINT64_MAX;
    return code;
}

static void write_codes(const uint8_t *codes, int64_t n, int64_t planes, int64_t sites,
                        int64_t first, uint8_t *row)
{
    for (int64_t p = 0; p < planes; p++)
        for (int64_t c = 0; c < n; c += 64) {
            const int width = n - c < 64 ? (int)(n - c) : 64;
            uint64_t word = 0;
            for (int k = 0; k < width; k++)
                word |= (uint64_t)(codes[c + k] >> p & 1) << k;
            join_bits(row, p * sites + first + c, word, width);
        }
}

static int has_invalid(const uint8_t *codes, int64_t n, int64_t q)
{
    uint8_t largest = 0;
    for (int64_t x = 0; x < n; x++)
        largest = codes[x] > largest ? codes[x] : largest;
    return largest >= q;
}

int coarse_grain_states(const uint8_t *rows, int64_t n_samples, const int64_t shape[3],
                        const state_rule *rule, const uint64_t key[2], const uint64_t *samples,
                        uint8_t *coarse)
{
    const int64_t q = rule->states, width = rule->block[2];
    int64_t size[3], n_sites = 1, n_coarse = 1, n_block = 1, n_states = 1;
    if (q < 2 || q > MOST_STATES_OF_SITE || rule->coarse_states < 2)
        return RSMI_BAD_SHAPE;
    for (int axis = 0; axis < 3; axis++) {
        const int64_t extent = rule->block[axis];
        if (extent < 1 || extent > shape[axis] || shape[axis] % extent)
            return RSMI_BAD_SHAPE;
        size[axis] = shape[axis] / extent;
        n_sites *= shape[axis];
        n_coarse *= size[axis];
        n_block *= extent;
    }
    for (int64_t i = 0; i < n_block; i++)
        if ((n_states *= q) > MOST_STATES_OF_BLOCK)
            return RSMI_BAD_SHAPE;
    arena memory = {0};
    uint8_t *table = arena_take(&memory, (size_t)n_states),
            *fine = arena_take(&memory, (size_t)shape[2] + 64),
            *codes = arena_take(&memory, (size_t)size[2]);
    uint32_t *states = arena_take(&memory, (size_t)size[2] * sizeof *states);
    int status = memory.failed ? RSMI_NO_MEMORY : RSMI_OK;
    if (!status)
        tabulate(rule, n_states, table);
    const int64_t n_bytes = (rule->planes * n_sites + 7) / 8,
                  n_coarse_bytes = (rule->coarse_planes * n_coarse + 7) / 8;
    const int64_t b0 = rule->block[0], b1 = rule->block[1];
    for (int64_t sample = 0; sample < n_samples && !status;
         sample++, rows += n_bytes, coarse += n_coarse_bytes) {
        memset(coarse, 0, (size_t)n_coarse_bytes);
        for (int64_t line = 0; line < size[0] * size[1] && !status; line++) {
            const int64_t c0 = line / size[1], c1 = line % size[1];
            uint32_t power = 1;
            memset(states, 0, (size_t)size[2] * sizeof *states);
            for (int64_t i = 0; i < b0 * b1; i++) {
                const int64_t first = ((c0 * b0 + i / b1) * shape[1] + c1 * b1 + i % b1) * shape[2];
                gather_codes(rows, n_bytes, first, shape[2], rule->planes, n_sites, fine);
                if (has_invalid(fine, shape[2], q))
                    status = RSMI_BAD_VALUE;
                add_codes(fine, size[2], width, power, (uint32_t)q, states);
                for (int64_t k = 0; k < width; k++)
                    power *= (uint32_t)q;
            }
            if (status)
                break;
            for (int64_t c = 0; c < size[2]; c++) {
                codes[c] = table[states[c]];
                if (codes[c] == DRAWN)
                    codes[c] = drawn_code(
                        rule, states[c],
                        keyed_bits(key, samples[sample], (uint64_t)(line * size[2] + c)));
            }
            write_codes(codes, size[2], rule->coarse_planes, n_coarse, line * size[2], coarse);
        }
    }
    arena_free(&memory);
    return status;
}
