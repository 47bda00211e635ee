/* Private to models/lattice: from the neighbours of a site to products of the digits of its counts.
 *
 * A form is the number and the sizes of the groups of a kind. Where a form is a constant of a loop,
 * the compiler unrolls everything here; sizes of the general form are read from the kind.
 *
 * A count of up to `size` has as many binary digits as the number `size`. Digits of all groups
 * follow each other: at most MOST_DIGITS if there are at most LATTICE_CLASSES classes, because s +
 * 1 classes take less than 2 log2(s + 1) digits and no more than 7 of them have a product of 64. */
#ifndef RSMI_LATTICE_COUNTS_H
#define RSMI_LATTICE_COUNTS_H

#include "base/vectors.h"
#include "models/lattice/lattice_system.h"

enum { MOST_DIGITS = 8, GENERAL = -1 };

typedef struct {
    int exclusive, size, other; /* one group, or two; `size` is GENERAL for all other kinds */
    const lattice_kind *kind;   /* of the general form */
} form;

RSMI_INLINE int has_form(const lattice_kind *kind, int exclusive, int size, int other)
{
    return kind->exclusive == exclusive && kind->groups == 1 + (other > 0) &&
           kind->size[0] == size && (!other || kind->size[1] == other);
}

RSMI_INLINE form simple_form(int exclusive, int size, int other)
{
    return (form){exclusive, size, other, 0};
}

RSMI_INLINE form general_form(const lattice_kind *kind)
{
    return (form){(int)kind->exclusive, GENERAL, 0, kind};
}

RSMI_INLINE int binary_digits(int size)
{
    return size < 1 ? 0 : 32 - __builtin_clz((unsigned)size);
}

/* The number of digits of all groups. */
RSMI_INLINE int digits_of(form f)
{
    if (f.size != GENERAL)
        return binary_digits(f.exclusive ? 1 : f.size) + binary_digits(f.other);
    int digits = 0;
    for (int64_t g = 0; g < f.kind->groups; g++)
        digits += binary_digits(g < f.exclusive ? 1 : (int)f.kind->size[g]);
    return digits;
}

/* ---- Counts ---- */

RSMI_INLINE vector neighbour(const uint64_t *spins, const int32_t *near, int i)
{
    return load(spins + (int64_t)GENERATOR_LANES * near[i]);
}

/* Adds two words to a count of `digits` binary digits. */
RSMI_INLINE void add_pair(vector *count, int digits, vector a, vector b)
{
    vector carry = majority(count[0], a, b);
    count[0] = xor3(count[0], a, b);
    for (int i = 1; i < digits; i++) {
        const vector digit = count[i];
        count[i] = digit ^ carry;
        carry &= digit;
    }
}

/* Counts three, four or six words with as few adders as possible. */
RSMI_INLINE void count_few(int size, const vector n[6], vector *count)
{
    const vector one = xor3(n[0], n[1], n[2]), two = majority(n[0], n[1], n[2]);
    count[0] = one, count[1] = two;
    if (size == 4) {
        const vector carry = one & n[3];
        count[0] = one ^ n[3], count[1] = two ^ carry, count[2] = two & carry;
    }
    if (size == 6) {
        const vector more = xor3(n[3], n[4], n[5]), twice = majority(n[3], n[4], n[5]),
                     carry = one & more;
        count[0] = one ^ more, count[1] = xor3(two, twice, carry),
        count[2] = majority(two, twice, carry);
    }
}

/* Counts how many of `size` neighbours are up. */
RSMI_INLINE void count_group(int size, const uint64_t *spins, const int32_t *near, vector *count)
{
    if (size == 3 || size == 4 || size == 6) {
        vector n[6];
        UNROLL for (int i = 0; i < size; i++) n[i] = neighbour(spins, near, i);
        count_few(size, n, count);
        return;
    }
    const int digits = binary_digits(size);
    for (int i = 1; i < digits; i++)
        count[i] = all(0);
    count[0] = size & 1 ? neighbour(spins, near, size - 1) : all(0);
    for (int i = 0; i + 1 < size; i += 2)
        add_pair(count, digits, neighbour(spins, near, i), neighbour(spins, near, i + 1));
}

/* Finds whether any of the neighbours is up. */
RSMI_INLINE vector any_of_group(int size, const uint64_t *spins, const int32_t *near)
{
    vector any = neighbour(spins, near, 0);
    for (int i = 1; i < size; i++)
        any |= neighbour(spins, near, i);
    return any;
}

RSMI_INLINE void count_or_any(int exclusive, int size, const uint64_t *spins, const int32_t *near,
                              vector *count)
{
    if (exclusive)
        count[0] = any_of_group(size, spins, near);
    else
        count_group(size, spins, near, count);
}

RSMI_INLINE void count_neighbours(form f, const uint64_t *spins, const int32_t *near,
                                  vector count[MOST_DIGITS])
{
    if (f.size != GENERAL) {
        count_or_any(f.exclusive, f.size, spins, near, count);
        if (f.other)
            count_group(f.other, spins, near + f.size,
                        count + binary_digits(f.exclusive ? 1 : f.size));
        return;
    }
    for (int64_t g = 0; g < f.kind->groups; g++) {
        const int size = (int)f.kind->size[g];
        count_or_any(g < f.exclusive, size, spins, near, count);
        near += size, count += binary_digits(g < f.exclusive ? 1 : size);
    }
}

/* ---- Products of digits ---- */

/* Makes the product of the digits of every number 1 .. size: product[5] = digit[0] & digit[2]. */
RSMI_INLINE void multiply_digits(int size, const vector *digit, vector *product)
{
    for (int v = 1; v <= size; v++)
        product[v] = v & (v - 1) ? product[v & (v - 1)] & digit[__builtin_ctz((unsigned)v)]
                                 : digit[__builtin_ctz((unsigned)v)];
}

/* The products of digits of one word: of group 0, and of all other groups together. Product 0 is
 * one, and is not stored. */
typedef struct {
    vector first[LATTICE_CLASSES], others[LATTICE_CLASSES];
} products;

/* The number of products of the first group, and of the other groups together. */
RSMI_INLINE int first_products(form f)
{
    if (f.size != GENERAL)
        return f.exclusive ? 2 : f.size + 1;
    return f.kind->groups == 0 ? 1 : f.exclusive ? 2 : (int)f.kind->size[0] + 1;
}

RSMI_INLINE int other_products(form f)
{
    return f.size != GENERAL ? f.other + 1 : (int)f.kind->classes / first_products(f);
}

/* Multiplies products by those of one more group of `size` neighbours. */
RSMI_INLINE void add_group(int size, const vector *digit, int present, vector *product)
{
    vector own[LATTICE_CLASSES];
    multiply_digits(size, digit, own);
    for (int v = 1; v <= size; v++) {
        product[v * present] = own[v];
        for (int c = 1; c < present; c++)
            product[v * present + c] = product[c] & own[v];
    }
}

RSMI_INLINE void multiply_all(form f, const vector *digit, products *p)
{
    const int first = first_products(f) - 1;
    multiply_digits(first, digit, p->first);
    digit += binary_digits(first);
    if (f.size != GENERAL) {
        multiply_digits(f.other, digit, p->others);
        return;
    }
    int present = 1;
    for (int64_t g = 1; g < f.kind->groups; g++) {
        const int size = (int)f.kind->size[g];
        add_group(size, digit, present, p->others);
        present *= size + 1, digit += binary_digits(size);
    }
}

#endif
