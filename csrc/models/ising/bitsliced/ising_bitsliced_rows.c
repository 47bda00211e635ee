/* Input and output of the bit-sliced sampler: packed rows, energies and magnetizations.
 *
 * Replicas. 64 words of a lattice are 8 blocks of 64 x 64 bits, one per lane. After a transposition
 * each row of a block is 64 sites of one replica. The transposition exchanges squares of 32, 16,
 * ... 1 bits in all lanes at once.
 *
 * Strip. The sites of a row alternate between the sublattices, so two words are interleaved: 32
 * bits of each are spread to every other bit of 64.
 *
 * Counting. To count the ones in each of the 512 bit positions of many words, level i of a counter
 * holds the digit 2^i of all the counts. Two words of the same weight and the digit give a new
 * digit and one word of twice the weight (a carry-save adder). Eight words give one word of weight
 * 8 at once, and a word without a partner waits. What is done depends on the number of words only,
 * never on their bits. The transposed digits of the counts are the counts.
 *
 * References: H. S. Warren, Hacker's Delight, section 7-3, for the transposition; W. Mula, N. Kurz,
 * D. Lemire, Comput. J. 61, 111 (2018), for counting. */
#include "models/ising/bitsliced/ising_bitsliced_rows.h"

#include <string.h>

#include "base/compiler.h"
#include "models/ising/bitsliced/ising_bitsliced_walk.h"

typedef uint64_t word512[BITSLICED_LANES];

/* Transposes 64 x 64 bits in every lane: bit i of block[k] becomes what bit k of block[i] was. */
RSMI_INLINE void transpose(word512 block[64])
{
    uint64_t mask = 0xffffffffULL;
    for (int size = 32; size; size >>= 1, mask ^= mask << size)
        for (int k = 0; k < 64; k = ((k | size) + 1) & ~size)
            for (int lane = 0; lane < BITSLICED_LANES; lane++) {
                uint64_t *low = &block[k][lane], *high = &block[k + size][lane];
                const uint64_t exchanged = (*low >> size ^ *high) & mask;
                *high ^= exchanged;
                *low ^= exchanged << size;
            }
}

/* ---- Rows of packed bits ---- */

typedef struct {
    bitsliced_shape shape;
    int64_t sites, height, width, row_bytes;
    uint64_t *sublattice[2]; /* word 0 of layer 0 */
} lattice;

static lattice lattice_of(const bitsliced_chain *chain, const uint64_t *spins)
{
    const bitsliced_shape shape = bitsliced_shape_of(chain);
    const int64_t sites = ising_sites(&chain->ising);
    lattice x = {.shape = shape,
                 .sites = sites,
                 .height = chain->ising.height,
                 .width = chain->ising.width,
                 .row_bytes = (sites + 7) / 8};
    for (int s = 0; s < 2; s++)
        x.sublattice[s] = bitsliced_layer_0(shape, s, (uint64_t *)spins);
    return x;
}

/* Visits the words of the sites of replicas in row-major order, beginning from {0}. */
typedef struct {
    int64_t row, column;
    uint64_t *words[2]; /* the words of the even sites of the row, and those of its odd sites */
} cursor;

RSMI_INLINE uint64_t *next_word(const lattice *x, cursor *at)
{
    if (at->column == 0) {
        const int64_t parity = (at->row / x->height + at->row % x->height) & 1;
        for (int s = 0; s < 2; s++)
            at->words[s] = x->sublattice[parity ^ s] + BITSLICED_LANES * at->row * x->shape.columns;
    }
    uint64_t *word = at->words[at->column & 1] + BITSLICED_LANES * (at->column >> 1);
    if (++at->column == x->width)
        at->column = 0, at->row++;
    return word;
}

/* Copies eight bytes, or fewer at the end of a row: a copy of known length is one instruction. */
RSMI_INLINE void copy_bytes(void *to, const void *from, int64_t sites)
{
    if (sites == 64)
        memcpy(to, from, 8);
    else
        memcpy(to, from, (size_t)(sites + 7) / 8);
}

RSMI_CLONES static void pack_replicas(const lattice *x, uint8_t *packed)
{
    cursor at = {0};
    for (int64_t first = 0; first < x->sites; first += 64) {
        const int64_t n = x->sites - first < 64 ? x->sites - first : 64;
        word512 block[64] = {{0}};
        for (int64_t i = 0; i < n; i++)
            memcpy(block[i], next_word(x, &at), sizeof block[i]);
        transpose(block);
        for (int64_t replica = 0; replica < BITSLICED_BITS; replica++)
            copy_bytes(packed + replica * x->row_bytes + first / 8,
                       &block[replica % 64][replica / 64], n);
    }
}

RSMI_CLONES static void unpack_replicas(const lattice *x, const uint8_t *packed)
{
    cursor at = {0};
    for (int64_t first = 0; first < x->sites; first += 64) {
        const int64_t n = x->sites - first < 64 ? x->sites - first : 64;
        word512 block[64] = {{0}};
        for (int64_t replica = 0; replica < BITSLICED_BITS; replica++)
            copy_bytes(&block[replica % 64][replica / 64],
                       packed + replica * x->row_bytes + first / 8, n);
        transpose(block);
        for (int64_t i = 0; i < n; i++)
            memcpy(next_word(x, &at), block[i], sizeof block[i]);
    }
}

/* Moves bit k of 32 to bit 2 k of 64; gather() moves it back. */
static inline uint64_t spread(uint64_t bits)
{
    bits = (bits | bits << 16) & 0x0000ffff0000ffffULL;
    bits = (bits | bits << 8) & 0x00ff00ff00ff00ffULL;
    bits = (bits | bits << 4) & 0x0f0f0f0f0f0f0f0fULL;
    bits = (bits | bits << 2) & 0x3333333333333333ULL;
    return (bits | bits << 1) & 0x5555555555555555ULL;
}

static inline uint64_t gather(uint64_t bits)
{
    bits &= 0x5555555555555555ULL;
    bits = (bits | bits >> 1) & 0x3333333333333333ULL;
    bits = (bits | bits >> 2) & 0x0f0f0f0f0f0f0f0fULL;
    bits = (bits | bits >> 4) & 0x00ff00ff00ff00ffULL;
    bits = (bits | bits >> 8) & 0x0000ffff0000ffffULL;
    return (bits | bits >> 16) & 0xffffffffULL;
}

/* The 64-bit words of one row of a strip: first of the sublattice that has its even sites, then of
 * the other one. */
static void row_of(const lattice *x, int64_t row, uint64_t *words[2])
{
    const int64_t layer = row / x->shape.rows, lane = layer / x->shape.layers;
    const int64_t at = row - lane * x->shape.layers * x->shape.rows,
                  parity = (layer + row % x->shape.rows) & 1;
    for (int s = 0; s < 2; s++)
        words[s] = x->sublattice[parity ^ s] + BITSLICED_LANES * at * x->shape.columns + lane;
}

RSMI_CLONES static void pack_strip(const lattice *x, uint8_t *packed)
{
    for (int64_t row = 0; row < x->sites / x->width; row++) {
        uint64_t *words[2];
        row_of(x, row, words);
        for (int64_t i = 0; i < x->shape.columns; i++, packed += 16) {
            const uint64_t even = words[0][8 * i], odd = words[1][8 * i];
            const uint64_t both[2] = {spread(even & 0xffffffff) | spread(odd & 0xffffffff) << 1,
                                      spread(even >> 32) | spread(odd >> 32) << 1};
            memcpy(packed, both, sizeof both);
        }
    }
}

RSMI_CLONES static void unpack_strip(const lattice *x, const uint8_t *packed)
{
    for (int64_t row = 0; row < x->sites / x->width; row++) {
        uint64_t *words[2];
        row_of(x, row, words);
        for (int64_t i = 0; i < x->shape.columns; i++, packed += 16) {
            uint64_t both[2];
            memcpy(both, packed, sizeof both);
            words[0][8 * i] = gather(both[0]) | gather(both[1]) << 32;
            words[1][8 * i] = gather(both[0] >> 1) | gather(both[1] >> 1) << 32;
        }
    }
}

void bitsliced_pack(const bitsliced_chain *chain, const uint64_t *spins, uint8_t *packed)
{
    const lattice x = lattice_of(chain, spins);
    if (chain->layout == BITSLICED_STRIP)
        pack_strip(&x, packed);
    else
        pack_replicas(&x, packed);
}

void bitsliced_unpack(const bitsliced_chain *chain, const uint8_t *packed, uint64_t *spins)
{
    const lattice x = lattice_of(chain, spins);
    if (chain->layout == BITSLICED_STRIP)
        unpack_strip(&x, packed);
    else
        unpack_replicas(&x, packed);
    for (int s = 0; s < 2; s++)
        bitsliced_renew_halo(chain, s, spins);
}

/* ---- Counting ---- */

enum { LEVELS = 40 };

typedef struct {
    uint64_t words;  /* number of words so far */
    word512 next[8]; /* words % 8 of them are not added yet */
    word512 digit[64];
    word512 waiting[LEVELS]; /* a word waits at level 3 + i if bit i of words / 8 is set */
} counter;

/* Adds a and b to the digit and leaves the carry in b. */
RSMI_INLINE void full_add(word512 digit, const word512 a, word512 b)
{
    for (int lane = 0; lane < BITSLICED_LANES; lane++) {
        const uint64_t differ = digit[lane] ^ a[lane],
                       carry = (digit[lane] & a[lane]) | (differ & b[lane]);
        digit[lane] = differ ^ b[lane];
        b[lane] = carry;
    }
}

RSMI_INLINE void add_eight(counter *c)
{
    word512 *next = c->next;
    for (int i = 0; i < 8; i += 2)
        full_add(c->digit[0], next[i], next[i + 1]);
    for (int i = 1; i < 8; i += 4)
        full_add(c->digit[1], next[i], next[i + 2]);
    full_add(c->digit[2], next[3], next[7]);
    int level = 3;
    for (uint64_t n = (c->words - 1) / 8; n & 1; n >>= 1, level++)
        full_add(c->digit[level], c->waiting[level], next[7]);
    memcpy(c->waiting[level], next[7], sizeof next[7]);
}

RSMI_INLINE void count(counter *c, const word512 word)
{
    memcpy(c->next[c->words++ % 8], word, sizeof(word512));
    if (c->words % 8 == 0)
        add_eight(c);
}

/* The number of ones in bit k % 64 of lane k / 64. The counter cannot be used afterwards. */
RSMI_INLINE void totals(counter *c, int64_t number[BITSLICED_BITS])
{
    static const word512 zeros = {0};
    word512 carry = {0};
    while (c->words % 8)
        count(c, zeros);
    for (int level = 3; level < LEVELS; level++)
        full_add(c->digit[level], c->words >> level & 1 ? c->waiting[level] : zeros, carry);
    transpose(c->digit);
    for (int64_t k = 0; k < BITSLICED_BITS; k++)
        number[k] = (int64_t)c->digit[k % 64][k / 64];
}

/* Counts the bonds of one word to unlike spins. */
RSMI_INLINE void count_unlike(counter *c, const bitsliced_job *job, int starts_odd,
                              const bitsliced_word *word)
{
    const int64_t row = 8 * job->shape.columns, layer = row * job->shape.rows;
    const uint64_t *near[6] = {word->same,       word->beside,       word->same - row,
                               word->same + row, word->same - layer, word->same + layer};
    if (job->dimension > 2)
        near[2] = word->above, near[3] = word->below;
    for (int i = 0; i < 2 * job->dimension; i++) {
        word512 unlike;
        for (int lane = 0; lane < BITSLICED_LANES; lane++) {
            uint64_t neighbour = near[i][lane];
            if (job->strip && i == 1)
                neighbour = starts_odd ? near[0][lane] >> 1 | neighbour << 63
                                       : near[0][lane] << 1 | neighbour >> 63;
            unlike[lane] = word->own[lane] ^ neighbour;
        }
        count(c, unlike);
    }
}

RSMI_CLONES static void count_unlike_bonds(const bitsliced_job *job, int64_t number[BITSLICED_BITS])
{
    counter c = {.words = 0};
    bitsliced_walk walk = bitsliced_walk_from(job, 0);
    for (int64_t pair = 0; pair < bitsliced_pairs(job->shape); pair++) {
        bitsliced_word words[2];
        const int n = bitsliced_next(&walk, job->dimension, words);
        for (int k = 0; k < n; k++)
            count_unlike(&c, job, k, words + k);
    }
    totals(&c, number);
}

RSMI_CLONES static void count_up(const lattice *x, int64_t number[BITSLICED_BITS])
{
    counter c = {.words = 0};
    const int64_t words = x->shape.layers * x->shape.rows * x->shape.columns;
    for (int s = 0; s < 2; s++)
        for (int64_t i = 0; i < words; i++)
            count(&c, x->sublattice[s] + BITSLICED_LANES * i);
    totals(&c, number);
}

void bitsliced_measure(const bitsliced_chain *chain, const uint64_t *spins, int64_t *energy,
                       int64_t *magnetization)
{
    const lattice x = lattice_of(chain, spins);
    const bitsliced_job job = {.shape = x.shape,
                               .dimension = ising_dimension(&chain->ising),
                               .strip = chain->layout == BITSLICED_STRIP,
                               .own = x.sublattice[0],
                               .other = x.sublattice[1]};
    const int64_t bonds = job.dimension * x.sites, parts = job.strip ? BITSLICED_BITS : 1;
    int64_t unlike[BITSLICED_BITS], up[BITSLICED_BITS];
    count_unlike_bonds(&job, unlike);
    count_up(&x, up);
    for (int64_t i = 0; i < BITSLICED_BITS / parts; i++)
        energy[i] = -bonds, magnetization[i] = -x.sites;
    for (int64_t k = 0; k < BITSLICED_BITS; k++)
        energy[k / parts] += 2 * unlike[k], magnetization[k / parts] += 2 * up[k];
}
