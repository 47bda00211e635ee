"""Slow Python twins of the C kernels: the same algorithm and random stream, written for reading."""

import collections
import itertools
import math

import numpy as np

# --- random numbers (csrc/random.h)
# -----------------------------------------------------------------------------------


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


# --- windows (csrc/windows.c)
# -----------------------------------------------------------------------------------------


def choose_windows(n_configurations, shape, count, key):
    """Configuration, origin and flip of every window."""
    for w in range(count):
        site = keyed_bits(key, w, 0) * int(np.prod(shape)) >> 64
        origin = tuple(int(x) for x in np.unravel_index(site, shape))
        first, following = w * n_configurations // count, (w + 1) * n_configurations // count
        configuration = first + (keyed_bits(key, w, 2) * max(1, following - first) >> 64)
        yield configuration, origin, -1 if keyed_bits(key, w, 1) >> 63 else 1


def window_spins(configuration, block, nearest, farthest, origin):
    """Spins at Chebyshev distance nearest .. farthest from the block at origin (distance 0: the
    block), by rolling the lattice until the window's corner is its first site."""
    margin = farthest
    rolled = np.roll(configuration, [margin - x for x in origin], axis=range(configuration.ndim))
    spins = []
    for site in itertools.product(*[range(size + 2 * margin) for size in block]):
        distance = max(max(margin - x, x - margin - size + 1, 0) for x, size in zip(site, block))
        if nearest <= distance <= farthest:
            spins.append(rolled[site])
    return np.array(spins, np.int8)


# --- blocking and operators
# -------------------------------------------------------------------------------------------


def unpack(row, shape):
    """The +-1 spins of a packed row."""
    bits = np.unpackbits(row, count=math.prod(shape), bitorder="little").reshape(shape)
    return 2 * bits.astype(np.int64) - 1


def pack(spins):
    """Packed rows of (n, *shape) spins."""
    return np.packbits(spins.reshape(len(spins), -1) > 0, axis=1, bitorder="little")


def coarse_spin(block_spins, filters, bias, hard, bits):
    """One coarse spin (0 or 1) from 64 random bits."""
    field = bias + sum(s * f for s, f in zip(block_spins, filters))
    if hard and abs(field) <= 1e-9 * sum(abs(f) for f in filters):
        return int(bits < 2**63)
    if hard:
        return int(field > 0)
    probability = 1 / (1 + math.exp(-field)) if field > -700 else 0.0
    return 1 if probability == 1 else int(bits < int(probability * 2.0**64))


def coarse_grain(row, shape, rule, key, sample):
    """Coarse spins 0/1 (n_hidden, *coarse_shape) of one packed row."""
    spins = unpack(row, shape)
    coarse_shape = tuple(extent // sites for extent, sites in zip(shape, rule.block))
    coarse = np.empty((len(rule.filters), *coarse_shape), dtype=np.uint8)
    for site, corner in enumerate(np.ndindex(coarse_shape)):
        window = tuple(slice(c * sites, (c + 1) * sites) for c, sites in zip(corner, rule.block))
        for j, (filters, bias) in enumerate(zip(rule.filters, rule.bias)):
            bits = keyed_bits(key, sample, site * len(rule.filters) + j)
            coarse[(j, *corner)] = coarse_spin(
                spins[window].ravel(), filters, bias, rule.hard, bits
            )
    return coarse


def operator_sum(spins, copies):
    """Sum over the lattice of the products of spins at the points of every copy."""
    axes = tuple(range(spins.ndim))
    return sum(
        np.prod(
            [np.roll(spins, [-offset for offset in point], axes) for point in points], axis=0
        ).sum()
        for points in copies
    )


WORD = 2**64 - 1

# --- Ising samplers (csrc/ising*.c)
# -----------------------------------------------------------------------------------


def ising_forward(shape):
    """The next site along every axis that has more than one site, the last axis first, as lists
    over the flattened lattice."""
    index = np.arange(math.prod(shape)).reshape(shape)
    axes = [axis for axis in reversed(range(len(shape))) if shape[axis] > 1]
    return [np.roll(index, -1, axis).ravel().tolist() for axis in axes]


def ising_neighbours(shape):
    """Neighbours of every site in the order +x, -x, +y, -y, +z, -z (x is the last axis); one site
    twice across an axis of size 2."""
    both = []
    for forward in ising_forward(shape):
        backward = [forward.index(site) for site in range(len(forward))]
        both += [forward, backward]
    return list(zip(*both, strict=True))


def ising_local(spins, coupling, rng, algorithm, sweeps):
    """Checkerboard Metropolis or heat bath; Metropolis hesitates at moves of no cost where always
    accepting them is not ergodic."""
    neighbours, flat = ising_neighbours(spins.shape), spins.reshape(-1)
    colour = np.indices(spins.shape).sum(axis=0).ravel() % 2

    sizes = [size for size in spins.shape if size > 1]
    hesitates = len(sizes) == 1 or min(sizes) <= 4 or coupling == 0

    def stay_threshold(cost):
        if algorithm == "heat-bath" or (cost == 0 and hesitates):
            return probability_threshold(1 / (1 + math.exp(-cost)), 1 / (1 + math.exp(cost)))
        return 0 if cost <= 0 else probability_threshold(-math.expm1(-cost), math.exp(-cost))

    for _ in range(sweeps):
        for parity in (0, 1):
            for site in np.flatnonzero(colour == parity):
                product = int(flat[site]) * sum(int(flat[other]) for other in neighbours[site])
                if xoshiro_next(rng) >= stay_threshold(2 * coupling * product):
                    flat[site] *= -1


def ising_wolff(spins, coupling, rng, clusters):
    """Wolff clusters, breadth first."""
    neighbours, flat = ising_neighbours(spins.shape), spins.reshape(-1)
    threshold = probability_threshold(-math.expm1(-2 * coupling), math.exp(-2 * coupling))
    for _ in range(clusters):
        seed = xoshiro_next(rng) * flat.size >> 64
        queue, spin = [seed], flat[seed]
        flat[seed] = -spin
        for site in queue:
            for other in neighbours[site]:
                bits = xoshiro_next(rng)
                if flat[other] == spin and bits < threshold:
                    flat[other] = -spin
                    queue.append(other)


def toss_together(lanes, threshold, rng):
    """Which of the lanes (positions in a word) draw a 64-bit number below the threshold, all
    compared bit by bit from the top."""
    below, undecided = set(), set(lanes)
    for k in range(63, -1, -1):
        if not undecided or threshold & ((2 << k) - 1) == 0:
            break
        bits = xoshiro_next(rng)
        for lane in sorted(undecided):
            drawn, wanted = bits >> lane & 1, threshold >> k & 1
            if drawn != wanted:
                undecided.discard(lane)
                if drawn < wanted:
                    below.add(lane)
    return below


def ising_swendsen_wang(spins, coupling, rng, sweeps):
    """Swendsen-Wang: bonds drawn word by word, clusters found by flooding; a cluster takes the coin
    of its first run of sites."""
    flat, width = spins.reshape(-1), spins.shape[-1]
    threshold = probability_threshold(-math.expm1(-2 * coupling), math.exp(-2 * coupling))
    forward = ising_forward(spins.shape)
    for _ in range(sweeps):
        joined = [set() for _ in range(flat.size)]
        for axis in forward:
            for row in range(0, flat.size, width):
                for first in range(row, row + width, 64):
                    sites = range(first, min(first + 64, row + width))
                    equal = [
                        lane for lane, site in enumerate(sites) if flat[site] == flat[axis[site]]
                    ]
                    for lane in toss_together(equal, threshold, rng):
                        joined[sites[lane]].add((axis[sites[lane]], axis is forward[0]))
                        joined[axis[sites[lane]]].add((sites[lane], False))
        starts = [
            site % width == 0 or (site, True) not in joined[site - 1] for site in range(flat.size)
        ]
        words = [xoshiro_next(rng) for _ in range(0, sum(starts), 64)]
        seen = set()
        for root in range(flat.size):
            if root in seen:
                continue
            run = sum(starts[: root + 1]) - 1
            cluster = [root]
            seen.add(root)
            for site in cluster:
                fresh = {other for other, _ in joined[site]} - seen
                seen |= fresh
                cluster += fresh
            if words[run // 64] >> run % 64 & 1:
                flat[cluster] *= -1


# --- RSMI objectives and lambda training (csrc/lambda.c)
# --------------------------------------------------------------


def logistic(x):
    return 1 / (1 + np.exp(-x))


def channel_states(filters, bias, blocks):
    """q(h|v), (n, 2^n_hidden), one factor at a time."""
    up = logistic(blocks @ filters.T + bias)
    q = np.ones((len(blocks), 2 ** len(filters)))
    for h in range(q.shape[1]):
        for j in range(len(filters)):
            q[:, h] *= up[:, j] if h >> j & 1 else 1 - up[:, j]
    return q


def minus_free_energy(weights, visible_bias, hidden_bias, visible):
    """-F(x) = a.x + sum_k log 2cosh(c_k + (x W)_k)."""
    return visible @ visible_bias + np.log(2 * np.cosh(visible @ weights + hidden_bias)).sum(
        axis=-1
    )


def pair_energies(theta, blocks, environments):
    """F[i, j] = f(v_j, e_i) without the visible bias of the environment."""
    energies = np.empty((len(environments), len(blocks)))
    n_block = blocks.shape[1]
    bias = np.where(np.arange(len(theta.visible_bias)) < n_block, theta.visible_bias, 0)
    for i, e in enumerate(environments):
        both = np.hstack([blocks, np.tile(e, (len(blocks), 1))])
        energies[i] = minus_free_energy(theta.weights, bias, theta.hidden_bias, both)
    return energies - minus_free_energy(
        theta.block_weights, theta.block_visible_bias, theta.block_hidden_bias, blocks
    )


def proxy_by_pairs(energies, q, with_own=False):
    """First cumulant over the pairs i != j (or all), rows centred: the mean of F over V|h, minus
    its mean over V."""
    n = len(q)
    value = 0.0
    for i in range(n):
        others = [j for j in range(n) if j != i or with_own]
        row = energies[i] - energies[i, others].mean()
        for h in range(q.shape[1]):
            value += q[i, h] * sum(q[j, h] * row[j] for j in others) / q[:, h].sum() / len(others)
    return value


def log_sum_by_pairs(energies, q, with_own=False):
    """mean_i sum_h q(h|v_i) log sum_j w_hj exp(F_ij), j != i (or all), with exp(F_ij) relative to
    its mean over these j."""
    n = len(q)
    value = 0.0
    for i in range(n):
        others = [j for j in range(n) if j != i or with_own]
        factor = np.exp(energies[i, others]) / np.exp(energies[i, others]).mean()
        for h in range(q.shape[1]):
            value += q[i, h] * np.log(factor @ q[others, h] / q[:, h].sum()) / n
    return value


def gaussian_proxy(energies, q):
    """First cumulant over the pairs i != j of energies F[i, j] whose means vanish."""
    n, value = len(q), 0.0
    for h in range(q.shape[1]):
        for i in range(n):
            value += (
                q[i, h]
                * sum(q[j, h] * energies[i, j] for j in range(n) if j != i)
                / (q[:, h].sum() * (n - 1))
            )
    return value


def decoder_log_probabilities(parameters, environments, n_units, n_hidden):
    """log r(h|e): softmax of sum_j (2 h_j - 1) (field e)_j + offset(h) + output(h) tanh(input e +
    input_bias)."""
    n_e, n_states = environments.shape[1], 2**n_hidden
    sizes = [n_hidden * n_e, n_states, n_states * n_units, n_units * n_e, n_units]
    field, offset, output, inputs, input_bias = np.split(parameters, np.cumsum(sizes)[:-1])
    signs = np.array([[2 * (h >> j & 1) - 1 for j in range(n_hidden)] for h in range(n_states)])
    hidden = np.tanh(environments @ inputs.reshape(n_units, n_e).T + input_bias)
    logits = (
        environments @ field.reshape(n_hidden, n_e).T @ signs.T
        + offset
        + hidden @ output.reshape(n_states, n_units).T
    )
    return logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))


def variational_bound(q, log_r):
    """<sum_h q(h|v) log [r(h|e) / <r(h|e)>]>."""
    return (q * (log_r - np.log(np.exp(log_r).mean(axis=0)))).sum(axis=1).mean()


def gibbs_chains(theta, filters, bias, chains, rng, n_sweeps):
    """Single-spin updates under P_Theta(V) q(h|V) from the full weights; chains (n_states, n_block,
    n_chains) in place."""

    def log_weight(v, h):
        machine = (theta.block_weights, theta.block_visible_bias, theta.block_hidden_bias)
        return minus_free_energy(*machine, v[None])[0] + np.log(
            channel_states(filters, bias, v[None])[0, h]
        )

    for h in range(len(chains)):
        for _ in range(n_sweeps):
            for site in range(chains.shape[1]):
                for m in range(chains.shape[2]):
                    up, down = chains[h, :, m].astype(float), chains[h, :, m].astype(float)
                    up[site], down[site] = 1, -1
                    p = logistic(log_weight(up, h) - log_weight(down, h))
                    chains[h, site, m] = 1 if (xoshiro_next(rng) >> 11) * 2.0**-53 < p else -1


def adam_steps(state, gradient, n_windows, settings, steps):
    """Minibatches from the stream, Adam with the schedule; gradient(parameters, index) of the
    parameter vector.

    Returns the parameters after every step.
    """
    parameters, moments, path = state["parameters"].copy(), state["moments"].copy(), []
    rng = [int(word) for word in state["rng"]]
    for t in range(steps):
        index = [
            int((xoshiro_next(rng) >> 11) * 2.0**-53 * n_windows) for _ in range(settings.batch)
        ]
        g = gradient(parameters, np.array(index))
        progress = t / settings.total_steps
        rate = settings.learning_rate * (1 if progress < 0.5 else 1 - 0.95 * (2 * progress - 1))
        moments[0] = 0.9 * moments[0] + 0.1 * g
        moments[1] = 0.99 * moments[1] + 0.01 * g**2
        step = (
            moments[0] / (1 - 0.9 ** (t + 1)) / (np.sqrt(moments[1] / (1 - 0.99 ** (t + 1))) + 1e-8)
        )
        parameters = parameters + rate * step
        path.append(parameters)
    return np.array(path)


# --- training of a restricted Boltzmann machine (csrc/rbm.c)
# ----------------------------------------------------------


class Machine:
    """A +-1 machine in training: integers modulo 2^32 for fields and statistics, float32 operation
    by operation in the order of the kernel for the rest; a sample is a column."""

    STRIP = 128

    def __init__(self, state):
        self.state = {name: array.copy() for name, array in state.items()}

    def train_epoch(
        self,
        visible,
        epochs_total,
        batch_size,
        n_gibbs,
        learning_rate,
        momentum,
        weight_decay,
        symmetric,
    ):
        """Returns the number of visible units that differ at the ends of the chains."""
        state, n_batches = self.state, len(visible) // batch_size
        order = self.shuffled(len(visible))
        differences = 0
        self.mean_bits = next(bits for bits in range(22, 0, -1) if 2 * batch_size << bits < 2**31)
        per_sample = np.float32(1) / np.float32(batch_size) * np.float32(2.0**-self.mean_bits)
        for b in range(n_batches):
            done = (int(state["epoch"]) * n_batches + b) / (epochs_total * n_batches)
            rate = np.float32(learning_rate * (1 - 0.95 * done))
            data = visible[order[b * batch_size : (b + 1) * batch_size]]
            gradients, changed = self.gradients(data, n_gibbs)
            differences += changed
            for name, gradient in gradients.items():
                if name != "weights" and symmetric:
                    continue
                decay = np.float32(weight_decay if name == "weights" else 0)
                step = state[name.removesuffix("_bias") + "_momentum"]
                scaled = gradient.astype(np.float32) * per_sample
                step[...] = np.float32(momentum) * step + rate * (scaled - decay * state[name])
                state[name] += step
        state["epoch"] += 1
        return differences

    def shuffled(self, n):
        order, rng = list(range(n)), [int(x) for x in self.state["rng"]]
        for j in range(n, 1, -1):
            k = int((xoshiro_next(rng) >> 11) * 2.0**-53 * j)
            order[k], order[j - 1] = order[j - 1], order[k]
        self.state["rng"][:] = rng
        return order

    def round_parameters(self):
        """Fields as log2 odds of -1, in fixed point fine enough and such that none can reach
        2^30."""
        names = ("weights", "visible_bias", "hidden_bias")
        weights, *biases = (self.state[name] for name in names)
        log2_odds = np.float32(-2.885390082)
        largest = -float(log2_odds) * max(
            float(np.abs(bias).max()) + n * float(np.abs(weights).max())
            for bias, n in zip(biases, weights.shape[::-1])
        )
        self.field_bits = next(bits for bits in range(23, -1, -1) if largest * 2.0**bits < 2**30)
        scale = log2_odds * np.float32(2.0**self.field_bits)
        self.rounded = {name: np.rint(self.state[name] * scale).astype(np.int64) for name in names}

    def gradients(self, data, n_gibbs):
        """Positive minus negative sums over a batch, strip by strip, in fixed point."""
        self.round_parameters()
        sums, differences = (
            {name: np.zeros(array.shape, np.int32) for name, array in self.rounded.items()},
            0,
        )
        for start in range(0, len(data), self.STRIP):
            strip = data[start : start + self.STRIP]
            columns = -(-len(strip) // 16) * 16
            layer = np.full((data.shape[1], columns), -1, np.int64)
            layer[:, : len(strip)] = strip.T
            fields = self.hidden_fields(layer)
            self.add(sums, layer, fields, 1, len(strip))
            if "chains" in self.state:
                chains = self.state["chains"][start : start + len(strip)]
                chain = np.full_like(layer, -1)
                chain[:, : len(strip)] = chains.T
                fields = self.hidden_fields(chain)
            for _ in range(n_gibbs):
                hidden = self.sample(fields)
                chain = self.sample(self.visible_fields(hidden))
                fields = self.hidden_fields(chain)
            self.add(sums, chain, fields, -1, len(strip))
            differences += np.count_nonzero((chain != layer)[:, : len(strip)])
            if "chains" in self.state:
                chains[...] = chain[:, : len(strip)].T
        return sums, differences

    def hidden_fields(self, visible):
        return self.rounded["hidden_bias"][:, None] + self.rounded["weights"].T @ visible

    def visible_fields(self, hidden):
        return self.rounded["visible_bias"][:, None] + self.rounded["weights"] @ hidden

    def odds_of_minus(self, fields):
        """2^y by the kernel's polynomial."""
        limit = 126 << self.field_bits
        y = np.clip(fields, -limit, limit) << (23 - self.field_bits)
        z = ((y & 0x7FFFFF) | 0x3F800000).astype(np.int32).view(np.float32)
        p = np.float32(0)
        for coefficient in (
            1.877564994e-3,
            -3.984581660e-4,
            3.864448011e-2,
            1.078352821e-1,
            3.537550758e-1,
            4.982859803e-1,
        ):
            p = p * z + np.float32(coefficient)
        return np.ldexp(p, (y >> 23).astype(np.int32))

    def sample(self, fields):
        uniforms = self.uniforms(fields.size).reshape(fields.shape)
        plus = uniforms * (np.float32(1) + self.odds_of_minus(fields)) < np.float32(1)
        return np.where(plus, 1, -1)

    def uniforms(self, n):
        lanes, rounds = self.state["lanes"], []
        for _ in range(-(-n // lanes.shape[1])):
            s0, s1, s2, s3 = lanes.copy()
            total = s0 + s3
            bits = (total << np.uint32(7) | total >> np.uint32(25)) + s0
            s2, s3, shifted = s2 ^ s0, s3 ^ s1, s1 << np.uint32(9)
            s1, s0 = s1 ^ s2, s0 ^ s3
            lanes[:] = s0, s1, s2 ^ shifted, s3 << np.uint32(11) | s3 >> np.uint32(21)
            rounds.append((bits >> np.uint32(8)).astype(np.float32) * np.float32(2.0**-24))
        return np.concatenate(rounds)[:n]

    def add(self, sums, visible, fields, sign, n_samples):
        odds = self.odds_of_minus(fields[:, :n_samples])
        means = (np.float32(1) - odds) / (np.float32(1) + odds)
        fixed = sign * np.rint(means * np.float32(2.0**self.mean_bits)).astype(np.int64)
        sums["weights"] += (visible[:, :n_samples] @ fixed.T).astype(np.int32)
        sums["hidden_bias"] += fixed.sum(axis=1).astype(np.int32)
        sums["visible_bias"] += (
            sign * visible[:, :n_samples].sum(axis=1).astype(np.int32) << self.mean_bits
        )


# --- neighbourhoods (csrc/neighbourhood.c)
# ----------------------------------------------------------------------------


def local_energies(spins, operators):
    """s_l times the sum of the other spins' products over the products of each operator that
    contain l: (operators, *shape). Every image of an operator under the symmetries of the lattice,
    put so that each of its points in turn lies on l.
    """
    energies = []
    for operator in operators:
        dimension, products = spins.ndim, set()
        for axes in itertools.permutations(range(dimension)):
            for signs in itertools.product((1, -1), repeat=dimension):
                image = [
                    tuple(sign * point[axis] for sign, axis in zip(signs, axes))
                    for point in operator.points
                ]
                products |= {
                    frozenset(tuple(x - y for x, y in zip(point, origin)) for point in image)
                    for origin in image
                }
        energies.append(
            sum(
                np.prod(
                    [np.roll(spins, [-x for x in point], range(dimension)) for point in product],
                    axis=0,
                )
                for product in products
            )
        )
    return np.array(energies)


def neighbourhood_histogram(spins, operators):
    """Numbers of sites by (e_1, e_2, ...) of one configuration, a Counter."""
    return collections.Counter(
        zip(*local_energies(spins, operators).reshape(len(operators), -1).tolist(), strict=True)
    )


# --- two-spin correlations (csrc/correlations.c)
# ----------------------------------------------------------------------


def shifted_products(configurations, axis, distance):
    """Sum over the lattice of s(x) s(x + distance along the axis), by the definition;
    configurations (n, *shape) of +-1."""
    side = configurations.shape[axis + 1]
    shifted = np.take(configurations, (np.arange(side) + distance) % side, axis + 1)
    return (configurations.astype(np.int64) * shifted).reshape(len(configurations), -1).sum(axis=1)


# --- bit-sliced Ising sampler (csrc/ising_bitsliced*)
# -----------------------------------------------------------------


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


class BitslicedIsing:
    """The bit-sliced sampler on spins (512, *shape) or, as a strip, (1, *shape); axes of size 1
    left out.

    A word is a row of 512 places in the flattened spins, a random word a row of 512 bits. A spin
    tosses its coin until the first tail; if that is toss T, digit T of its probability decides.
    """

    def __init__(self, spins, coupling, algorithm, rng, blocks=1, private_draws=8, total_draws=16):
        self.spins, self.metropolis, self.sign = (
            spins,
            algorithm == "metropolis",
            -1 if coupling < 0 else 1,
        )
        self.private_draws, self.total_draws = private_draws, total_draws
        axes, strength = spins.shape[1:], 4 * abs(coupling)
        self.hesitates = len(axes) == 1 or min(axes) <= 4 or coupling == 0
        self.probabilities = [0]
        for i in (1, 2, 3):
            against, along = math.exp(-strength * i), -math.expm1(-strength * i)
            self.probabilities.append(
                probability_threshold(against, along)
                if self.metropolis
                else probability_threshold(1 / (1 + math.exp(strength * i)), 1 / (1 + against))
            )
        self.digits = np.array(
            [[p >> (63 - j) & 1 for j in range(total_draws)] for p in self.probabilities],
            dtype=bool,
        )
        self.state = [
            [int(keyed_bits(rng[:2], block, i) ^ keyed_bits(rng[2:], block, i)) for i in range(130)]
            + [0]
            for block in range(blocks)
        ]
        self.streams = [
            np.array(state[:128], dtype=np.uint64).reshape(4, 4, 8) for state in self.state
        ]

    def pairs(self, sublattice):
        """The words of a sublattice two by two, first the one whose row starts with an even
        site."""
        axes, sites = self.spins.shape[1:], np.arange(self.spins.size)
        slabs = 8 if len(self.spins) == 1 else 512
        rows = sites.reshape(slabs, -1, axes[-1]).transpose(
            1, 0, 2
        )  # the same row of every slab or replica
        layer = axes[1] if len(axes) == 3 else 1
        words, width = [], 512 // slabs
        for r, row in enumerate(rows):
            starts_odd = (r // layer + r % layer + sublattice) % 2
            members = row[:, starts_odd::2]
            words.append(
                [members[:, x : x + width].ravel() for x in range(0, members.shape[1], width)]
            )
        if len(rows) == 1:
            return [words[0][x : x + 2] for x in range(0, len(words[0]), 2)]
        starts_even = [(r // layer + r % layer + sublattice) % 2 == 0 for r in range(len(rows))]
        both = [
            words[r : r + 2] if starts_even[r] else words[r : r + 2][::-1]
            for r in range(0, len(rows), 2)
        ]
        return [pair for even, odd in both for pair in zip(even, odd, strict=True)]

    def fields(self):
        axes = range(1, self.spins.ndim)
        return sum(
            np.roll(self.spins, step, axis).astype(int) for axis in axes for step in (1, -1)
        ).ravel()

    def draw(self, block, k):
        """One random word of stream k."""
        result = twin_of_lanes(self.streams[block][k], 1)[0]
        return np.unpackbits(result.astype("<u8").view(np.uint8), bitorder="little").astype(bool)

    def exception(self, block, word, place, kind, draws):
        """What decides after that many heads: the rest of the number against the rest of the
        probability."""
        rest = self.probabilities[kind] << draws & WORD
        return keyed_bits(self.state[block][128:130], self.state[block][130] + word, place) < rest

    def update_batch(self, block, spins, fields):
        """New spins of eight words, both arguments (8, 512)."""
        kind, free, preferred = (
            abs(fields) // 2,
            fields == 0,
            np.where(fields * self.sign > 0, 1, -1),
        )
        tossing = ~free & (spins == preferred) if self.metropolis else ~free
        against = np.zeros((8, 512), dtype=bool)  # whether a spin goes against its neighbours
        heads = np.empty((8, self.private_draws, 512), dtype=bool)
        for k in range(8):
            heads[k] = [self.draw(block, k % 4) for _ in range(self.private_draws)]
        for j in range(self.private_draws):
            against |= tossing & ~heads[:, j] & self.digits[kind, j]
            tossing &= heads[:, j]
        clash = tossing & (tossing.sum(axis=0) > 1)
        tossing &= ~clash
        for j in range(self.private_draws, self.total_draws):
            shared = self.draw(block, j % 4)
            against |= tossing & ~shared & self.digits[kind, j]
            tossing &= shared
        for undecided, draws in ((clash, self.private_draws), (tossing, self.total_draws)):
            for k, place in np.argwhere(undecided):
                against[k, place] = self.exception(block, int(k), int(place), kind[k, place], draws)
        coins = np.where(heads[:, 0], self.sign, -self.sign)
        if self.metropolis:
            coins = -spins * np.where(heads[:, 0], -1, 1) if self.hesitates else -spins
        return np.where(free, coins, np.where(against, -preferred, preferred))

    def sweep(self, sweeps):
        """Both sublattices, block by block, eight words at a time; a batch that is not full is
        filled with words of spins -1 that have the neighbours of its first pair."""
        flat, blocks = self.spins.reshape(-1), len(self.state)
        for sublattice in (0, 1) * sweeps:
            pairs, fields = self.pairs(sublattice), self.fields()
            for block in range(blocks):
                share = pairs[len(pairs) * block // blocks : len(pairs) * (block + 1) // blocks]
                for first in range(0, len(share), 4):
                    words = [word for pair in share[first : first + 4] for word in pair]
                    padded = words + [
                        words[n % 2 if len(words) > 1 else 0] for n in range(len(words), 8)
                    ]
                    spins = np.array(
                        [flat[word] for word in words]
                        + [-np.ones(512, dtype=int)] * (8 - len(words))
                    )
                    new = self.update_batch(block, spins, fields[np.array(padded)])
                    flat[np.array(words)] = new[: len(words)]
                    self.state[block][130] += 8

    def generators(self):
        """The random state as the kernel keeps it, (blocks, 17, 8)."""
        last = [[*state[128:], 0, 0, 0, 0, 0] for state in self.state]
        return np.array(
            [
                [*streams.reshape(16, 8), row]
                for streams, row in zip(self.streams, last, strict=True)
            ],
            dtype=np.uint64,
        )


# --- dimers (csrc/dimers_worm.c, csrc/dimers.c)
# -----------------------------------------------------------------------

STEPS = {0: (1, 0), 1: (0, 1), 2: (-1, 0), 3: (0, -1)}


def base_3_digits(rng):
    """Fair digits 0, 1, 2 by threes of 64-bit words: 39 of them, lowest first, of a number below
    3^39."""
    while True:
        value = xoshiro_next(rng) >> 2
        if value < 3**39:
            for _ in range(39):
                yield value % 3
                value //= 3


def dimer_worms(partners, rng, is_open, worms):
    """Worms in one covering (Lx, Ly) of directions, in place; rng a list of four integers. Returns
    the steps."""
    shape, digits, steps = partners.shape, base_3_digits(rng), 0

    def beyond(vertex, direction):
        there = tuple(x + dx for x, dx in zip(vertex, STEPS[direction]))
        folded = tuple(x % size for x, size in zip(there, shape))
        return None if is_open and there != folded else folded

    for _ in range(worms):
        start = tuple(
            int(x) for x in np.unravel_index(xoshiro_next(rng) * partners.size >> 64, shape)
        )
        straight = int(partners[start])
        head = beyond(start, straight)
        while True:
            direction, vertex = None, None
            while vertex is None:
                direction = straight ^ (0, 1, 3)[next(digits)]
                vertex = beyond(head, direction)
            straight = int(partners[vertex])
            partners[head], partners[vertex] = direction, direction ^ 2
            steps += 1
            if vertex == start:
                break
            head = beyond(vertex, straight)
    return steps


def dimer_links(partners):
    """(2, Lx, Ly) of 0 and 1."""
    return np.stack([partners == 0, partners == 1]).astype(np.uint8)


def dimer_noise(shape, probability, straddling, key, sample):
    """Spins 0 or 1 of vertices and faces, (2, Lx, Ly)."""
    vertices = np.zeros(shape, np.uint8)
    for i, site in enumerate(np.ndindex(shape)):
        vertices[site] = keyed_bits(key, sample, 2**30 + i // 64) >> i % 64 & 1
    faces = np.zeros(shape, np.uint8)
    for i, (x, y) in enumerate(np.ndindex(shape)):
        partner = vertices[(x + straddling) % shape[0], (y + straddling) % shape[1]]
        differs = probability < 1 and keyed_bits(key, sample, i) >= int(probability * 2.0**64)
        faces[x, y] = partner ^ differs
    return np.stack([vertices, faces])


# --- interacting dimers (csrc/dimers_loop.c)
# --------------------------------------------------------------------------


def dimer_loop_scatter(parallel, coupling):
    """Probabilities of turning a dimer from link 0 to link k; parallel[k] = 3 where there is no
    link."""
    exists = [n < 3 for n in parallel]
    best = (max if coupling > 0 else min)(n for n in parallel if n < 3)
    w = [
        max(math.exp(coupling * (n - best)), 1e-300) if there else 0.0
        for n, there in zip(parallel, exists)
    ]
    a, b, c, d = ordered = sorted(w, reverse=True)
    flow = np.zeros((4, 4))
    to_a = min(d, max(d / 3, (a - b - (c - d)) / 2))
    rest = (d - to_a) / 2
    left_b, left_c, gap = b - rest, c - rest, a - b - (to_a - rest)
    flow[0, 3], flow[1, 3], flow[2, 3] = to_a, rest, rest
    flow[0, 1] = min(left_b, left_b + (gap - left_c) / 2)
    flow[0, 2] = min(left_c, (left_c + gap) / 2)
    flow[1, 2] = max(0, (left_c - gap) / 2)
    flow += flow.T
    moves = [0.0] * 4
    for k in range(1, 4):
        alike = [
            float(flow[i, j])
            for i in range(4)
            for j in range(4)
            if i != j and (ordered[i], ordered[j]) == (w[0], w[k])
        ]
        heat_bath = w[k] / (sum(w) - min(w[0], w[k]))
        moves[k] = (1 - 1 / 32) * (sum(alike) / len(alike) / w[0]) + 1 / 32 * heat_bath
    moves[0] = max(0.0, 1 - sum(moves))
    return moves


def dimer_loop_worm(partners, coupling, state, boundary):
    """One worm of a covering (Lx, Ly) of directions, in place; -1 where a vertex has no dimer.
    Returns its steps."""
    shape = partners.shape

    def beyond(vertex, direction):
        x, y = vertex[0] + STEPS[direction][0], vertex[1] + STEPS[direction][1]
        if boundary == "open" and not (0 <= x < shape[0] and 0 <= y < shape[1]):
            return None
        return x % shape[0], y % shape[1]

    choice = xoshiro_next(state) * (partners.size // 2) >> 64
    x, y = choice // (shape[1] // 2), 2 * (choice % (shape[1] // 2))
    tail = x, y + x % 2
    came_by = int(partners[tail]) ^ 2
    head = beyond(tail, came_by ^ 2)
    partners[tail] = partners[head] = -1
    for steps in itertools.count(1):
        neighbours = [beyond(head, direction) for direction in range(4)]
        parallel = [
            (
                3
                if neighbours[k] is None
                else sum(
                    side is not None and partners[side] == k
                    for side in (neighbours[(k + 1) % 4], neighbours[(k + 3) % 4])
                )
            )
            for k in range(4)
        ]
        p = dimer_loop_scatter([parallel[(came_by + k) % 4] for k in range(4)], coupling)
        thresholds = [
            probability_threshold(p[1], p[2] + (p[3] + p[0])),
            probability_threshold(p[1] + p[2], p[3] + p[0]),
            probability_threshold(p[1] + p[2] + p[3], p[0]),
        ]
        bits = xoshiro_next(state)
        direction = (came_by + 1 + sum(bits >= threshold for threshold in thresholds)) % 4
        even = neighbours[direction]
        lifted = int(partners[even])
        partners[head], partners[even] = direction, direction ^ 2
        if lifted == -1:
            return steps
        head = beyond(even, lifted)
        partners[head] = -1
        came_by = lifted ^ 2


# --- correlation explanation (csrc/total_correlation.c)
# ---------------------------------------------------------------


def entropy_of_bit(p):
    return -sum(x * math.log(x) for x in (p, 1 - p) if x > 0)


def explain(state, blocks, weights, n_samples, symmetric, iterations):
    """The iteration of Ver Steeg & Galstyan as it is printed: log p(y|v) of both y, and log Z, of
    every block of +-1.

    The symmetric form is the plain one on the blocks and their flips.
    """
    least = max(0.01 / n_samples, 1e-12)
    clip = lambda p: min(max(p, least), 1 - least)  # noqa: E731
    if symmetric:
        blocks, weights = np.concatenate([blocks, -blocks]), np.concatenate([weights, weights]) / 2
    n_hidden, n_sites = state["filters"].shape
    p_up = [float(weights @ (blocks[:, i] > 0)) for i in range(n_sites)]
    log_odds = blocks @ state["filters"].T + state["bias"]
    log_q, log_z = {1: -np.logaddexp(0, -log_odds), 0: -np.logaddexp(0, log_odds)}, None
    for _ in range(iterations):
        explained = (
            [0.0] * n_hidden
            if log_z is None
            else [float(weights @ log_z[:, j]) for j in range(n_hidden)]
        )
        p_y = {
            y: [clip(float(weights @ np.exp(log_q[y][:, j]))) for j in range(n_hidden)]
            for y in (0, 1)
        }
        p_x = {
            y: [
                [
                    clip(float((weights * np.exp(log_q[y][:, j])) @ (blocks[:, i] > 0)) / p_y[y][j])
                    for i in range(n_sites)
                ]
                for j in range(n_hidden)
            ]
            for y in (0, 1)
        }
        if n_hidden > 1 and log_z is not None:
            for i in range(n_sites):
                whole = entropy_of_bit(p_up[i])
                known = [
                    max(
                        whole
                        - sum(p_y[y][j] * entropy_of_bit(p_x[y][j][i]) for y in (0, 1))
                        - 0.5 / n_samples,
                        0,
                    )
                    for j in range(n_hidden)
                ]
                if (
                    sum(
                        state["alpha"][j, i]
                        for j in range(n_hidden)
                        if explained[j] > max(1 / n_samples, 1e-9)
                    )
                    > 1.1
                ):
                    state["sharpness"][i] = min(1.3 * state["sharpness"][i], 1e12)
                for j in range(n_hidden):
                    state["alpha"][j, i] = math.exp(
                        (1 + state["sharpness"][i] * abs(explained[j]))
                        * (known[j] - max(known))
                        / whole
                    )
        numerator = {
            y: np.array([[math.log(p_y[y][j])] * len(blocks) for j in range(n_hidden)]).T
            for y in (0, 1)
        }
        for y in (0, 1):
            for j in range(n_hidden):
                for i in range(n_sites):
                    up = clip(p_up[i])
                    ratio = np.where(
                        blocks[:, i] > 0,
                        math.log(p_x[y][j][i] / up),
                        math.log((1 - p_x[y][j][i]) / (1 - up)),
                    )
                    numerator[y][:, j] += state["alpha"][j, i] * ratio
        log_z = np.logaddexp(numerator[0], numerator[1])
        log_q = {y: numerator[y] - log_z for y in (0, 1)}
        state["explained"][:] = explained
    return log_q[1]
