"""Training: Boltzmann machines (theta) and coarse-graining rules (lambda)."""
