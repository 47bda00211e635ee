"""Analytic renormalization of the Ising model."""
