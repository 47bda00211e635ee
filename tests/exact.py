"""Exact answers by brute-force enumeration, for the tests alone: slow, obvious, independent of the package."""
