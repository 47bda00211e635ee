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
 * Memory. A half-link is 4 v + d for leg d of vertex v. rule[4 s + d] says where a head goes that
 * comes through leg d into a vertex with the byte s: a threshold of 48 bits, and two outcomes of a
 * byte each, the new byte of the vertex and the leg through which the head leaves. The half-link at
 * the other end is 4 v + d plus jump[place[v] + d], where place[v] is 4 times a number that says
 * whether v is in the first or last row or column. So all tables fit into the nearest cache, beside
 * the vertices of IN_TURN chains. A step takes one draw of 64 bits, and so does the beginning of a
 * loop.
 *
 * References: O. F. Syljuasen, M. B. Zvonarev, Phys. Rev. E 70, 016118 (2004); G. T. Barkema, M. E.
 * J. Newman, Phys. Rev. E 57, 1155 (1998), for loops at c = 1. */
#include "models/six_vertex/six_vertex_loop.h"

#include <string.h>

#include "base/compiler.h"
#include "base/places.h"
#include "base/status.h"
#include "base/turns.h"

/* The chains that run, field by field. */
typedef struct {
    turns in_turn;
    uint32_t head[IN_TURN], ends[2][IN_TURN]; /* half-links: where the head comes in, and where the
                                                 loop began */
} loop_chains;

enum { RULES = 64, JUMPS = 4 * PLACES };

typedef struct {
    uint64_t rule[RULES];
    int32_t jump[JUMPS];
    const uint8_t *place;
} loop_tables;

typedef struct {
    turn_request rows;
    const six_vertex_lattice *lattice;
    const loop_tables *tables;
    uint8_t *packed;
    int64_t *c_vertices;
} run;

int64_t six_vertex_workspace(const six_vertex_lattice *lattice)
{
    return (six_vertex_vertices(lattice) + 7) / 8;
}

/* ---- tables ---- */

static void find_jumps(const six_vertex_lattice *lattice, int32_t *jump)
{
    const int32_t rows = (int32_t)lattice->rows, columns = (int32_t)lattice->columns;
    for (int place = 0; place < PLACES; place++, jump += 4) {
        const int x = place / 3, y = place % 3;
        jump[0] = 4 * columns * (x == 2 ? 1 - rows : 1) + 2;
        jump[1] = 4 * (y == 2 ? 1 - columns : 1) + 2;
        jump[2] = 4 * columns * (x == 0 ? rows - 1 : -1) - 2;
        jump[3] = 4 * (y == 0 ? columns - 1 : -1) - 2;
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
    unsigned out[2] = {0, 0}, found = 0;
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

/* ---- chains ---- */

/* The half-link at the other end. */
RSMI_INLINE uint32_t opposite(const loop_tables *tables, uint32_t half)
{
    return half + (uint32_t)tables->jump[tables->place[half >> 2] | (half & 3)];
}

/* Begins a loop at a random end of a random link, in the direction of its arrow. */
static void begin_loop(const run *r, loop_chains *c, int k)
{
    const uint64_t halves = 4 * (uint64_t)r->rows.sites;
    uint32_t half = (uint32_t)(((unsigned __int128)turns_draw_one(&c->in_turn, k) * halves) >> 64);
    if (c->in_turn.state[k][half >> 2] >> (half & 3) & 1)
        half = opposite(r->tables, half);
    c->head[k] = c->ends[0][k] = half;
    c->ends[1][k] = opposite(r->tables, half);
}

static int begin_chain(const run *r, loop_chains *c, int k, int64_t chain)
{
    if (!turns_begin(&r->rows, &c->in_turn, k, chain))
        return 0;
    begin_loop(r, c, k);
    return 1;
}

static void move_chain(loop_chains *c, int from, int to)
{
    turns_move(&c->in_turn, from, to);
    c->head[to] = c->head[from];
    c->ends[0][to] = c->ends[0][from];
    c->ends[1][to] = c->ends[1][from];
}

/* Stores a finished row. Returns 0 if it was the last one of the chain. */
static int next_row(const run *r, turns *t, int k)
{
    const int64_t row = t->row[k];
    six_vertex_pack(r->lattice, t->state[k], r->packed + row * six_vertex_row_bytes(r->lattice));
    r->c_vertices[row] = six_vertex_c_vertices(r->lattice, t->state[k]);
    return turns_next_row(&r->rows, t, k);
}

/* Ends a loop after `round` further steps and begins the next one. Returns whether the chain has
 * made its rows. */
static __attribute__((noinline)) int next_loop(const run *r, loop_chains *c, int k, uint64_t round)
{
    turns *t = &c->in_turn;
    t->steps[k] += round;
    if (--t->moves_left[k] == 0 && !next_row(r, t, k))
        return 1;
    begin_loop(r, c, k);
    t->steps[k] -= round;
    return 0;
}

/* Advances the first `n` chains in turn, one step each, until some have made their rows; returns
 * which, as bits. */
RSMI_INLINE unsigned advance(const run *r, loop_chains *c, const int n)
{
    const loop_tables *tables = r->tables;
    const uint8_t *place = tables->place;
    turns *t = &c->in_turn;
    unsigned done = 0;
    uint64_t round = 0;
    while (!done) {
        turns_draw(t);
        t->draw.vector |= 0xffff; /* the two outcomes of a rule do not matter in comparisons */
        round++;
#pragma GCC unroll 8
        for (int k = 0; k < n; k++) {
            const uint32_t half = c->head[k], leg = half & 3, at = half >> 2;
            uint8_t *vertex = t->state[k] + at;
            const uint64_t choice = tables->rule[(uint32_t)*vertex << 2 | leg],
                           out = choice >> (8 * (t->draw.of[k] >= choice));
            *vertex = out >> 2 & 15;
            const uint32_t leaves = out & 3,
                           head = 4 * at + leaves + (uint32_t)tables->jump[place[at] | leaves];
            c->head[k] = head;
            if (__builtin_expect((head == c->ends[0][k]) | (head == c->ends[1][k]), 0))
                done |= (unsigned)next_loop(r, c, k, round) << k;
        }
    }
    for (int k = 0; k < n; k++)
        t->steps[k] += round;
    return done;
}

RSMI_CLONES static unsigned advance_chains(const run *r, loop_chains *c, int running)
{
    return running == IN_TURN ? advance(r, c, IN_TURN) : advance(r, c, running);
}

/* Makes all rows, of IN_TURN chains at once as long as there are so many. */
static void make_rows(const run *r)
{
    loop_chains c = {0};
    int64_t chain = 0;
    for (int running = 0;;) {
        for (; running < IN_TURN && chain < r->rows.chains; chain++)
            running += begin_chain(r, &c, running, chain);
        if (running == 0)
            return;
        const unsigned done = advance_chains(r, &c, running);
        for (int k = running - 1; k >= 0; k--)
            if (done >> k & 1)
                move_chain(&c, --running, k);
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
    uint8_t *place = (uint8_t *)workspace;
    find_places(lattice->rows, lattice->columns, place);
    loop_tables tables = {.place = place};
    find_rules(weight, tables.rule);
    find_jumps(lattice, tables.jump);
    const run r = {
        {chains, loops, first, count, six_vertex_vertices(lattice), vertices, rng, steps},
        lattice,
        &tables,
        packed,
        c_vertices};
    make_rows(&r);
    return RSMI_OK;
}
