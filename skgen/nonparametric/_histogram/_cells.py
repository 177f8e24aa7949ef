"""Occupied cells: how much weight lies where, in memory that grows with the rows and not with the grid.

The places of a cell in a few columns make one whole number, the key; where a key would not fit into 64 bits, it goes on
from the rank of the key before it. Keys stand in lexicographic order of the columns, so that cells that agree in their
first columns lie side by side, and what they weigh together is a difference of two running sums.
"""

import numpy as np

LARGEST = 2**62  # of a key
DENSE = 2**22  # keys in all, up to which a table of them is faster than a search


class Cells:
    """Weights of the cells of a grid, most of which are empty.

    Parameters
    ----------
    sizes : sequence of int
        The number of places in each column.
    keys : list of ndarray of int64
        Of each group of columns: the keys that occur, in order.
    weights : list of ndarray
        The weight under each of them.
    """

    def __init__(self, sizes, keys, weights):
        self.sizes, self.keys, self.weights = [int(size) for size in sizes], keys, weights
        self._arrange()

    @classmethod
    def of(cls, codes, weights, sizes):
        """Count rows.

        Parameters
        ----------
        codes : iterable of ndarray of int64
            For each column the places of the rows, each used once.
        weights : ndarray of shape (n_rows,)
            How much each row adds to its cell.
        sizes : sequence of int
            The number of places in each column.

        Returns
        -------
        Cells
        """
        keys, masses, codes, sizes = [], [], iter(codes), [int(size) for size in sizes]
        ranks, stop = None, 0
        while stop < len(sizes):
            start, stop = stop, _end_of_group(sizes, stop, len(keys[-1]) if keys else 1)
            key = ranks
            for j in range(start, stop):
                code = next(codes)
                key = code if key is None else key * sizes[j] + code
            n_keys = (len(keys[-1]) if keys else 1) * _product(sizes[start:stop])
            found, ranks, mass = _counted(key, weights, n_keys, last=stop == len(sizes))
            keys.append(found)
            masses.append(mass)
        return cls(sizes, keys, masses)

    def _arrange(self):
        """Running sums, and tables of the groups that are small enough."""
        self.n = float(self.weights[-1].sum())
        self.reached = [np.append(0.0, np.cumsum(weights)) for weights in self.weights]
        self.group_of, self.rest, self.first, n_before, stop = [], [], [], 1, 0
        self.table = []
        while stop < len(self.sizes):
            start, stop = stop, _end_of_group(self.sizes, stop, n_before)
            g = len(self.table)
            for j in range(start, stop):
                self.group_of.append(g)
                self.first.append(j == start)
                self.rest.append(_product(self.sizes[j + 1 : stop]))
            n_keys = n_before * _product(self.sizes[start:stop])
            n_before = len(self.keys[g])
            # how many keys are smaller than each
            is_dense = n_keys <= min(DENSE, max(2**12, 16 * n_before))
            self.table.append(np.searchsorted(self.keys[g], np.arange(n_keys + 1)) if is_dense else None)

    def __getstate__(self):
        return {name: vars(self)[name] for name in ("sizes", "keys", "weights")}

    def __setstate__(self, state):
        vars(self).update(state)
        self._arrange()

    def __len__(self):
        return len(self.keys[-1])

    def __add__(self, other):
        if self.sizes != other.sizes:
            raise ValueError("The cells of the blocks differ: a parameter was changed between them. Call fit.")
        if len(self.keys) == len(other.keys) == 1:
            keys, ranks = np.unique(np.concatenate([self.keys[0], other.keys[0]]), return_inverse=True)
            weights = np.bincount(ranks, np.concatenate([self.weights[0], other.weights[0]]))
            return Cells(self.sizes, [keys], [weights])
        codes = (np.concatenate(pair) for pair in zip(self.codes(), other.codes(), strict=True))
        return Cells.of(codes, np.concatenate([self.weights[-1], other.weights[-1]]), self.sizes)

    def codes(self, ranks=None):
        """The places of occupied cells, of all or of those of some ranks: for each column an array."""
        found, key = [None] * len(self.sizes), np.arange(len(self)) if ranks is None else ranks
        for j in reversed(range(len(self.sizes))):
            if self.rest[j] == 1:  # the last column of a group, whose rank is known
                key = self.keys[self.group_of[j]][key]
            key, found[j] = np.divmod(key, self.sizes[j])
        return found

    def start(self, n_rows):
        """The state of rows of which no column is known yet: see `narrowed`."""
        return np.zeros(n_rows, dtype=np.int64)

    def narrowed(self, state, j, codes):
        """The state of rows whose columns up to j are known.

        Parameters
        ----------
        state : ndarray of int64
            That of the columns before j.
        j : int
            The column.
        codes : ndarray of int64
            The places in it.

        Returns
        -------
        state : ndarray of int64
            What the methods want for column j + 1.
        is_occupied : ndarray of bool
            Where there is no cell that begins so, the state means nothing.
        """
        key = state * self.sizes[j] + codes
        low, high = self._position(key, j), self._position(key + 1, j)
        return (low if self.rest[j] == 1 else key), high > low

    def below(self, state, j, codes):
        """The weight of the cells that begin as the state says and lie below a place in column j."""
        g, key = self.group_of[j], state * self.sizes[j]
        reached = self.reached[g]
        return reached[self._position(key + codes, j)] - reached[self._position(key, j)]

    def of_column(self, state, j):
        """The weight of the cells that begin as the state says."""
        return self.below(state, j, self.sizes[j])

    def at(self, state, j, codes):
        """The weight of the cells that begin as the state says and have a place in column j."""
        g, key = self.group_of[j], state * self.sizes[j] + codes
        reached = self.reached[g]
        return reached[self._position(key + 1, j)] - reached[self._position(key, j)]

    def _position(self, key, j):
        """How many keys of the group of column j are smaller than all that begin with these."""
        g = self.group_of[j]
        key = key * self.rest[j]
        if self.table[g] is not None:
            return self.table[g][key]
        return np.searchsorted(self.keys[g], key)

    def weight_of(self, codes):
        """The weight of whole cells.

        Parameters
        ----------
        codes : iterable of ndarray of int64
            For each column the places of the rows.

        Returns
        -------
        ndarray of shape (n_rows,)
            0 where a cell is empty.
        """
        ranks, key, is_there = None, None, True
        for j, code in enumerate(codes):
            key = code if j == 0 else (ranks if self.first[j] else key) * self.sizes[j] + code
            if self.rest[j] == 1:
                g = self.group_of[j]
                ranks = self._position(key, j)
                ranks = np.minimum(ranks, len(self.keys[g]) - 1)
                is_there = is_there & (self.keys[g][ranks] == key)
        return np.where(is_there, self.weights[-1][ranks], 0.0)

    def marginals(self):
        """The weight in each place of a column: for each column an array of shape (sizes[j],)."""
        pairs = zip(self.codes(), self.sizes, strict=True)
        return [np.bincount(codes, self.weights[-1], minlength=size) for codes, size in pairs]

    def reordered(self, order):
        """The same cells with the columns in another order."""
        codes = self.codes()
        return Cells.of((codes[j] for j in order), self.weights[-1], [self.sizes[j] for j in order])


def _product(sizes):
    result = 1
    for size in sizes:
        result *= int(size)
    return result


def _end_of_group(sizes, start, n_before):
    """Where the group of columns ends that begins at `start`: its keys fit, and it has one column at least."""
    stop, n_keys = start + 1, n_before * sizes[start]
    while stop < len(sizes) and n_keys * sizes[stop] < LARGEST:
        n_keys *= sizes[stop]
        stop += 1
    return stop


def _counted(keys, weights, n_keys, last):
    """The keys that occur, the rank of each row's (if others follow), and the weight under each key."""
    if n_keys <= max(2**12, 2 * len(keys)):
        mass = np.bincount(keys, weights, minlength=n_keys)
        found = np.flatnonzero(mass)
        place = np.zeros(0 if last else n_keys, dtype=np.int64)
        if not last:
            place[found] = np.arange(len(found))
        return found, None if last else place[keys], mass[found]
    found, ranks = np.unique(keys, return_inverse=True)
    return found, None if last else ranks, np.bincount(ranks, weights)
