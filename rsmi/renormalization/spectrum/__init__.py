"""Scaling dimensions from lattice sums of local functions of the spins.

A scaling operator of dimension Delta shows itself in how averages on periodic lattices of L sites
a side change with L. The road from configurations to Delta has six parts:

- `functions`: a local function of the spins as a sum of products (`LocalFunction`): the
  magnetization, the bond energy and the operators with a name. `tables` makes the function of a
  hidden unit, as products, as a `Table` of the states of a block, or as a `Readout` (`readouts`) of
  blocks too large for both; `readouts` also measures the parity of any function. `plan` brings
  products into the form of the kernels.
- `averages`: functions of lattices with any number of components: order parameters with a wave
  vector (`rsmi.lattice.order`), energies, and parts of local functions with the waves of an order.
- `readings`: `measure` gives the lattice average of every function in every configuration and, on
  request, its structure factors at the smallest wave vectors (`modes`).
- `group_sums`: `GroupSums` adds powers and products of readings over groups of chains. This is all
  that a file need store; groups are the blocks of the jackknife, and shards are joined by
  `concatenate`.
- `quantities`: `estimates` turns the sums of one size into logarithms of quantities with known
  powers of L, with their covariance; exact energies serve as control variates.
- `fits`, `extrapolations` and `dimensions`: a least-squares fit over sizes, the three fits of a
  quantity with their systematic error, and `spectrum_of`, which extrapolates every quantity and
  picks the headline of each sector by a rule that is fixed beforehand.

Correlation functions take the values of a function at every site (`site_functions`) and have their
own sums and results (`correlations`).

A typical use, for sizes 8 and 16::

    functions = (magnetization(2), bond_energy(2))
    sums = GroupSums.empty(64, even=["energy"], odd=["magnetization"], shape=(8, 8))
    readings = measure(rows, (8, 8), functions)          # once for each batch of rows
    sums.add(readings.values[:, 1:], readings.values[:, :1], groups)
    spectrum_of([SizeData(8, sums, exact), SizeData(16, ...)])

Notation: d axes, N = L^d sites, O an even and m an odd function averaged over the lattice, M_p =
<|m|^p>, S(n) = <|sum_x O(x) exp(-i q x)|^2> / N at q = 2 pi n / L, without the product of averages.
"""
