"""Thin Cython wrappers over the C core: shape checks, one call with the GIL released, status to
exception."""
