/* Bit-sliced update of one block of one sublattice: the source of all instruction sets.
 *
 * Logic. The neighbours of 512 spins are up to six words; adders made of ANDs and XORs give the
 * sign and the magnitude of their sums. What remains is a random bit for each spin, 1 with the
 * probability that belongs to its magnitude (class).
 *
 * Ladder. Let p be a probability written as 64 binary digits and T the number of heads before the
 * first tail of a fair coin. Digit T of p (the first is number 0) is then 1 with probability sum
 * over t of 2^-(t+1) p_t = p: exact, with two tosses on average. Each spin has a bit in `open`
 * while its coin shows heads; every draw of 512 random bits tosses all coins at once. Digit T for
 * every class comes without looking at T: r ^= open & c_j before each toss, with c = p ^ (p >> 1),
 * telescopes to p_T where the coin stops. Spins whose neighbours cancel take the first toss for
 * their new value.
 *
 * Draws. How many there are never depends on the data. A batch is 8 words. Each of them has
 * PRIVATE_DRAWS draws of its own, words k and k + 4 from stream k, in this order. After those one
 * spin in 2^PRIVATE_DRAWS is open; the words of the batch are laid over each other and draw
 * TOTAL_DRAWS - PRIVATE_DRAWS times more together, draw j from stream j mod 4. Where two open spins
 * fall on the same bit, and where the coin still shows heads, the rest of the number comes from a
 * hash of (key, number of the word, bit), exact to 2^-64. Every spin has random bits that no other
 * spin uses. A batch that is not full is filled with words of zeros that have the neighbours of its
 * first pair.
 *
 * Instruction sets. A word is 8 lanes of 64 bits that never mix: the same function handles 1, 2, 4
 * or 8 of them (VECTOR_LANES), one slice of the batch after the other, and the bits are the same.
 * With vectors two words take turns (WORDS_AT_ONCE), which hides the latency of the generator; more
 * do not fit the registers.
 *
 * The including file defines VECTOR_LANES, WORDS_AT_ONCE, PRIVATE_DRAWS, TOTAL_DRAWS and UPDATE,
 * the name of the function; TERNARY where one instruction makes any function of three words, and
 * ANY where one finds a bit in a word.
 *
 * References: M. Creutz, L. Jacobs, C. Rebbi, Phys. Rev. Lett. 42, 1390 (1979) (multi-spin coding);
 * xoshiro256++: Blackman, Vigna, ACM Trans. Math. Softw. 47, 36 (2021). */
#include "models/ising/bitsliced/ising_bitsliced_walk.h"

enum { BATCH = 8, SLICES = BITSLICED_LANES / VECTOR_LANES };

#if VECTOR_LANES == 1
typedef uint64_t vector, vector_in_memory;
#else
typedef uint64_t vector __attribute__((vector_size(8 * VECTOR_LANES)));
typedef uint64_t vector_in_memory __attribute__((vector_size(8 * VECTOR_LANES), aligned(8)));
#endif

#define INLINE BITSLICED_INLINE
#define UNROLL _Pragma("GCC unroll 64")

INLINE vector load(const uint64_t *from)
{
    return *(const vector_in_memory *)from;
}
INLINE void store(uint64_t *to, vector value)
{
    *(vector_in_memory *)to = value;
}
INLINE vector all(uint64_t word)
{
    return (vector){0} + word;
}

#ifdef TERNARY
INLINE vector xor3(vector a, vector b, vector c)
{
    return TERNARY(a, b, c, 0x96);
}
INLINE vector majority(vector a, vector b, vector c)
{
    return TERNARY(a, b, c, 0xe8);
}
INLINE vector choose(vector condition, vector yes, vector no)
{
    return TERNARY(condition, yes, no, 0xca);
}
INLINE vector xor_and(vector a, vector b, vector c)
{
    return TERNARY(a, b, c, 0x78);
}
INLINE vector xor_and_not(vector a, vector b, vector c)
{
    return TERNARY(a, b, c, 0xb4);
}
#else
INLINE vector xor3(vector a, vector b, vector c)
{
    return a ^ b ^ c;
}
INLINE vector majority(vector a, vector b, vector c)
{
    return (a & b) | ((a ^ b) & c);
}
INLINE vector choose(vector condition, vector yes, vector no)
{
    return (condition & yes) | (~condition & no);
}
INLINE vector xor_and(vector a, vector b, vector c)
{
    return a ^ (b & c);
}
INLINE vector xor_and_not(vector a, vector b, vector c)
{
    return a ^ (b & ~c);
}
#endif

INLINE uint64_t lane_of(const vector *value, int lane)
{
    return ((const uint64_t *)value)[lane];
}

#ifdef ANY
INLINE int any(vector value)
{
    return ANY(value);
}
#else
INLINE int any(vector value)
{
    uint64_t word[VECTOR_LANES], sum = 0;
    store(word, value);
    UNROLL for (int l = 0; l < VECTOR_LANES; l++) sum |= word[l];
    return sum != 0;
}
#endif

/* --- Random words
 * -------------------------------------------------------------------------------------------------
 */

typedef struct {
    vector s[4];
} stream;

INLINE vector rotate(vector x, int k)
{
    return x << k | x >> (64 - k);
}

INLINE vector draw(stream *g)
{
    const vector result = rotate(g->s[0] + g->s[3], 23) + g->s[0], shifted = g->s[1] << 17;
    const vector last = g->s[3] ^ g->s[1];
    g->s[1] = xor3(g->s[1], g->s[2], g->s[0]);
    g->s[2] = xor3(g->s[2], g->s[0], shifted);
    g->s[0] ^= last;
    g->s[3] = rotate(last, 45);
    return result;
}

/* One slice of stream k of the generator, and back. */
INLINE stream load_stream(const bitsliced_job *job, int k, int lane)
{
    const uint64_t *from = job->generator + 4 * k * BITSLICED_LANES + lane;
    return (stream){{load(from), load(from + 8), load(from + 16), load(from + 24)}};
}

INLINE void store_stream(const bitsliced_job *job, int k, int lane, const stream *g)
{
    UNROLL for (int i = 0; i < 4; i++)
        store(job->generator + (4 * k + i) * BITSLICED_LANES + lane, g->s[i]);
}

/* --- Ladder
 * -------------------------------------------------------------------------------------------------
 */

/* Step j of the spins still open, each by its class: that of the first, and for the others what
 * differs from it. What is done is the same for the whole run, so that the branches cost nothing.
 */
INLINE vector climb(const bitsliced_job *job, int dimension, int j, vector value, vector open,
                    vector second, vector third)
{
    if (dimension == 2 && job->steps[0][j] && job->steps[1][j])
        return xor_and_not(value, open, second);
    if (job->steps[0][j])
        value ^= open;
    if (dimension > 1 && job->steps[1][j])
        value = xor_and(value, open, second);
    if (dimension > 2 && job->steps[2][j])
        value = xor_and(value, open, third);
    return value;
}

/* The same of places that spins of several classes share: r[0] for the first class, r[i] for what
 * differs from it. */
INLINE void climb_together(const bitsliced_job *job, int dimension, int j, vector open, vector r[3])
{
    UNROLL for (int i = 0; i < dimension; i++) if (job->steps[i][j]) r[i] ^= open;
}

/* --- Spins
 * -------------------------------------------------------------------------------------------------
 */

/* Sums of neighbours: positive, zero, of magnitude 4, of magnitude 6. Where the sum is zero,
 * `positive` has one and the same value. */
typedef struct {
    vector positive, zero, second, third;
} sums;

INLINE sums add_neighbours(int dimension, const vector n[6])
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

INLINE sums look_around(const bitsliced_job *job, int dimension, int starts_odd,
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

INLINE vector of_class(int dimension, vector second, vector third, const vector r[3])
{
    vector result = r[0];
    if (dimension > 1)
        result = xor_and(result, second, r[1]);
    if (dimension > 2)
        result = xor_and(result, third, r[2]);
    return result;
}

/* What is to become of 512 spins: the new value; where the first toss is added to it; where the
 * ladder is. */
typedef struct {
    vector value, coin, open;
} attempt;

INLINE attempt attempt_flips(const bitsliced_job *job, int metropolis, const uint64_t *own,
                             const sums *sum)
{
    const vector preferred = sum->positive ^ all(job->opposite);
    if (!metropolis)
        return (attempt){preferred, sum->zero, ~sum->zero};
    const vector spin = load(own);
    return (attempt){choose(sum->zero, ~spin, preferred), sum->zero & all(job->hesitates),
                     ~(sum->zero | (spin ^ preferred))};
}

/* One slice of a batch: values and spins still open after the private draws, the classes, and what
 * the shared draws left. */
typedef struct {
    vector value[BATCH], open[BATCH], second[BATCH], third[BATCH], clash, heads;
} slice;

typedef struct {
    bitsliced_word words[BATCH];
    slice slices[SLICES];
    uint64_t number; /* of the first word */
    uint64_t zeros[BATCH][BITSLICED_LANES];
} batch;

/* Words first .. first + WORDS_AT_ONCE - 1 of the batch with their private draws. */
INLINE void update_words(const bitsliced_job *job, int dimension, int metropolis,
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
        g[k] = load_stream(job, (first + k) % BITSLICED_STREAMS, lane);
    }
    UNROLL for (int j = 0; j < PRIVATE_DRAWS; j++) UNROLL for (int k = 0; k < WORDS_AT_ONCE; k++)
    {
        now[k].value = climb(job, dimension, j, now[k].value, now[k].open, left->second[first + k],
                             left->third[first + k]);
        const vector heads = draw(g + k);
        if (j == 0)
            now[k].value ^= now[k].coin & heads;
        now[k].open &= heads;
    }
    UNROLL for (int k = 0; k < WORDS_AT_ONCE; k++)
    {
        left->open[first + k] = now[k].open;
        left->value[first + k] = now[k].value;
        store_stream(job, (first + k) % BITSLICED_STREAMS, lane, g + k);
    }
}

/* The draws that the words of a batch share. */
INLINE void update_together(const bitsliced_job *job, int dimension, const bitsliced_word *words,
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
    UNROLL for (int k = 0; k < BITSLICED_STREAMS; k++) g[k] = load_stream(job, k, lane);
    UNROLL for (int j = PRIVATE_DRAWS; j < TOTAL_DRAWS; j++)
    {
        climb_together(job, dimension, j, heads, r);
        heads &= draw(g + j % BITSLICED_STREAMS);
    }
    UNROLL for (int k = 0; k < BATCH; k++) store(
        words[k].own + lane,
        left->value[k] ^ (left->open[k] & of_class(dimension, left->second[k], left->third[k], r)));
    UNROLL for (int k = 0; k < BITSLICED_STREAMS; k++) store_stream(job, k, lane, g + k);
    left->clash = clash, left->heads = heads;
}

/* Spins whose ladder is not at its end: those of `clash` stopped after the private draws, those of
 * `heads` after all. The value of each has digit J - 1 of p so far, after J draws; the digits from
 * J on are a probability for the rest. */
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

INLINE void finish(const bitsliced_job *job, const batch *b)
{
    for (int i = 0; i < SLICES; i++)
        if (any(b->slices[i].clash | b->slices[i].heads))
            finish_slice(job, b, b->slices + i, i * VECTOR_LANES);
}

/* --- Half a sweep of a block
 * --------------------------------------------------------------------------------------- */

INLINE void fill(bitsliced_walk *walk, int dimension, int64_t pairs, batch *b)
{
    int n = 0;
    for (int i = 0; i < pairs && i < BATCH / 2; i++)
        n += bitsliced_next(walk, dimension, b->words + n);
    for (; n < BATCH; n++) {
        b->words[n] = b->words[n > 1 ? n % 2 : 0];
        b->words[n].own = memset(b->zeros[n], 0, sizeof b->zeros[n]);
    }
}

/* A batch is finished after the next is made: a branch that must wait for the last draw costs more
 * than all exceptions. */
INLINE void update(const bitsliced_job *job, int dimension, int metropolis)
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
            update_together(job, dimension, now->words, i * VECTOR_LANES, now->slices + i);
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
