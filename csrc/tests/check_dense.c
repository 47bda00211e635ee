/* Checks elementary functions, workspaces, the Adam rule and the small dense products. */
#include "base/adam.h"
#include "base/arena.h"
#include "base/dense.h"
#include "base/elementary.h"
#include "base/functions.h"
#include "tests/expect.h"

static void check_elementary(void)
{
    for (double start = -40; start < 40; start += 0.173) {
        lanes8 x;
        for (int i = 0; i < 8; i++)
            x[i] = start + 0.021 * i;
        lanes8 e = x, sigmoid = x, tangent = x, magnitude = x;
        exponential(&e), logistic(&sigmoid), hyperbolic_tangent(&tangent),
            absolute_value(&magnitude);
        for (int i = 0; i < 8; i++) {
            expect(fabs(e[i] / exp(x[i]) - 1) < 1e-15 &&
                   fabs(sigmoid[i] * (1 + exp(-x[i])) - 1) < 2e-15);
            expect(fabs(tangent[i] - tanh(x[i])) < 1e-15 && magnitude[i] == fabs(x[i]));
        }
    }
    lanes8 far = {-INFINITY, -1e300, -700, 700, 1e300, INFINITY, 0, -0.0};
    exponential(&far);
    expect(far[0] == far[2] && far[1] == far[2] && far[4] == far[3] && far[5] == far[3] &&
           far[6] == 1 && far[7] == 1);
}

/* The distance of a from b in units in the last place of b. */
static double ulps(double a, long double b)
{
    int exponent;
    frexp((double)b, &exponent);
    return (double)(fabsl(a - b) / ldexpl(1, exponent - 53));
}

/* How far the library's functions of long double may be off, in units in the last place of a
 * double: valgrind computes long double as double, and so do some systems. */
static double error_of_reference(void)
{
    const volatile long double tiny = 0x1p-60L;
    return 1 + tiny == 1 ? 2 : 0;
}

static void check_functions(void)
{
    const double more = error_of_reference();
    double worst[5] = {0};
    for (int i = 0; i < BRIEFLY(1000000, 10000); i++) {
        const double x = xoshiro_uniform(test_stream), wide = (i % 2 ? 3 : 1400) * (x - 0.5);
        const double positive = i % 3 ? 0.5 + 1.5 * x : exp(wide);
        const double error[5] = {ulps(exp_of(wide), expl(wide)),
                                 ulps(log_of(positive), logl(positive)),
                                 ulps(log_one_plus_of(x), log1pl(x)),
                                 ulps(one_minus_exp(3 * x), -expm1l(-3 * (long double)x)),
                                 fabs(cosine_of_turns(x) - cos(6.283185307179586 * x)) / 1e-15};
        for (int k = 0; k < 5; k++)
            worst[k] = fmax(worst[k], error[k]);
    }
    expect(worst[0] < 1 + more && worst[1] < 1 + more && worst[2] < 3 + more &&
           worst[3] < 3 + more && worst[4] < 1);
    expect(exp_of(-INFINITY) == 0 && exp_of(-701) == 0 && exp_of(0) == 1 && log_of(1) == 0);
    expect(isnan(log_of(NAN)) && isnan(log_of(INFINITY)) && close_to(log_of(5e-324), -709, 1e-2));
    expect(one_minus_exp(0) == 0 && one_minus_exp(1e300) == 1 && one_minus_exp(1e-200) == 1e-200);
    expect(cosine_of_turns(0) == 1 && cosine_of_turns(0.25) == 0 && cosine_of_turns(0.5) == -1 &&
           cosine_of_turns(0.75) == 0);
    expect(power(0.9, 0) == 1 && power(0, 0) == 1 && power(0.5, 10) == 0x1p-10 &&
           close_to(power(0.99, 1001), pow(0.99, 1001), 1e-13) && power(0.9, 1 << 20) == 0);
}

static void check_arena(void)
{
    arena a = {0};
    for (int i = 0; i < ARENA_BLOCKS; i++) {
        const unsigned char *block = arena_take(&a, (size_t)(i * 31));
        expect(block && (uintptr_t)block % 64 == 0);
        for (int k = 0; k < i * 31; k++)
            expect(block[k] == 0);
    }
    expect(!a.failed && arena_take(&a, 1) == NULL && a.failed);
    arena_free(&a);
    expect(a.count == 0);
}

/* Adam on a parabola, and its schedule. */
static void check_adam(void)
{
    double x[3] = {1, -2, 0.5}, gradient[3], moments[6] = {0};
    int64_t index[100];
    for (int64_t step = 0; step < 400; step++) {
        for (int i = 0; i < 3; i++)
            gradient[i] = -2 * x[i];
        adam_ascend(3, step, 0.05 * schedule_factor(step, 400), gradient, moments, moments + 3, x);
        if (step == 0)
            expect(close_to(x[0], 0.95, 1e-6) &&
                   close_to(x[1], -1.95, 1e-6)); /* the first step has the length of the rate */
    }
    for (int i = 0; i < 3; i++)
        expect(fabs(x[i]) < 0.01);
    expect(schedule_factor(0, 10) == 1 && schedule_factor(5, 10) == 1 &&
           close_to(schedule_factor(10, 10), 0.05, 1e-15));
    draw_indices(test_stream, 7, 100, index);
    for (int i = 0; i < 100; i++)
        expect(index[i] >= 0 && index[i] < 7);
}

static void check_products(int64_t rows, int64_t inner, int64_t columns)
{
    const int64_t ld = padded(columns), stride = inner + 2;
    const double *a = random_doubles((rows - 1) * stride + inner, 1),
                 *x = random_doubles(inner * ld, 1);
    double *y = random_doubles(rows * ld, 1), *before = take_doubles(rows * ld),
           *d = take_doubles(rows * inner);
    memcpy(before, y, (size_t)(rows * ld) * sizeof *y);
    multiply_add(rows, inner, columns, a, stride, x, y);
    for (int64_t r = 0; r < rows; r++)
        for (int64_t c = 0; c < ld; c++) {
            double sum = before[r * ld + c];
            for (int64_t i = 0; i < inner; i++)
                sum += a[r * stride + i] * x[i * ld + c];
            expect(close_to(y[r * ld + c], sum, 1e-14));
            if (c >= columns)
                y[r * ld + c] = 0.0;
        }
    multiply_transposed(rows, inner, columns, y, x, d);
    for (int64_t r = 0; r < rows; r++) {
        for (int64_t i = 0; i < inner; i++) {
            double sum = 0;
            for (int64_t c = 0; c < columns; c++)
                sum += y[r * ld + c] * x[i * ld + c];
            expect(close_to(d[r * inner + i], sum, 1e-13));
        }
        double total = 0;
        for (int64_t c = 0; c < columns; c++)
            total += y[r * ld + c];
        expect(close_to(lane_sum(columns, y + r * ld), total, 1e-13));
    }
    fill_rows(rows, columns, a, y);
    for (int64_t i = 0; i < rows * ld; i++)
        expect(y[i] == a[i / ld]);
    release_all();
}

static void check_gather(int64_t n, int64_t sites)
{
    const int8_t *spins = random_spins(9 * sites);
    int64_t *index = take(8 * n);
    double *out = random_doubles(sites * padded(n), 1);
    for (int64_t s = 0; s < n; s++)
        index[s] = (int64_t)random_below(9);
    gather_spins(n, sites, spins, index, out);
    for (int64_t i = 0; i < sites * padded(n); i++) {
        const int64_t s = i % padded(n);
        expect(out[i] == (s < n ? spins[index[s] * sites + i / padded(n)] : 0));
    }
    release_all();
}

int main(void)
{
    check_elementary();
    check_functions();
    check_arena();
    check_adam();
    for (int64_t rows = 1; rows < 10; rows++)
        for (int64_t inner = 1; inner < 10; inner++)
            for (int64_t columns = 1; columns < 80; columns += 13)
                check_products(rows, inner, columns);
    for (int64_t n = 1; n < 70; n += 17)
        check_gather(n, n % 23 + 1);
    return 0;
}
