/* The description of a lattice: its checks, and the order in which its sites are updated.
 *
 * Sites that are updated together must not be neighbours of each other. The plan visits the sites
 * in turn and puts each into the first open batch of its kind that has none of its neighbours; it
 * opens a new batch if there is no such batch. A batch is closed when it is full, or when it is the
 * oldest of OPEN_BATCHES. On a square lattice the batches are every other site of a piece of a row,
 * so that consecutive batches find their neighbours in the cache. The plan depends on the lattice
 * alone, and it is a part of every trajectory. */
#include "models/lattice/lattice_system.h"

#include <string.h>

#include "base/status.h"

/* ---- Checks ---- */

/* The number of neighbours of a site of this kind; -1 if the kind contradicts itself. */
static int64_t neighbours_of_kind(const lattice_system *system, const lattice_kind *kind)
{
    int64_t neighbours = 0, classes = 1;
    if (kind->groups < 0 || kind->groups > LATTICE_GROUPS || kind->exclusive < 0 ||
        kind->exclusive > (kind->groups > 0))
        return -1;
    for (int64_t g = 0; g < kind->groups; g++) {
        if (kind->size[g] < 1 || kind->size[g] >= INT32_MAX)
            return -1;
        neighbours += kind->size[g];
        classes *= g < kind->exclusive ? 2 : kind->size[g] + 1;
        if (classes > system->probabilities)
            return -1;
    }
    const int fits = kind->classes == classes && kind->first >= 0 &&
                     kind->first <= system->probabilities - classes;
    return fits ? neighbours : -1;
}

static int check_site(const lattice_system *system, int64_t site)
{
    const int32_t kind = system->kind_of[site];
    if (kind < 0 || kind >= system->kinds)
        return RSMI_BAD_SHAPE;
    const int64_t count = system->start[site + 1] - system->start[site];
    if (count != neighbours_of_kind(system, system->kind + kind))
        return RSMI_BAD_SHAPE;
    for (int64_t i = system->start[site]; i < system->start[site + 1]; i++) {
        if (system->neighbour[i] < 0 || system->neighbour[i] >= system->sites)
            return RSMI_BAD_SHAPE;
        if (system->neighbour[i] == site)
            return RSMI_BAD_VALUE;
    }
    return RSMI_OK;
}

int lattice_check(const lattice_system *system)
{
    if (system->sites < 1 || system->sites >= INT32_MAX || system->kinds < 1 ||
        system->probabilities < 1 || system->start[0] != 0)
        return RSMI_BAD_SHAPE;
    for (int64_t site = 0; site < system->sites; site++) {
        const int status = check_site(system, site);
        if (status != RSMI_OK)
            return status;
    }
    return RSMI_OK;
}

/* ---- Order ---- */

enum { OPEN_BATCHES = 32 };

typedef struct {
    int size;
    int32_t site[LATTICE_BATCH];
} batch;

typedef struct {
    const lattice_system *system;
    int32_t *order;
    int64_t closed; /* batches in `order` */
    int open;
    batch waiting[OPEN_BATCHES]; /* the oldest first */
} plan;

static int has_neighbour(const lattice_system *system, int32_t site, int32_t other)
{
    for (int64_t i = system->start[site]; i < system->start[site + 1]; i++)
        if (system->neighbour[i] == other)
            return 1;
    return 0;
}

static int admits(const lattice_system *system, const batch *b, int32_t site)
{
    if (system->kind_of[b->site[0]] != system->kind_of[site])
        return 0;
    for (int i = 0; i < b->size; i++)
        if (has_neighbour(system, site, b->site[i]) || has_neighbour(system, b->site[i], site))
            return 0;
    return 1;
}

static void close_batch(plan *p, int number)
{
    const batch *b = p->waiting + number;
    for (int i = 0; i < LATTICE_BATCH; i++)
        p->order[LATTICE_BATCH * p->closed + i] = i < b->size ? b->site[i] : -1;
    p->closed++, p->open--;
    memmove(p->waiting + number, p->waiting + number + 1, (size_t)(p->open - number) * sizeof *b);
}

static void place(plan *p, int32_t site)
{
    int number = 0;
    while (number < p->open && !admits(p->system, p->waiting + number, site))
        number++;
    if (number == OPEN_BATCHES)
        close_batch(p, 0), number--;
    if (number == p->open)
        p->waiting[p->open++].size = 0;
    batch *b = p->waiting + number;
    b->site[b->size++] = site;
    if (b->size == LATTICE_BATCH)
        close_batch(p, number);
}

int64_t lattice_plan(const lattice_system *system, int32_t *order)
{
    plan p = {.system = system, .order = order};
    for (int64_t site = 0; site < system->sites; site++)
        place(&p, (int32_t)site);
    while (p.open)
        close_batch(&p, 0);
    return p.closed;
}
