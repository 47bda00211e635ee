/* Private to models/lattice: one sweep of 512 replicas. This file is the source of all instruction
 * sets.
 *
 * Words. A word is a site, its 512 bits are the replicas. Bits never mix.
 *
 * Counts. Carry-save adders count how many neighbours of each group are up, in binary digits. The
 * counts of a replica are its class: they name an entry of the table.
 *
 * Probabilities. Write p as 64 binary digits, toss a fair coin until the first tail, and let T be
 * the number of heads before it. Digit T of p (the first digit has number 0) is 1 with probability
 * sum over t of 2^-(t+1) p_t = p. This is exact and needs two tosses on average. Each replica has a
 * bit in `open` as long as its coin shows heads, and every draw of 512 random bits tosses all
 * coins at once. Nobody has to look at T: with c = p ^ (p >> 1) the operation r ^= open & c_j
 * before each toss j telescopes to r = p_T where the coin stops.
 *
 * Polynomials. The c_j of each replica is that of its class. As a function of the binary digits of
 * the counts it is an XOR of products of these digits: one product for each number from 0 to the
 * size of the group, which has the digits of that number, and all products of those of different
 * groups. So there are as many coefficients as classes, and each is one bit, in memory all zeros or
 * all ones. They are computed from the table in advance (lattice_replicas.c), and Horner's rule
 * takes the first group innermost.
 *
 * Draws. Their number never depends on the data. A batch is 8 sites of one kind that are no
 * neighbours of each other (lattice_plan). Each has PRIVATE_DRAWS draws of its own; words k and k +
 * 4 take them from stream k, in this order. After these draws one replica in 2^PRIVATE_DRAWS is
 * open. The words of the batch are then laid over each other: they make one more word, whose counts
 * are those of whichever word is open, and which makes the further draws, up to TOTAL_DRAWS; draw j
 * is of stream j mod 4. Where two open replicas fall on the same bit (a clash), and where the coin
 * still shows heads after all draws, the rest of the random number is a hash of (key, number of the
 * word, bit), which is exact to 2^-64. No random bit is ever used twice. Empty places of a batch
 * are words that have the neighbours of its first word and are thrown away.
 *
 * Instruction sets. A word is 8 lanes of 64 bits. The same functions handle 1, 2, 4 or 8 lanes at
 * once (VECTOR_LANES), one slice of the batch after the other, and give the same bits. With vectors
 * two words take turns (WORDS_AT_ONCE), which hides the latency of the generator.
 *
 * Specialization. The functions are inlined into one loop for each frequent number and size of
 * groups, where the compiler unrolls them; GENERAL stands for every other kind.
 *
 * The including file defines VECTOR_LANES, WORDS_AT_ONCE, PRIVATE_DRAWS, TOTAL_DRAWS and UPDATE
 * (the name of the function), and TERNARY and ANY as base/vectors.h says.
 *
 * References: M. Creutz, L. Jacobs, C. Rebbi, Phys. Rev. Lett. 42, 1390 (1979), for multi-spin
 * coding; D. Blackman, S. Vigna, ACM Trans. Math. Softw. 47, 36 (2021), for xoshiro256++. */
#include "base/vectors.h"
#include "models/lattice/lattice_counts.h"
#include "models/lattice/lattice_update.h"

enum { BATCH = LATTICE_BATCH, SLICES = GENERATOR_LANES / VECTOR_LANES };

/* One word: where it is stored, and the numbers of its neighbours. */
typedef struct {
    uint64_t *own;
    const int32_t *near;
} word;

/* One slice of a batch: values, open replicas and counts after the private draws, and the bits that
 * the shared draws did not finish. */
typedef struct {
    vector value[BATCH], open[BATCH], count[BATCH][MOST_DIGITS], clash, heads;
} slice;

typedef struct {
    const lattice_kind *kind;
    const uint64_t *digits; /* of the first class of the kind */
    word words[BATCH];
    slice slices[SLICES];
    uint64_t number; /* of the first word */
    uint64_t unused[GENERATOR_LANES];
} batch;

/* ---- Draws ---- */

/* Selects digit j of c for each replica of a word by its counts. */
RSMI_INLINE vector select_digit(form f, const uint64_t *digits, const products *p, int j)
{
    const int first = first_products(f), others = other_products(f);
    vector selected = all(digits[j]);
    for (int v = 1; v < first; v++)
        selected = xor_and(selected, p->first[v], all(digits[LATTICE_DRAWS * v + j]));
    for (int o = 1; o < others; o++) {
        const uint64_t *from = digits + LATTICE_DRAWS * o * first + j;
        vector part = all(*from);
        for (int v = 1; v < first; v++)
            part = xor_and(part, p->first[v], all(from[LATTICE_DRAWS * v]));
        selected = xor_and(selected, p->others[o], part);
    }
    return selected;
}

/* Updates words first .. first + WORDS_AT_ONCE - 1 of the batch by their private draws. */
RSMI_INLINE void update_words(const lattice_job *job, form f, const batch *b, int first, int lane,
                              slice *left)
{
    products p[WORDS_AT_ONCE];
    vector value[WORDS_AT_ONCE], open[WORDS_AT_ONCE];
    stream g[WORDS_AT_ONCE];
    UNROLL for (int k = 0; k < WORDS_AT_ONCE; k++)
    {
        count_neighbours(f, job->spins + lane, b->words[first + k].near, left->count[first + k]);
        multiply_all(f, left->count[first + k], p + k);
        g[k] = load_stream(job->generator, (first + k) % GENERATOR_STREAMS, lane);
        value[k] = all(0), open[k] = all(~0ULL);
    }
    UNROLL for (int j = 0; j < PRIVATE_DRAWS; j++) UNROLL for (int k = 0; k < WORDS_AT_ONCE; k++)
    {
        value[k] = xor_and(value[k], open[k], select_digit(f, b->digits, p + k, j));
        open[k] &= draw(g + k);
    }
    UNROLL for (int k = 0; k < WORDS_AT_ONCE; k++)
    {
        left->value[first + k] = value[k], left->open[first + k] = open[k];
        store_stream(job->generator, (first + k) % GENERATOR_STREAMS, lane, g + k);
    }
}

/* Makes the draws that the words of a batch share, and stores the words. */
RSMI_INLINE void update_shared(const lattice_job *job, form f, const batch *b, int lane,
                               slice *left)
{
    vector heads = left->open[0], clash = all(0), value = all(0), count[MOST_DIGITS];
    products p;
    stream g[GENERATOR_STREAMS];
    const int digits = digits_of(f);
    for (int i = 0; i < digits; i++)
        count[i] = left->open[0] & left->count[0][i];
    UNROLL for (int k = 1; k < BATCH; k++)
    {
        clash |= heads & left->open[k];
        heads |= left->open[k];
        for (int i = 0; i < digits; i++)
            count[i] |= left->open[k] & left->count[k][i];
    }
    heads &= ~clash;
    UNROLL for (int k = 0; k < GENERATOR_STREAMS; k++) g[k] = load_stream(job->generator, k, lane);
    multiply_all(f, count, &p);
    UNROLL for (int j = PRIVATE_DRAWS; j < TOTAL_DRAWS; j++)
    {
        value = xor_and(value, heads, select_digit(f, b->digits, &p, j));
        heads &= draw(g + j % GENERATOR_STREAMS);
    }
    UNROLL for (int k = 0; k < BATCH; k++)
        store(b->words[k].own + lane, xor_and(left->value[k], left->open[k], value));
    UNROLL for (int k = 0; k < GENERATOR_STREAMS; k++) store_stream(job->generator, k, lane, g + k);
    left->clash = clash, left->heads = heads;
}

/* ---- Replicas that no draw has finished ---- */

/* The class of one replica of word k. */
static int64_t class_of(const batch *b, const slice *left, int k, int l, int bit)
{
    int64_t class = 0, stride = 1;
    const vector *digit = left->count[k];
    for (int64_t g = 0; g < b->kind->groups; g++) {
        const int size = g < b->kind->exclusive ? 1 : (int)b->kind->size[g];
        for (int i = 0; i < binary_digits(size); i++)
            class += stride * (int64_t)(lane_of(digit++, l) >> bit & 1) << i;
        stride *= size + 1;
    }
    return class;
}

/* The replicas of `clash` stopped after the private draws, those of `heads` after all draws. After
 * J draws the value has digit J - 1 of p, and the digits from J on are the probability of what
 * remains. */
static void finish_replica(const lattice_job *job, const batch *b, const slice *left, int k,
                           int lane, int l, int bit, int draws)
{
    const int64_t class = class_of(b, left, k, l, bit);
    const uint64_t p = job->system->probability[b->kind->first + class];
    const uint64_t rest = keyed_bits(job->generator + GENERATOR_KEY, b->number + (uint64_t)k,
                                     (uint64_t)(64 * (lane + l) + bit)) < p << draws;
    b->words[k].own[lane + l] ^= (rest ^ (p >> (64 - draws) & 1)) << bit;
}

static __attribute__((noinline)) void finish_slice(const lattice_job *job, const batch *b,
                                                   const slice *left, int lane)
{
    for (int l = 0; l < VECTOR_LANES; l++)
        for (uint64_t todo = lane_of(&left->clash, l) | lane_of(&left->heads, l); todo;
             todo &= todo - 1) {
            const int bit = __builtin_ctzll(todo),
                      draws = lane_of(&left->clash, l) >> bit & 1 ? PRIVATE_DRAWS : TOTAL_DRAWS;
            for (int k = 0; k < BATCH; k++)
                if (lane_of(left->open + k, l) >> bit & 1)
                    finish_replica(job, b, left, k, lane, l, bit, draws);
        }
}

/* ---- A sweep ---- */

RSMI_INLINE void find_words(const lattice_job *job, const int32_t sites[BATCH], batch *b)
{
    for (int k = 0; k < BATCH; k++) {
        const int64_t site = sites[k] < 0 ? sites[0] : sites[k];
        b->words[k].own = sites[k] < 0 ? b->unused : job->spins + GENERATOR_LANES * site;
        b->words[k].near = job->system->neighbour + job->system->start[site];
    }
    b->number = job->generator[GENERATOR_NUMBER];
    job->generator[GENERATOR_NUMBER] += BATCH;
}

/* Updates batches from one on, as long as they are of the same kind. Returns the next batch. */
RSMI_INLINE int64_t update_kind(const lattice_job *job, form f, int64_t at, batch *b)
{
    for (; at < job->batches; at++) {
        const int32_t *sites = job->order + BATCH * at;
        if (job->system->kind + job->system->kind_of[sites[0]] != b->kind)
            break;
        find_words(job, sites, b);
        for (int i = 0; i < SLICES; i++) {
            for (int first = 0; first < BATCH; first += WORDS_AT_ONCE)
                update_words(job, f, b, first, i * VECTOR_LANES, b->slices + i);
            update_shared(job, f, b, i * VECTOR_LANES, b->slices + i);
        }
        for (int i = 0; i < SLICES; i++)
            if (any(b->slices[i].clash | b->slices[i].heads))
                finish_slice(job, b, b->slices + i, i * VECTOR_LANES);
    }
    return at;
}

#define CASE(exclusive, size, other)                                                               \
    if (has_form(b.kind, exclusive, size, other)) {                                                \
        at = update_kind(job, simple_form(exclusive, size, other), at, &b);                        \
        continue;                                                                                  \
    }

void UPDATE(const lattice_job *job)
{
    for (int64_t at = 0; at < job->batches;) {
        batch b;
        b.kind = job->system->kind + job->system->kind_of[job->order[BATCH * at]];
        b.digits = job->digits + LATTICE_DRAWS * b.kind->first;
        CASE(1, 4, 0)
        CASE(1, 6, 0)
        CASE(0, 3, 0)
        CASE(0, 4, 0)
        CASE(0, 6, 0)
        CASE(0, 8, 0)
        CASE(0, 2, 2)
        CASE(0, 4, 4)
        at = update_kind(job, general_form(b.kind), at, &b);
    }
}
