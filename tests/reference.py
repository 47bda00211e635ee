"""Slow Python twins of the C kernels: the same algorithm and random stream, written for reading."""
