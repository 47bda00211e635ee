/* Directed loops through the arrows of the six-vertex model.
 *
 * A loop begins at a random end of a random link and follows the arrow there. Its head enters a
 * vertex along an arrow, leaves it along one of the two arrows that point out, and turns both. So
 * the ice rule holds at every vertex but for the head and the place where the loop began. From a
 * vertex of type a or b the head goes straight on with probability 1 - c/2, and the vertex stays of
 * type a or b; with probability c/2 it takes the other arrow, and the vertex becomes a c vertex.
 * From a c vertex it takes either arrow with probability 1/2. These probabilities are in detailed
 * balance with the weights 1, 1 and c (for 0 < c <= 2), and never make the head turn back. The loop
 * is closed when the head is about to turn the arrow with which it began: when it comes to the link
 * of its beginning from either end. A loop is never cut.
 *
 * Memory. A half-link is 4 v + d for leg d of vertex v; opposite[h] is the half-link at the other
 * end. rule[4 s + d] says where a head goes that comes through leg d into a vertex with the byte s:
 * a threshold of 48 bits, and two outcomes of a byte each, the new byte of the vertex and the leg
 * through which the head leaves. A step is a sequence of loads that wait for each other, so
 * INTERLEAVED chains advance in turn, one step each, and the processor works on all of them at
 * once. A step takes one draw of 64 bits, and so does the beginning of a loop.
 *
 * References: O. F. Syljuasen, M. B. Zvonarev, Phys. Rev. E 70, 016118 (2004); G. T. Barkema, M. E.
 * J. Newman, Phys. Rev. E 57, 1155 (1998), for loops at c = 1. */
#include "models/six_vertex/six_vertex_loop.h"

#include <string.h>

#include "base/compiler.h"
#include "base/random.h"
#include "base/status.h"

enum { INTERLEAVED = 8 };

typedef struct {
    uint8_t *vertices;
    uint32_t head, ends[2]; /* half-links: where the head comes in, and where the loop began */
    uint64_t steps, rng[4];
    int64_t loops_left, sample; /* loops to the end of this row; the row that is being made */
} loop_chain;

typedef struct {
    const six_vertex_lattice *lattice;
    const uint64_t *rule;
    const uint32_t *opposite;
    int64_t chains, loops, count;
    uint8_t *vertices;
    uint64_t *rng;
    uint8_t *packed;
    int64_t *c_vertices, *steps;
} run;

enum { RULES = 64 };

int64_t six_vertex_workspace(const six_vertex_lattice *lattice)
{
    return RULES + 2 * six_vertex_vertices(lattice);
}

/* ---- tables ---- */

static void find_opposite(const six_vertex_lattice *lattice, uint32_t *opposite)
{
    const int64_t rows = lattice->rows, columns = lattice->columns;
    for (int64_t x = 0; x < rows; x++)
        for (int64_t y = 0; y < columns; y++) {
            uint32_t *here = opposite + 4 * (x * columns + y);
            here[0] = (uint32_t)(4 * ((x + 1) % rows * columns + y) + 2);
            here[1] = (uint32_t)(4 * (x * columns + (y + 1) % columns) + 3);
            here[2] = (uint32_t)(4 * ((x + rows - 1) % rows * columns + y));
            here[3] = (uint32_t)(4 * (x * columns + (y + columns - 1) % columns) + 1);
        }
}

/* The outcome of a head that comes in through leg `in` and leaves through leg `out`. */
static uint64_t outcome(unsigned vertex, unsigned in, unsigned out)
{
    return (vertex ^ 1u << in ^ 1u << out) << 2 | out;
}

/* The rule of a head that comes into a vertex through leg `in`, whose arrow points inwards. The
 * first outcome is the one that the threshold decides for. */
static uint64_t rule_of(unsigned vertex, unsigned in, double weight)
{
    const int is_c = vertex == SIX_VERTEX_C_FIRST || vertex == SIX_VERTEX_C_SECOND;
    unsigned out[2], found = 0;
    for (unsigned leg = 0; leg < 4; leg++)
        if (vertex >> leg & 1)
            out[found++] = leg;
    if (!is_c && out[1] == (in ^ 2)) { /* straight on is the first outcome */
        out[1] = out[0];
        out[0] = in ^ 2;
    }
    const uint64_t threshold = (uint64_t)((is_c ? 0.5 : 1 - weight / 2) * 0x1p48);
    return threshold << 16 | outcome(vertex, in, out[1]) << 8 | outcome(vertex, in, out[0]);
}

static void find_rules(double weight, uint64_t *rule)
{
    memset(rule, 0, RULES * sizeof *rule);
    for (unsigned vertex = 0; vertex < 16; vertex++)
        if (__builtin_popcount(vertex) == 2)
            for (unsigned in = 0; in < 4; in++)
                if (!(vertex >> in & 1))
                    rule[4 * vertex + in] = rule_of(vertex, in, weight);
}

/* ---- one chain ---- */

/* Begins a loop at a random end of a random link, in the direction of its arrow. */
RSMI_INLINE void begin_loop(const uint32_t *opposite, uint64_t vertices, loop_chain *c)
{
    uint32_t half = (uint32_t)(((unsigned __int128)xoshiro_next(c->rng) * (4 * vertices)) >> 64);
    if (c->vertices[half >> 2] >> (half & 3) & 1)
        half = opposite[half];
    c->head = c->ends[0] = half;
    c->ends[1] = opposite[half];
}

/* Makes one step. Returns whether the loop closed. */
RSMI_INLINE int step(const uint64_t *rule, const uint32_t *opposite, loop_chain *c)
{
    const uint32_t head = c->head, vertex = head >> 2;
    const uint64_t choice = rule[(uint32_t)c->vertices[vertex] << 2 | (head & 3)];
    const int second = xoshiro_next(c->rng) >> 16 >= choice >> 16;
    const uint32_t out = (uint32_t)(second ? choice >> 8 : choice) & 0xff;
    c->vertices[vertex] = (uint8_t)(out >> 2);
    c->head = opposite[(head & ~3u) | (out & 3)];
    c->steps++;
    return c->head == c->ends[0] || c->head == c->ends[1];
}

/* ---- the rows of all chains ---- */

/* Stores a finished row. Returns 0 if it was the last one of the chain. */
static __attribute__((noinline)) int next_row(const run *r, loop_chain *c, int64_t chain)
{
    six_vertex_pack(r->lattice, c->vertices,
                    r->packed + c->sample * six_vertex_row_bytes(r->lattice));
    r->c_vertices[c->sample] = six_vertex_c_vertices(r->lattice, c->vertices);
    r->steps[c->sample] = (int64_t)c->steps;
    memcpy(r->rng + 4 * chain, c->rng, sizeof c->rng);
    c->sample += r->chains;
    c->loops_left = r->loops;
    c->steps = 0;
    return c->sample < r->count;
}

/* Begins the rows of a chain. Returns 0 if there are none. */
static int begin(const run *r, loop_chain *c, int64_t chain, int64_t first)
{
    const int64_t vertices = six_vertex_vertices(r->lattice);
    *c = (loop_chain){.vertices = r->vertices + chain * vertices,
                      .loops_left = r->loops,
                      .sample = ((chain - first) % r->chains + r->chains) % r->chains};
    if (c->sample >= r->count)
        return 0;
    memcpy(c->rng, r->rng + 4 * chain, sizeof c->rng);
    begin_loop(r->opposite, (uint64_t)vertices, c);
    return 1;
}

/* Advances `n_chains` chains in turn, one step each, until one has made its rows; returns which. */
RSMI_INLINE int advance(const run *r, loop_chain *c, const int64_t *number, int n_chains)
{
    const uint64_t *rule = r->rule, vertices = (uint64_t)six_vertex_vertices(r->lattice);
    const uint32_t *opposite = r->opposite;
    for (;;)
        for (int k = 0; k < n_chains; k++)
            if (__builtin_expect(step(rule, opposite, c + k), 0)) {
                if (--c[k].loops_left == 0 && !next_row(r, c + k, number[k]))
                    return k;
                begin_loop(opposite, vertices, c + k);
            }
}

static int advance_some(const run *r, loop_chain *c, const int64_t *number, int n_chains)
{
    return n_chains == INTERLEAVED ? advance(r, c, number, INTERLEAVED) : advance(r, c, number, 1);
}

/* Advances all chains: INTERLEAVED at once as long as there are so many, then one after the
 * other. */
static void advance_all(const run *r, int64_t first)
{
    loop_chain c[INTERLEAVED];
    int64_t number[INTERLEAVED], chain = 0;
    for (int running = 0;;) {
        for (; running < INTERLEAVED && chain < r->chains; chain++)
            if (begin(r, c + running, chain, first))
                number[running++] = chain;
        if (running == 0)
            return;
        const int done = advance_some(r, c, number, running--);
        c[done] = c[running], number[done] = number[running];
    }
}

int six_vertex_sample(const six_vertex_lattice *lattice, double weight, int64_t chains,
                      int64_t loops, int64_t first, int64_t count, uint8_t *vertices, uint64_t *rng,
                      uint64_t *workspace, uint8_t *packed, int64_t *c_vertices, int64_t *steps)
{
    if (chains < 1 || loops < 1 || first < 0 || count < 0)
        return RSMI_BAD_VALUE;
    if (!(weight >= SIX_VERTEX_LEAST_WEIGHT && weight <= SIX_VERTEX_LARGEST_WEIGHT))
        return RSMI_BAD_VALUE;
    for (int64_t chain = 0; chain < chains; chain++) {
        const int status =
            six_vertex_check(lattice, vertices + chain * six_vertex_vertices(lattice));
        if (status != RSMI_OK)
            return status;
    }
    uint32_t *opposite = (uint32_t *)(workspace + RULES);
    find_rules(weight, workspace);
    find_opposite(lattice, opposite);
    const run r = {lattice,  workspace, opposite, chains,     loops, count,
                   vertices, rng,       packed,   c_vertices, steps};
    advance_all(&r, first);
    return RSMI_OK;
}
