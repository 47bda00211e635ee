/* Low modes of local functions against a sum over all sites, at awkward sizes, and sums over
 * groups. */
#include "blocking/group_sums.h"
#include "blocking/low_modes.h"
#include "tests/expect.h"

enum { PRODUCTS = 3, POINTS = 6, FUNCTIONS = 2, ORBITS = 3, SAMPLES = 18 };

static const double PI = 3.14159265358979323846;

static void fill_waves(const int64_t *shape, int64_t longest, float *waves)
{
    for (int axis = 0; axis < 3; axis++)
        for (int64_t x = 0; x < shape[axis]; x++) {
            const double q = 2 * PI * (double)x / (double)shape[axis];
            const double values[MODE_WAVES] = {1, cos(q), sin(q), cos(2 * q), sin(2 * q)};
            for (int k = 0; k < MODE_WAVES; k++)
                waves[(axis * MODE_WAVES + k) * longest + x] = (float)values[k];
        }
}

/* The mode of one product by its definition. */
static void expected_mode(const local_functions *f, const uint8_t *row, int64_t p,
                          const int32_t *number, double *re, double *im)
{
    const int64_t *n = f->shape;
    *re = *im = 0;
    for (int64_t x = 0; x < n[0] * n[1] * n[2]; x++) {
        const int64_t site[3] = {x / (n[1] * n[2]), x / n[2] % n[1], x % n[2]};
        int spin = 1;
        for (int64_t i = f->first[p]; i < f->first[p + 1]; i++) {
            int64_t at = 0;
            for (int axis = 0; axis < 3; axis++)
                at = at * n[axis] + (site[axis] + f->points[3 * i + axis]) % n[axis];
            spin *= spin_at(row, at);
        }
        double phase = 0;
        for (int axis = 0; axis < 3; axis++)
            phase -= 2 * PI * number[axis] * (double)site[axis] / (double)n[axis];
        *re += spin * cos(phase), *im += spin * sin(phase);
    }
}

static void check(int64_t depth, int64_t height, int64_t width, int64_t n_modes)
{
    const int64_t shape[3] = {depth, height, width}, sites = depth * height * width,
                  n_bytes = (sites + 7) / 8, longest = depth > height ? depth : height,
                  side = longest > width ? longest : width;
    static const int64_t first[PRODUCTS + 1] = {0, 1, 3, 6};
    int32_t *points = take(POINTS * 3 * 4), *numbers = take(n_modes * 3 * 4),
            *orbit = take(n_modes * 4);
    for (int64_t i = 0; i < 3 * POINTS; i++)
        points[i] = (int32_t)random_below((uint64_t)shape[i % 3]);
    for (int64_t i = 3; i < 3 * n_modes; i++)
        numbers[i] = shape[i % 3] > 1 ? (int32_t)random_below(5) - 2 : 0;
    for (int64_t m = 1; m < n_modes; m++)
        orbit[m] = (int32_t)(m % ORBITS);
    float *waves = take(3 * MODE_WAVES * side * 4);
    fill_waves(shape, side, waves);
    const double *weights = random_doubles(2 * FUNCTIONS * PRODUCTS * n_modes, 1.0),
                 *share = random_doubles(n_modes, 1.0);
    const uint8_t *rows = random_bytes(SAMPLES * n_bytes);
    const int64_t n_orbits = n_modes > 1 ? ORBITS : 0;
    double *values = take_doubles(SAMPLES * FUNCTIONS),
           *factors = take_doubles(SAMPLES * FUNCTIONS * n_orbits);
    local_functions f = {.shape = {depth, height, width},
                         .n_products = PRODUCTS,
                         .n_functions = FUNCTIONS,
                         .n_modes = n_modes,
                         .n_orbits = n_orbits,
                         .points = points,
                         .first = first,
                         .weights = weights,
                         .numbers = numbers,
                         .waves = waves,
                         .orbit = orbit,
                         .share = share};
    expect(low_modes(&f, rows, SAMPLES, values, factors) == RSMI_OK);
    for (int64_t i = 0; i < SAMPLES; i += SAMPLES - 1)
        for (int64_t a = 0; a < FUNCTIONS; a++) {
            double squares[ORBITS] = {0};
            for (int64_t m = 0; m < n_modes; m++) {
                double re = 0, im = 0, x, y;
                for (int64_t p = 0; p < PRODUCTS; p++) {
                    const double *w = weights + 2 * ((a * PRODUCTS + p) * n_modes + m);
                    expected_mode(&f, rows + i * n_bytes, p, numbers + 3 * m, &x, &y);
                    re += w[0] * x - w[1] * y, im += w[0] * y + w[1] * x;
                }
                if (m == 0)
                    expect(close_to(values[i * FUNCTIONS + a], re, 1e-9));
                else
                    squares[orbit[m]] += share[m] * (re * re + im * im);
            }
            for (int64_t k = 0; k < n_orbits; k++)
                expect(fabs(factors[(i * FUNCTIONS + a) * ORBITS + k] - squares[k]) <
                       1e-3 * (double)sites);
        }
#define REFUSED(array, place, wrong)                                                               \
    do {                                                                                           \
        const int32_t kept = (array)[place];                                                       \
        (array)[place] = (wrong);                                                                  \
        expect(low_modes(&f, rows, 1, values, factors) == RSMI_BAD_VALUE);                         \
        (array)[place] = kept;                                                                     \
    } while (0)
    REFUSED(points, 3 * POINTS - 1, (int32_t)width);
    REFUSED(points, 0, -1);
    REFUSED(numbers, 2, 1);
    if (n_modes > 1) {
        REFUSED(numbers, 5, 3);
        REFUSED(orbit, 1, ORBITS);
    }
    static const int64_t empty[PRODUCTS + 1] = {0, 1, 1, 6};
    f.first = empty;
    expect(low_modes(&f, rows, 1, values, factors) == RSMI_BAD_VALUE);
    f.shape[0] = MODE_LARGEST_SITES;
    expect(low_modes(&f, rows, 1, values, factors) == RSMI_BAD_SHAPE);
    release_all();
}

static void check_groups(int64_t n_even, int64_t n_odd)
{
    enum { GROUPS = 3, CONFIGURATIONS = 11 };
    group_sums s = {.n_groups = GROUPS,
                    .n_even = n_even,
                    .n_odd = n_odd,
                    .count = take_doubles(GROUPS),
                    .offset = take_doubles(GROUPS * n_even),
                    .even_sums = take_doubles(GROUPS * n_even * 2),
                    .odd_sums = take_doubles(GROUPS * n_odd * GROUP_POWERS),
                    .cross_sums = take_doubles(GROUPS * n_even * n_odd * GROUP_POWERS)};
    const double *even = random_doubles(CONFIGURATIONS * n_even, 1.0),
                 *odd = random_doubles(CONFIGURATIONS * n_odd, 1.0);
    int64_t *groups = take(CONFIGURATIONS * 8);
    for (int64_t i = 0; i < CONFIGURATIONS; i++)
        groups[i] = i % 2;
    double *sums = take_doubles(GROUPS * n_even);
    expect(add_to_groups(&s, even, odd, groups, CONFIGURATIONS) == RSMI_OK);
    expect(add_rows_to_groups(even, n_even, groups, CONFIGURATIONS, GROUPS, sums) == RSMI_OK);
    expect(s.count[0] == 6 && s.count[1] == 5 && s.count[2] == 0);
    for (int64_t k = 0; k < n_even; k++) {
        expect(s.offset[k] == even[k] && s.offset[n_even + k] == even[n_even + k]);
        expect(close_to(s.even_sums[2 * k], sums[k] - 6 * even[k], 1e-12));
    }
    for (int64_t l = 0; l < n_odd; l++) {
        double fourth = 0;
        for (int64_t i = 0; i < CONFIGURATIONS; i += 2)
            fourth += pow(odd[i * n_odd + l], 4);
        expect(close_to(s.odd_sums[GROUP_POWERS * l + 2], fourth, 1e-12));
    }
    groups[CONFIGURATIONS - 1] = GROUPS;
    expect(add_to_groups(&s, even, odd, groups, CONFIGURATIONS) == RSMI_BAD_VALUE);
    expect(add_rows_to_groups(even, n_even, groups, CONFIGURATIONS, GROUPS, sums) ==
           RSMI_BAD_VALUE);
    expect(s.count[0] == 6);
    release_all();
}

int main(void)
{
    const int64_t shapes[][3] = {{1, 1, 1},  {1, 1, 7},   {1, 1, 64}, {1, 2, 65}, {1, 5, 3},
                                 {1, 8, 8},  {1, 3, 130}, {2, 3, 5},  {5, 1, 9},  {3, 4, 67},
                                 {1, 16, 1}, {6, 6, 6},   {1, 9, 128}};
    for (int64_t i = 0; i < COUNT(shapes); i++)
        for (int64_t n_modes = 1; n_modes < 8; n_modes += 6)
            check(shapes[i][0], shapes[i][1], shapes[i][2], n_modes);
    check_groups(2, 3);
    check_groups(0, 1);
    check_groups(1, 0);
    return 0;
}
