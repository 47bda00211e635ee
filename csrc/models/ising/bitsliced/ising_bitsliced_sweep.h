/* Private to models/ising: the bit-sliced update of one block of one sublattice. This file is the
 * source of all instruction sets.
 *
 * Logic. The neighbours of 512 spins are up to six words. Adders that are made of ANDs and XORs
 * give the sign and the magnitude of the sums of neighbours. The magnitude is the class of a spin.
 * What remains is a random bit for each spin that is 1 with the probability p of its class.
 *
 * Digits. Write p as 64 binary digits, toss a fair coin until the first tail, and let T be the
 * number of heads before it. Digit T of p (the first digit has number 0) is 1 with probability sum
 * over t of 2^-(t+1) p_t = p. This is exact and needs two tosses on average. Each spin has a bit in
 * `open` as long as its coin shows heads, and every draw of 512 random bits tosses the coins of all
 * spins at once. Nobody has to look at T: with c = p ^ (p >> 1) the operation r ^= open & c_j
 * before each toss j telescopes to r = p_T where the coin stops. Spins whose neighbours cancel take
 * the first toss as their new value.
 *
 * Draws. Their number never depends on the data. A batch is 8 words. Each word has PRIVATE_DRAWS
 * draws of its own; words k and k + 4 take them from stream k, in this order. After these draws one
 * spin in 2^PRIVATE_DRAWS is open. The words of the batch are then laid over each other and share
 * TOTAL_DRAWS - PRIVATE_DRAWS further draws, draw j from stream j mod 4. Where two open spins fall
 * on the same bit (a clash), and where the coin still shows heads after all draws, the rest of the
 * random number is a hash of (key, number of the word, bit), which is exact to 2^-64. No two spins
 * ever use the same random bit. A batch that is not full is filled with words of zeros that have
 * the neighbours of its first pair.
 *
 * Instruction sets. A word is 8 lanes of 64 bits that never mix. The same functions handle 1, 2, 4
 * or 8 lanes at once (VECTOR_LANES), one slice of the batch after the other, and give the same
 * bits. With vectors two words take turns (WORDS_AT_ONCE), which hides the latency of the
 * generator; more words do not fit into the registers.
 *
 * The including file defines VECTOR_LANES, WORDS_AT_ONCE, PRIVATE_DRAWS, TOTAL_DRAWS and UPDATE
 * (the name of the function). It defines TERNARY if one instruction computes any function of three
 * words, and ANY if one instruction finds out whether a word has a bit.
 *
 * References: M. Creutz, L. Jacobs, C. Rebbi, Phys. Rev. Lett. 42, 1390 (1979), for multi-spin
 * coding; D. Blackman, S. Vigna, ACM Trans. Math. Softw. 47, 36 (2021), for xoshiro256++. */
#include "base/compiler.h"
#include "base/vectors.h"
#include "models/ising/bitsliced/ising_bitsliced_walk.h"

enum { BATCH = 8, SLICES = BITSLICED_LANES / VECTOR_LANES };

/* ---- Digits of the acceptance probability ---- */

/* Applies digit j of the acceptance probability to all open spins. `second` and `third` mark the
 * spins of those classes, for which the table stores only the XOR with the first class. The
 * branches depend on the coupling alone and are the same for the whole run, so that they cost
 * nothing. */
RSMI_INLINE vector apply_digit(const bitsliced_job *job, int dimension, int j, vector value,
                               vector open, vector second, vector third)
{
    if (dimension == 2 && job->digits[0][j] && job->digits[1][j])
        return xor_and_not(value, open, second);
    if (job->digits[0][j])
        value ^= open;
    if (dimension > 1 && job->digits[1][j])
        value = xor_and(value, open, second);
    if (dimension > 2 && job->digits[2][j])
        value = xor_and(value, open, third);
    return value;
}

/* Applies digit j to bit positions that open spins of several classes share: r[0] collects the
 * digit of the first class, r[i] its XOR with the digit of class i. */
RSMI_INLINE void apply_shared_digit(const bitsliced_job *job, int dimension, int j, vector open,
                                    vector r[3])
{
    UNROLL for (int i = 0; i < dimension; i++) if (job->digits[i][j]) r[i] ^= open;
}

/* ---- Spins ---- */

/* The sums of neighbours: whether they are positive, zero, of magnitude 4, of magnitude 6. Where
 * the sum is zero, `positive` has a value that depends on nothing else. */
typedef struct {
    vector positive, zero, second, third;
} sums;

RSMI_INLINE sums add_neighbours(int dimension, const vector n[6])
{
    const vector none = all(0);
    if (dimension == 1)
        return (sums){n[0] & n[1], n[0] ^ n[1], none, none};
    const vector one = xor3(n[0], n[1], n[2]), two = majority(n[0], n[1], n[2]);
    if (dimension == 2) {
        const vector odd = one ^ n[3], carry = one & n[3];
        return (sums){two & (one | n[3]), (two ^ carry) & ~odd, ~odd, none};
    }
    const vector more = xor3(n[3], n[4], n[5]), twice = majority(n[3], n[4], n[5]),
                 carry = one & more;
    const vector odd = one ^ more, pair = xor3(two, twice, carry),
                 four = majority(two, twice, carry);
    return (sums){four, odd & pair, odd, ~(odd | (pair ^ four))};
}

RSMI_INLINE sums look_around(const bitsliced_job *job, int dimension, int starts_odd,
                             const bitsliced_word *word, int lane)
{
    const int64_t row = 8 * job->shape.columns, layer = row * job->shape.rows;
    const uint64_t *same = word->same + lane;
    vector n[6] = {load(same), load(word->beside + lane)};
    if (job->strip)
        n[1] = starts_odd ? n[0] >> 1 | n[1] << 63 : n[0] << 1 | n[1] >> 63;
    if (dimension == 2)
        n[2] = load(same - row), n[3] = load(same + row);
    if (dimension == 3)
        n[2] = load(word->above + lane), n[3] = load(word->below + lane), n[4] = load(same - layer),
        n[5] = load(same + layer);
    return add_neighbours(dimension, n);
}

RSMI_INLINE vector of_class(int dimension, vector second, vector third, const vector r[3])
{
    vector result = r[0];
    if (dimension > 1)
        result = xor_and(result, second, r[1]);
    if (dimension > 2)
        result = xor_and(result, third, r[2]);
    return result;
}

/* What happens to 512 spins: their new value; where the first toss is added to it; which spins are
 * open. */
typedef struct {
    vector value, coin, open;
} attempt;

RSMI_INLINE attempt attempt_flips(const bitsliced_job *job, int metropolis, const uint64_t *own,
                                  const sums *sum)
{
    const vector preferred = sum->positive ^ all(job->opposite);
    if (!metropolis)
        return (attempt){preferred, sum->zero, ~sum->zero};
    const vector spin = load(own);
    return (attempt){choose(sum->zero, ~spin, preferred), sum->zero & all(job->lazy),
                     ~(sum->zero | (spin ^ preferred))};
}

/* One slice of a batch: values, open spins and classes after the private draws, and the bits that
 * the shared draws did not finish. */
typedef struct {
    vector value[BATCH], open[BATCH], second[BATCH], third[BATCH], clash, heads;
} slice;

typedef struct {
    bitsliced_word words[BATCH];
    slice slices[SLICES];
    uint64_t number; /* number of the first word of the batch */
    uint64_t zeros[BATCH][BITSLICED_LANES];
} batch;

/* Updates the words first .. first + WORDS_AT_ONCE - 1 of the batch by their private draws. */
RSMI_INLINE void update_words(const bitsliced_job *job, int dimension, int metropolis,
                              const bitsliced_word *words, int first, int lane, slice *left)
{
    attempt now[WORDS_AT_ONCE];
    stream g[WORDS_AT_ONCE];
    UNROLL for (int k = 0; k < WORDS_AT_ONCE; k++)
    {
        const bitsliced_word *word = words + first + k;
        const sums sum = look_around(job, dimension, (first + k) & 1, word, lane);
        now[k] = attempt_flips(job, metropolis, word->own + lane, &sum);
        left->second[first + k] = sum.second;
        if (dimension > 2)
            left->third[first + k] = sum.third;
        g[k] = load_stream(job->generator, (first + k) % BITSLICED_STREAMS, lane);
    }
    UNROLL for (int j = 0; j < PRIVATE_DRAWS; j++) UNROLL for (int k = 0; k < WORDS_AT_ONCE; k++)
    {
        now[k].value = apply_digit(job, dimension, j, now[k].value, now[k].open,
                                   left->second[first + k], left->third[first + k]);
        const vector heads = draw(g + k);
        if (j == 0)
            now[k].value ^= now[k].coin & heads;
        now[k].open &= heads;
    }
    UNROLL for (int k = 0; k < WORDS_AT_ONCE; k++)
    {
        left->open[first + k] = now[k].open;
        left->value[first + k] = now[k].value;
        store_stream(job->generator, (first + k) % BITSLICED_STREAMS, lane, g + k);
    }
}

/* Makes the draws that the words of a batch share. */
RSMI_INLINE void update_shared(const bitsliced_job *job, int dimension, const bitsliced_word *words,
                               int lane, slice *left)
{
    vector heads = left->open[0], clash = all(0), r[3] = {all(0), all(0), all(0)};
    stream g[BITSLICED_STREAMS];
    UNROLL for (int k = 1; k < BATCH; k++)
    {
        clash |= heads & left->open[k];
        heads |= left->open[k];
    }
    heads &= ~clash;
    UNROLL for (int k = 0; k < BITSLICED_STREAMS; k++) g[k] = load_stream(job->generator, k, lane);
    UNROLL for (int j = PRIVATE_DRAWS; j < TOTAL_DRAWS; j++)
    {
        apply_shared_digit(job, dimension, j, heads, r);
        heads &= draw(g + j % BITSLICED_STREAMS);
    }
    UNROLL for (int k = 0; k < BATCH; k++) store(
        words[k].own + lane,
        left->value[k] ^ (left->open[k] & of_class(dimension, left->second[k], left->third[k], r)));
    UNROLL for (int k = 0; k < BITSLICED_STREAMS; k++) store_stream(job->generator, k, lane, g + k);
    left->clash = clash, left->heads = heads;
}

/* Finishes a spin that is still open. The spins of `clash` stopped after the private draws, those
 * of `heads` after all draws. After J draws the value has digit J - 1 of p, and the digits from J
 * on are the probability of what remains. */
static void finish_spin(const bitsliced_job *job, const batch *b, const slice *left, int k,
                        int lane, int l, int bit, int draws)
{
    const uint64_t *key = job->generator + 16 * BITSLICED_LANES;
    const int second = lane_of(left->second + k, l) >> bit & 1,
              third = job->dimension > 2 && lane_of(left->third + k, l) >> bit & 1;
    const uint64_t p = job->probability[second ? 1 : 2 * third];
    const uint64_t rest =
        keyed_bits(key, b->number + (uint64_t)k, (uint64_t)(64 * (lane + l) + bit)) < p << draws;
    b->words[k].own[lane + l] ^= (rest ^ (p >> (64 - draws) & 1)) << bit;
}

static __attribute__((noinline)) void finish_slice(const bitsliced_job *job, const batch *b,
                                                   const slice *left, int lane)
{
    for (int l = 0; l < VECTOR_LANES; l++)
        for (uint64_t todo = lane_of(&left->clash, l) | lane_of(&left->heads, l); todo;
             todo &= todo - 1) {
            const int bit = __builtin_ctzll(todo),
                      draws = lane_of(&left->clash, l) >> bit & 1 ? PRIVATE_DRAWS : TOTAL_DRAWS;
            unsigned words = 0;
            for (int k = 0; k < BATCH; k++)
                words |= (unsigned)(lane_of(left->open + k, l) >> bit & 1) << k;
            for (; words; words &= words - 1)
                finish_spin(job, b, left, __builtin_ctz(words), lane, l, bit, draws);
        }
}

RSMI_INLINE void finish(const bitsliced_job *job, const batch *b)
{
    for (int i = 0; i < SLICES; i++)
        if (any(b->slices[i].clash | b->slices[i].heads))
            finish_slice(job, b, b->slices + i, i * VECTOR_LANES);
}

/* ---- Half a sweep of a block ---- */

RSMI_INLINE void fill(bitsliced_walk *walk, int dimension, int64_t pairs, batch *b)
{
    int n = 0;
    for (int i = 0; i < pairs && i < BATCH / 2; i++)
        n += bitsliced_next(walk, dimension, b->words + n);
    for (; n < BATCH; n++) {
        b->words[n] = b->words[n > 1 ? n % 2 : 0];
        b->words[n].own = memset(b->zeros[n], 0, sizeof b->zeros[n]);
    }
}

/* Updates all words of the job. A batch is finished after the next one is made: a branch that has
 * to wait for the last draw costs more than all the exceptions. */
RSMI_INLINE void update(const bitsliced_job *job, int dimension, int metropolis)
{
    bitsliced_walk walk = bitsliced_walk_from(job, job->first);
    uint64_t *number = job->generator + 16 * BITSLICED_LANES + 2;
    batch batches[2], *now = batches, *before = NULL;
    for (int64_t pair = job->first; pair < job->last; pair += BATCH / 2) {
        fill(&walk, dimension, job->last - pair, now);
        now->number = *number;
        *number += BATCH;
        for (int i = 0; i < SLICES; i++) {
            UNROLL for (int first = 0; first < BATCH; first += WORDS_AT_ONCE) update_words(
                job, dimension, metropolis, now->words, first, i * VECTOR_LANES, now->slices + i);
            update_shared(job, dimension, now->words, i * VECTOR_LANES, now->slices + i);
        }
        if (before)
            finish(job, before);
        before = now;
        now = now == batches ? batches + 1 : batches;
    }
    if (before)
        finish(job, before);
}

#define CASE(dimension, metropolis)                                                                \
    case 2 * dimension + metropolis:                                                               \
        update(job, dimension, metropolis);                                                        \
        break

void UPDATE(const bitsliced_job *job)
{
    switch (2 * job->dimension + job->metropolis) {
        CASE(1, 0);
        CASE(1, 1);
        CASE(2, 0);
        CASE(2, 1);
        CASE(3, 0);
        CASE(3, 1);
    }
}
