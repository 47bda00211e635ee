/* Counts the bits that are 1 in each of the 512 columns of many words, by carry-save adders: digit
 * p of all the counts is one word.
 *
 * Reference: W. Mula, N. Kurz, D. Lemire, Comput. J. 61, 111 (2018). */
#ifndef RSMI_COUNTING_H
#define RSMI_COUNTING_H

#include "base/compiler.h"
#include "base/lanes.h"

enum { CHUNK = 16, CHUNK_DIGITS = 4 };

/* Adds b and c to the digit and returns their carry. */
RSMI_INLINE lanes add_to_digit(lanes *digit, lanes b, lanes c)
{
    const lanes a = *digit, differ = a ^ b;
    *digit = differ ^ c;
    return a ^ (differ & (a ^ c));
}

/* Adds 16 words to the four lowest digits and returns their carry, which has weight 16. */
RSMI_INLINE lanes add_sixteen(const lanes x[CHUNK], lanes digits[CHUNK_DIGITS])
{
    lanes twos[2], fours[2], eights[2];
#pragma GCC unroll 2
    for (int e = 0; e < 2; e++) {
#pragma GCC unroll 2
        for (int f = 0; f < 2; f++) {
#pragma GCC unroll 2
            for (int t = 0; t < 2; t++)
                twos[t] = add_to_digit(&digits[0], x[8 * e + 4 * f + 2 * t],
                                       x[8 * e + 4 * f + 2 * t + 1]);
            fours[f] = add_to_digit(&digits[1], twos[0], twos[1]);
        }
        eights[e] = add_to_digit(&digits[2], fours[0], fours[1]);
    }
    return add_to_digit(&digits[3], eights[0], eights[1]);
}

#endif
