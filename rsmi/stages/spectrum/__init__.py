"""``rsmi spectrum``: scaling dimensions of local functions, from lattices of several sizes."""
