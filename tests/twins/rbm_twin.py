"""A slow Python twin of the training of a restricted Boltzmann machine (csrc/learning/rbm.c)."""

import numpy as np
from random_twin import xoshiro_next


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
