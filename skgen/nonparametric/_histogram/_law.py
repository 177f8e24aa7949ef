r"""The distribution of a histogram: weights of cells, and the densities by which the columns spread them.

.. math:: p(x) = \frac{1}{N} \Bigl( \sum_c n_c \prod_j \varphi_{c_j}(x_j) + \prod_j b_j(x_j)
          \bigl(\alpha + \sum_{j,\, x_j \text{ in a tail}} 1 / \tau_{j, x_j} \bigr) \Bigr)

The first part counts rows. The second is the prior: a total mass :math:`\alpha` that is spread by the product of the
densities :math:`b_j`, and one row for each of the two tails of each column (whose share of :math:`b_j` is
:math:`\tau`), the other columns of which follow theirs. :math:`N = n + \alpha + 2 d`; without tails, the last sum and
:math:`2 d` are not there. What columns say of the rest is a histogram of the same form, of the cells that begin so and
with another factor in place of :math:`\alpha`: so all conditionals are exact.
"""

from typing import NamedTuple

import numpy as np
from sklearn.utils import gen_batches

MOST = 2**20  # cells that are looked at together
AT_ONCE = 2**15  # rows at a time: what is made of them stays in the cache
MOST_WRITTEN = 2**26  # nodes of `masses_of_bins`


class Known(NamedTuple):
    """What the first columns of some rows say of the rest.

    Of the cells: which begin so (`state`), for which row, and the product of their densities (`value`). Of the prior:
    the log of the product of the b_j, and the factor of it, in which the tails of the columns to come are counted.
    """

    row: np.ndarray
    state: np.ndarray
    value: np.ndarray
    log_prior: np.ndarray
    factor: np.ndarray


class Law:
    """The distribution of a histogram.

    Parameters
    ----------
    axes : list of Axis
        One for each column.
    cells : Cells
        The weights of the rows.
    alpha : float
        The mass of the prior.
    shares : list of ndarray
        For each column the masses of b_j by place.
    """

    def __init__(self, axes, cells, alpha, shares):
        self.axes, self.cells, self.alpha, self.shares = axes, cells, alpha, shares
        self.d = len(axes)
        self.has_tails = axes[0].scales is not None
        self.per_column = 2.0 if self.has_tails else 0.0  # rows in the tails of a column
        self.total = cells.n + alpha + self.per_column * self.d
        self.reached = [np.append(0.0, np.cumsum(share)) for share in shares]
        self.n_touching = [axis.n_touching for axis in axes]
        self.is_plain = max(self.n_touching) == 1

    def blocks(self, n_rows):
        """Slices of rows, short where each may reach many cells."""
        n_cells = min(float(np.prod(np.array(self.n_touching, dtype=float))), len(self.cells), MOST)
        return gen_batches(n_rows, min(int(MOST / max(n_cells, 1)), AT_ONCE))

    def log_prob(self, X):
        """Log-density of rows between the ends, or in the tails.

        Parameters
        ----------
        X : ndarray of shape (n_rows, n_features)

        Returns
        -------
        ndarray of shape (n_rows,)
            -inf where there is no mass.
        """
        found = np.empty(len(X))
        for rows in self.blocks(len(X)):
            found[rows] = self._log_prob(X[rows])
        return found

    def _log_prob(self, X):
        codes = [axis.codes(x) for axis, x in zip(self.axes, X.T, strict=True)]
        log_density = np.full(len(X), -np.log(self.total))
        log_prior, factor = np.zeros(len(X)), np.full(len(X), self.alpha)
        for j, (axis, x, code) in enumerate(zip(self.axes, X.T, codes, strict=True)):
            log_density += axis.log_unit(x, code)
            if self.alpha > 0 or self.has_tails:
                log_prior += self.log_prior(j, x, code)
                factor += self.came(j, code)
        counted = self.cells.weight_of(codes) if self.is_plain else self.reaching(X.T, codes)
        with np.errstate(divide="ignore"):
            log_mass = np.log(counted + np.exp(log_prior) * factor)
            is_tiny = np.isneginf(log_mass)
            if is_tiny.any():  # a product over so many columns underflows
                log_mass[is_tiny] = (log_prior + np.log(factor))[is_tiny]
        return log_density + log_mass

    def reaching(self, columns, codes):
        """The weights of the cells that reach each row, times their densities there, in units."""
        n_rows = len(codes[0])
        known = self.nothing_known(n_rows)
        for j, (axis, x, code) in enumerate(zip(self.axes, columns, codes, strict=True)):
            known = self._narrowed_cells(known, j, *axis.touching(x, code))
        return np.bincount(known.row, known.value * self.cells.weights[-1][known.state], minlength=n_rows)

    def log_prior(self, j, x, code):
        """Log of b_j, in units."""
        first, values = self.axes[j].touching(x, code)
        if values.shape[1] == 1:
            density = self.shares[j][code]
        else:
            place = np.clip(first[:, None] + np.arange(values.shape[1]), 0, self.axes[j].size - 1)
            density = (values * self.shares[j][place]).sum(axis=1)
        with np.errstate(divide="ignore"):
            return np.log(density)

    def came(self, j, code):
        """What a column adds to the factor of the prior: 1 / tau in a tail."""
        if not self.has_tails:
            return 0.0
        tails = (code == 0) | (code == self.axes[j].size - 1)
        found = np.zeros(len(code))
        found[tails] = 1 / self.shares[j][code[tails]]
        return found

    def nothing_known(self, n_rows):
        """What is known before the first column."""
        row = np.arange(n_rows)
        factor = np.full(n_rows, self.alpha + self.per_column * self.d)
        return Known(row, self.cells.start(n_rows), np.ones(n_rows), np.zeros(n_rows), factor)

    def narrowed(self, known, j, x):
        """What is known after column j, too.

        Parameters
        ----------
        known : Known
            By the columns before.
        j : int
        x : ndarray of shape (n_rows,)
            The column.

        Returns
        -------
        Known
        """
        axis, code = self.axes[j], self.axes[j].codes(x)
        after = self._narrowed_cells(known, j, *axis.touching(x, code))
        log_prior = known.log_prior + self.log_prior(j, x, code)
        factor = known.factor - self.per_column + self.came(j, code)
        return after._replace(log_prior=log_prior, factor=factor)

    def _narrowed_cells(self, known, j, first, values):
        parts = []  # triples of row, state and value
        for t in range(values.shape[1]):
            value = known.value * values[known.row, t]
            reached = np.flatnonzero(value > 0)
            row = known.row[reached]
            state, is_occupied = self.cells.narrowed(known.state[reached], j, first[row] + t)
            parts.append((row[is_occupied], state[is_occupied], value[reached][is_occupied]))
        row, state, value = (np.concatenate(part) for part in zip(*parts, strict=True))
        return known._replace(row=row, state=state, value=value)

    def split(self, known, j):
        """The weights of the next column's cells and prior, as factors that do not underflow.

        Parameters
        ----------
        known : Known
            By the columns before j.
        j : int

        Returns
        -------
        prior : ndarray of shape (n_rows,)
            The factor of b_j, for the rows that follow the prior but for tails of column j.
        tail : ndarray of shape (n_rows,)
            The weight of each of the two tails of column j.
        total : ndarray of shape (n_rows,)
            What all weighs, the cells among it.
        """
        weights = known.value * self.cells.of_column(known.state, j)
        counted = np.bincount(known.row, weights, minlength=len(known.factor))
        scale = np.where(counted > 0, np.exp(known.log_prior), 1.0)
        factor = np.where((counted == 0) & (known.factor == 0), 1.0, known.factor)  # nothing is like this: b_j
        tail = np.where(known.factor > 0, self.per_column / 2, 0.0)
        return scale * (factor - 2 * tail), scale * tail, counted + scale * factor

    def masses(self, known, j, x):
        """The weights below and above a number in the conditional of column j, between its ends.

        Parameters
        ----------
        known : Known
            By the columns before j.
        j : int
        x : ndarray of shape (n_rows,)
            Numbers between the ends of the column.

        Returns
        -------
        below, above : ndarray of shape (n_rows,)
        """
        axis, reached = self.axes[j], self.reached[j]
        first, below, above = axis.shares(x)
        n_touching = below.shape[1]
        start, stop = np.clip(first, 0, axis.size), np.clip(first + n_touching, 0, axis.size)
        prior, tail, _ = self.split(known, j)
        places = np.clip(first[:, None] + np.arange(n_touching), 0, axis.size - 1)
        lower = tail + prior * (reached[start] + (below * self.shares[j][places]).sum(axis=1))
        upper = tail + prior * (reached[-1] - reached[stop] + (above * self.shares[j][places]).sum(axis=1))
        row, state, value = known.row, known.state, known.value
        all_below = self.cells.below(state, j, start[row])
        all_above = self.cells.of_column(state, j) - self.cells.below(state, j, stop[row])
        for t in range(n_touching):
            there = self.cells.at(state, j, places[row, t])
            all_below = all_below + there * below[row, t]
            all_above = all_above + there * above[row, t]
        lower += np.bincount(row, value * all_below, minlength=len(x))
        upper += np.bincount(row, value * all_above, minlength=len(x))
        return lower, upper

    def density(self, known, j, x):
        """The weight per length at a number in the conditional of column j, between its ends."""
        axis, code = self.axes[j], self.axes[j].codes(x)
        first, values = axis.touching(x, code)
        prior, _, _ = self.split(known, j)
        places = np.clip(first[:, None] + np.arange(values.shape[1]), 0, axis.size - 1)
        found = prior * (values * self.shares[j][places]).sum(axis=1)
        for t in range(values.shape[1]):
            there = self.cells.at(known.state, j, places[known.row, t]) * values[known.row, t]
            found += np.bincount(known.row, known.value * there, minlength=len(x))
        return found / axis.widths[code - 1]

    def masses_of_bins(self):
        """The mass of every cell between the ends.

        Returns
        -------
        ndarray of shape (n_bins of column 0, n_bins of column 1, ...)

        Raises
        ------
        ValueError
            If they are too many to be written down.
        """
        nodes, weights = zip(*(axis.nodes() for axis in self.axes), strict=True)
        n_nodes = float(np.prod([float(part.size) for part in nodes]))
        if n_nodes > MOST_WRITTEN:
            n_cells = np.prod([float(axis.n_bins) for axis in self.axes])
            raise ValueError(
                f"There are {n_cells:.3g} cells, too many to be written down: score rows, or fit fewer columns."
            )
        X = np.stack(np.meshgrid(*(part.ravel() for part in nodes), indexing="ij"), axis=-1).reshape(-1, self.d)
        masses = np.exp(self.log_prob(X)).reshape([part.size for part in nodes])
        for j, part in enumerate(weights):
            rest = masses.shape[:j], masses.shape[j + 1 :]
            masses = masses * part.reshape((-1,) + (1,) * len(rest[1]))
            masses = masses.reshape((*rest[0], *part.shape, *rest[1])).sum(axis=j + 1)
        return masses

    def reordered(self, order):
        """The same distribution with its columns in another order."""
        axes, shares = [self.axes[j] for j in order], [self.shares[j] for j in order]
        return Law(axes, self.cells.reordered(order), self.alpha, shares)
