"""Operators along repeated coarse-graining."""
