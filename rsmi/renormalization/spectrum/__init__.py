"""Scaling dimensions from lattice sums of local functions of the spins.

A scaling operator of dimension Delta shows itself in how averages on periodic lattices of L sites
a side change with L. The road from configurations to Delta has five parts, one module each:

- `functions`: a local function of the spins as a sum of products (`LocalFunction`): named
  operators, the bond energy, block variables of rules and quadratic filters. `readouts` holds
  functions of blocks that are too large for products, and the parity of any function as measured.
- `readings`: `measure` gives the lattice average of every function in every configuration and, on
  request, its structure factors at the smallest wave vectors (`modes`).
- `group_sums`: `GroupSums` adds powers and products of readings over groups of chains. This is all
  that a file need store; groups are the blocks of the jackknife, and shards are joined by
  `concatenate`.
- `quantities`: `estimates` turns the sums of one size into logarithms of quantities with known
  powers of L, with their covariance; exact energies serve as control variates.
- `dimensions` and `fits`: `spectrum_of` extrapolates every quantity over the sizes and picks the
  headline of each sector by a rule that is fixed beforehand.

A typical use, for sizes 8 and 16::

    functions = (magnetization(2), bond_energy(2))
    sums = GroupSums.empty(64, even=["energy"], odd=["magnetization"], shape=(8, 8))
    readings = measure(rows, (8, 8), functions)          # once for each batch of rows
    sums.add(readings.values[:, 1:], readings.values[:, :1], groups)
    spectrum_of([SizeData(8, sums, exact), SizeData(16, ...)])

Notation: d axes, N = L^d sites, O an even and m an odd function averaged over the lattice, M_p =
<|m|^p>, S(n) = <|sum_x O(x) exp(-i q x)|^2> / N at q = 2 pi n / L, without the product of averages.
"""
