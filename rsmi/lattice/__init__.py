"""Models, the geometry of block, buffer and environment, and exact solutions."""
