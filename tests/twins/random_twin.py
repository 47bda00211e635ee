"""Slow Python twins of the random numbers of csrc/base/random.h, written for reading."""

import numpy as np

WORD = 2**64 - 1


def mix64(z):
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9 % 2**64
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB % 2**64
    return z ^ (z >> 31)


def keyed_bits(key, sample, site):
    """The 64-bit hash of (key, sample, site) of csrc/random.h."""
    golden = 0x9E3779B97F4A7C15
    inner = mix64((int(key[0]) + (sample + 1) * golden) % 2**64)
    return mix64((inner + (int(key[1]) ^ ((site + 1) * golden % 2**64))) % 2**64)


def xoshiro_next(state):
    """One step of xoshiro256++ on a list of four Python integers."""

    def rotate(x, k):
        return ((x << k) | (x >> (64 - k))) & WORD

    result = (rotate((state[0] + state[3]) & WORD, 23) + state[0]) & WORD
    shifted = (state[1] << 17) & WORD
    state[2] ^= state[0]
    state[3] ^= state[1]
    state[1] ^= state[2]
    state[0] ^= state[3]
    state[2] ^= shifted
    state[3] = rotate(state[3], 45)
    return result


def probability_threshold(p, q):
    """Threshold on 64 random bits for the probability p = 1 - q, never above 1 - 2^-64."""
    if p <= 0.5:
        return int(p * 2.0**64)
    return 2**64 - max(int(q * 2.0**64), 1)


def twin_of_lanes(states, count):
    """The next words of many xoshiro256++ at once, (count, n); ``states`` (4, n) are updated in
    place."""
    s, result = states, np.empty((count, states.shape[1]), dtype=np.uint64)
    for k in range(count):
        total, shifted = s[0] + s[3], s[1] << np.uint64(17)
        result[k] = (total << np.uint64(23) | total >> np.uint64(41)) + s[0]
        s[2] ^= s[0]
        s[3] ^= s[1]
        s[1] ^= s[2]
        s[0] ^= s[3]
        s[2] ^= shifted
        s[3] = s[3] << np.uint64(45) | s[3] >> np.uint64(19)
    return result
