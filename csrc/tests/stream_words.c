/* Prints random words of the kernels without end, for dieharder:
 *
 *     stream_words SOURCE [BYTES] < KEYS        KEYS: 256-bit keys of chains, 32 bytes each
 *
 *   lane      one lane of one stream of a bit-sliced chain
 *   bit       its lowest bit alone, 64 draws to a word: what one spin sees
 *   lanes     all 8 lanes of all 4 streams of a chain in turn, as they are drawn
 *   blocks    the first draw of every block of a chain with 64 blocks, then the second ...
 *   chains    the xoshiro256++ of the scalar kernels, one word from each key in turn
 *   sites     keyed_bits of 512 sites, then of the next sample: coarse-graining, and what
 *             finishes the spins of a word
 *   samples   keyed_bits of one site in consecutive samples: what finishes one spin in
 *             consecutive words
 *   unmixed   the counter from which keyed_bits starts, not mixed: dieharder must find it bad
 *
 * The draws are those of the functions of the core. Their results with dieharder are in
 * tests/data/dieharder. */
#include "models/ising/bitsliced/ising_bitsliced.h"
#include "models/ising/bitsliced/ising_bitsliced_update.h"
#include "tests/expect.h"

#define VECTOR_LANES 1
#define WORDS_AT_ONCE 1
#define PRIVATE_DRAWS 8
#define TOTAL_DRAWS 16
#define UPDATE update_unused
void update_unused(const bitsliced_job *job);
#include "models/ising/bitsliced/ising_bitsliced_sweep.h"

enum { MANY_KEYS = 1024, MANY_BLOCKS = 64, WORDS = 4096, SITES = BITSLICED_BITS };

static uint64_t keys[MANY_KEYS][4], generators[MANY_BLOCKS * BITSLICED_GENERATOR], words[WORDS];
static int64_t n_keys;

/* Lane `lane` of stream k of a block, and back. */
static stream stream_of(int64_t block, int k, int lane)
{
    return load_stream(generators + block * BITSLICED_GENERATOR, k, lane);
}

static void keep(int64_t block, int k, int lane, const stream *g)
{
    store_stream(generators + block * BITSLICED_GENERATOR, k, lane, g);
}

static uint64_t draw_lane(int64_t block, int k, int lane)
{
    stream g = stream_of(block, k, lane);
    const uint64_t word = draw(&g);
    keep(block, k, lane, &g);
    return word;
}

/* Each makes word i of its source, i = 0, 1, 2 ... */
static uint64_t of_lane(int64_t i)
{
    return (void)i, draw_lane(0, 0, 0);
}

static uint64_t of_bit(int64_t i)
{
    (void)i;
    uint64_t word = 0;
    stream g = stream_of(0, 0, 0);
    for (int bit = 0; bit < 64; bit++)
        word |= (draw(&g) & 1) << bit;
    keep(0, 0, 0, &g);
    return word;
}

static uint64_t of_lanes(int64_t i)
{
    return draw_lane(0, (int)(i / BITSLICED_LANES % BITSLICED_STREAMS), (int)(i % BITSLICED_LANES));
}
static uint64_t of_blocks(int64_t i)
{
    return draw_lane(i % MANY_BLOCKS, 0, 0);
}
static uint64_t of_chains(int64_t i)
{
    return xoshiro_next(keys[i % n_keys]);
}

static const uint64_t *counter_key(void)
{
    return generators + 16 * BITSLICED_LANES;
}
static uint64_t of_sites(int64_t i)
{
    return keyed_bits(counter_key(), (uint64_t)(i / SITES), (uint64_t)(i % SITES));
}
static uint64_t of_samples(int64_t i)
{
    return keyed_bits(counter_key(), (uint64_t)i, 0);
}
static uint64_t of_unmixed(int64_t i)
{
    return counter_key()[0] + (uint64_t)(i + 1) * 0x9e3779b97f4a7c15ULL;
}

static const struct {
    const char *name;
    uint64_t (*word)(int64_t);
} SOURCES[] = {{"lane", of_lane},       {"bit", of_bit},        {"lanes", of_lanes},
               {"blocks", of_blocks},   {"chains", of_chains},  {"sites", of_sites},
               {"samples", of_samples}, {"unmixed", of_unmixed}};

int main(int n_arguments, char **arguments)
{
    expect(n_arguments > 1);
    int64_t source = 0, left = n_arguments > 2 ? atoll(arguments[2]) / 8 : INT64_MAX;
    while (source < COUNT(SOURCES) && strcmp(SOURCES[source].name, arguments[1]))
        source++;
    n_keys = (int64_t)fread(keys, sizeof *keys, MANY_KEYS, stdin);
    expect(source < COUNT(SOURCES) && n_keys > 0);
    bitsliced_seed(keys[0], MANY_BLOCKS, generators);
    for (int64_t i = 0; left > 0; left -= WORDS) {
        for (int k = 0; k < WORDS; k++, i++)
            words[k] = SOURCES[source].word(i);
        if (fwrite(words, 8, (size_t)(left < WORDS ? left : WORDS), stdout) == 0)
            break;
    }
    return 0;
}
