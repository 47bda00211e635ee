"""Coarse-graining rules, correlators, Monte Carlo renormalization group and thermometers."""
