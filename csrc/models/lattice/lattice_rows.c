/* Packed rows and counts of 512 replicas.
 *
 * 64 words of a lattice are 8 squares of 64 x 64 bits, one in each lane. After a transposition each
 * row of a square is 64 sites of one replica (base/lanes.h). Counts of 512 replicas are kept in
 * binary digits, to which 16 words are added at once (base/counting.h); the digits are transposed
 * at the end. */
#include "models/lattice/lattice_rows.h"

#include <string.h>

#include "base/compiler.h"
#include "base/counting.h"

enum { REPLICAS = 512, DIGITS = 40 };

RSMI_INLINE lanes load_word(const uint64_t *spins, int64_t site)
{
    return *(const lanes *)(spins + LANE_COUNT * site);
}

/* ---- Rows ---- */

RSMI_CLONES void lattice_pack(int64_t sites, const uint64_t *spins, uint8_t *rows)
{
    const int64_t row_bytes = (sites + 7) / 8;
    for (int64_t first = 0; first < sites; first += 64) {
        const int64_t n = sites - first < 64 ? sites - first : 64;
        lanes square[64] = {{0}};
        for (int64_t i = 0; i < n; i++)
            square[i] = load_word(spins, first + i);
        transpose_squares(square, 64);
        for (int64_t replica = 0; replica < REPLICAS; replica++) {
            const uint64_t bits = square[replica % 64][replica / 64];
            memcpy(rows + replica * row_bytes + first / 8, &bits, (size_t)(n + 7) / 8);
        }
    }
}

RSMI_CLONES void lattice_unpack(int64_t sites, const uint8_t *rows, uint64_t *spins)
{
    const int64_t row_bytes = (sites + 7) / 8;
    for (int64_t first = 0; first < sites; first += 64) {
        const int64_t n = sites - first < 64 ? sites - first : 64;
        lanes square[64] = {{0}};
        for (int64_t replica = 0; replica < REPLICAS; replica++) {
            uint64_t bits = 0;
            memcpy(&bits, rows + replica * row_bytes + first / 8, (size_t)(n + 7) / 8);
            square[replica % 64][replica / 64] = bits;
        }
        transpose_squares(square, 64);
        memcpy(spins + LANE_COUNT * first, square, (size_t)n * sizeof *square);
    }
}

/* ---- Counts ---- */

typedef struct {
    int words;         /* that are not added yet */
    lanes word[CHUNK]; /* they are followed by zeros */
    lanes digit[64];   /* the last ones stay 0 */
} counter;

RSMI_INLINE void add_words(counter *c)
{
    lanes carry = add_sixteen(c->word, c->digit);
    for (int i = CHUNK_DIGITS; i < DIGITS; i++) {
        const lanes digit = c->digit[i];
        c->digit[i] = digit ^ carry;
        carry &= digit;
    }
    memset(c->word, 0, sizeof c->word);
    c->words = 0;
}

RSMI_INLINE void count(counter *c, lanes word)
{
    c->word[c->words++] = word;
    if (c->words == CHUNK)
        add_words(c);
}

RSMI_INLINE void totals(counter *c, int64_t *number)
{
    add_words(c);
    transpose_squares(c->digit, 64);
    for (int64_t replica = 0; replica < REPLICAS; replica++)
        number[replica] = (int64_t)c->digit[replica % 64][replica / 64];
}

RSMI_CLONES void lattice_count_up(int64_t sites, const uint64_t *spins, int64_t *number)
{
    counter c = {.words = 0};
    for (int64_t site = 0; site < sites; site++)
        count(&c, load_word(spins, site));
    totals(&c, number);
}

RSMI_CLONES void lattice_count_unlike(int64_t n, const int32_t *bonds, const uint64_t *spins,
                                      int64_t *number)
{
    counter c = {.words = 0};
    for (int64_t i = 0; i < n; i++)
        count(&c, load_word(spins, bonds[2 * i]) ^ load_word(spins, bonds[2 * i + 1]));
    totals(&c, number);
}

RSMI_CLONES void lattice_count_pairs(int64_t n, const int32_t *bonds, const uint64_t *spins,
                                     int64_t *number)
{
    counter c = {.words = 0};
    for (int64_t i = 0; i < n; i++)
        count(&c, load_word(spins, bonds[2 * i]) & load_word(spins, bonds[2 * i + 1]));
    totals(&c, number);
}

/* ---- Exchanges ---- */

RSMI_CLONES void lattice_exchange(int64_t sites, const uint64_t *mask, uint64_t *one,
                                  uint64_t *other)
{
    for (int64_t site = 0; site < sites; site++)
        for (int lane = 0; lane < LANE_COUNT; lane++) {
            const int64_t i = LANE_COUNT * site + lane;
            const uint64_t unlike = (one[i] ^ other[i]) & mask[lane];
            one[i] ^= unlike;
            other[i] ^= unlike;
        }
}
