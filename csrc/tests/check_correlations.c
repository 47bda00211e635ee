/* Checks sums of two-spin products against their definition site by site. */
#include "blocking/correlations.h"
#include "tests/expect.h"

static void check(int64_t slabs, int64_t length, int64_t shift)
{
    enum { SAMPLES = 3 };
    const int64_t sites = slabs * length, n_bytes = (sites + 7) / 8;
    const uint8_t *rows = random_bytes(SAMPLES * n_bytes);
    int64_t *sums = take(8 * SAMPLES);
    expect(shifted_products(rows, SAMPLES, slabs, length, shift, sums) == RSMI_OK);
    for (int64_t i = 0; i < SAMPLES; i++) {
        int64_t expected = 0;
        for (int64_t p = 0; p < sites; p++) {
            const int64_t first = p / length * length;
            expected += spin_at(rows + i * n_bytes, p) *
                        spin_at(rows + i * n_bytes, first + (p - first + shift) % length);
        }
        expect(sums[i] == expected);
    }
    release_all();
}

int main(void)
{
    for (int64_t length = 1; length < 200; length += 1 + length / 3)
        for (int64_t shift = 0; shift < length; shift += 1 + length / 5)
            check(1, length, shift), check(7, length, shift), check(64, length, shift);
    check(1, 4096, 2048), check(64, 64, 16);
    int64_t sum;
    expect(shifted_products((uint8_t[1]){3}, 1, 1, 8, 8, &sum) == RSMI_BAD_VALUE);
    expect(shifted_products((uint8_t[1]){3}, 1, 1, 8, -1, &sum) == RSMI_BAD_VALUE);
    expect(shifted_products((uint8_t[1]){3}, 1, 0, 8, 1, &sum) == RSMI_BAD_VALUE);
    return 0;
}
