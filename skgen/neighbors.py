r"""Distances to the k-th neighbour, where rows have frequencies.

A row of weight w is w neighbours at one distance. The radius of k neighbours is the smallest distance within which the
weight of the rows reaches k. Where that is 0, because the query lies on rows of weight k or more, the next whole number
of neighbours with a positive radius stands in for k: the ball that holds it is the smallest that holds more than one
place. The search is scikit-learn's `NearestNeighbors` over the distinct rows.
"""

import numpy as np
from scipy.spatial.distance import cdist
from sklearn.neighbors import NearestNeighbors
from sklearn.utils import gen_batches

from skgen.base import UnboundedLikelihood

BLOCK = 2**22  # neighbours at a time
FARTHEST = 1e150  # coordinates whose squares are numbers
MOST_ROWS = 2.0**53  # that numbers count one by one
ROUNDING = 1e-12  # of sums of weights
CANCELLED = 16 * np.finfo(float).eps  # what squared distances by brute force lose, as a share of squared lengths
PRECISION = 1e-9  # of squared distances


def distinct_rows(X, weights):
    """The distinct rows in lexicographic order, their weights, and the place of each row among them.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        The rows.
    weights : ndarray of shape (n_samples,)
        Frequencies.

    Returns
    -------
    rows : ndarray of shape (n_distinct, n_features)
    weights : ndarray of shape (n_distinct,)
    place : ndarray of shape (n_samples,)

    Raises
    ------
    ValueError
        If the weights add up to more than numbers count one by one.

    Examples
    --------
    >>> import numpy as np
    >>> distinct_rows(np.array([[2.0], [1.0], [2.0]]), np.ones(3))
    (array([[1.],
           [2.]]), array([1., 2.]), array([1, 0, 1]))
    """
    if not weights.sum() <= MOST_ROWS:
        raise ValueError(
            f"The weights add up to {weights.sum():g}, more rows than can be counted: weights are frequencies."
        )
    rows, place = distinct(X)
    return rows, np.bincount(place, weights), place


def distinct(X):
    """The different rows in lexicographic order, and which of them each row is."""
    order = np.argsort(X[:, 0], kind="stable") if X.shape[1] == 1 else np.lexsort(X.T[::-1])
    ordered = X[order]
    is_new = np.append(True, (ordered[1:] != ordered[:-1]).any(axis=1))
    place = np.empty(len(X), dtype=np.intp)
    place[order] = np.cumsum(is_new) - 1
    return ordered[is_new], place


class Neighbors:
    """The neighbours of queries among distinct rows with frequencies.

    Parameters
    ----------
    rows : ndarray of shape (n_distinct, n_features)
        Distinct rows.
    weights : ndarray of shape (n_distinct,)
        Their frequencies.
    balls : Balls or Caps
        The metric.
    n_neighbors : int
        How many will mostly be asked for, by which scikit-learn chooses a way.
    algorithm, leaf_size, n_jobs : object
        As scikit-learn's `NearestNeighbors` has them.

    Raises
    ------
    UnboundedLikelihood
        If all rows are at one place.

    Examples
    --------
    >>> import numpy as np
    >>> from skgen.balls import balls_of
    >>> rows, weights = np.array([[0.0], [1.0], [4.0]]), np.array([3.0, 1.0, 1.0])
    >>> neighbors = Neighbors(rows, weights, balls_of("euclidean", rows, weights))
    >>> neighbors.radii(np.array([[0.0], [3.0]]), 2)  # three rows lie on the first query: the fourth is at 1
    (array([1., 2.]), array([4., 2.]))
    """

    def __init__(self, rows, weights, balls, *, n_neighbors=1, algorithm="auto", leaf_size=30, n_jobs=None):
        if len(rows) < 2:
            raise UnboundedLikelihood(
                "All rows are at one place, and no neighbour is at a distance: leave out what never varies, or use "
                "PointMass."
            )
        self.rows, self.weights, self.balls = rows, weights, balls
        self.total = weights.sum()
        self.is_plain = bool((weights == 1).all())
        self.mapped = balls.mapped(rows)
        self.search = NearestNeighbors(
            n_neighbors=min(n_neighbors, len(rows)),
            algorithm=algorithm,
            leaf_size=leaf_size,
            metric=balls.name,
            p=balls.p,
            n_jobs=n_jobs,
        ).fit(self.mapped)
        is_brute = self.search._fit_method == "brute"
        self.order = np.random.default_rng(0).permutation(len(rows)) if is_brute else None
        if is_brute:  # which takes longer over rows that come nearer and nearer
            self.search.fit(self.mapped[self.order])
        # it takes Euclid's distance from products, which cancel
        self.cancels = is_brute and balls.p == 2 and balls.name == "minkowski"
        self.longest = (self.mapped**2).sum(axis=1).max()  # squared

    def radii(self, X, k):
        """The radius of k neighbours around each query.

        Parameters
        ----------
        X : ndarray of shape (n_samples, n_features)
            The queries.
        k : int
            How many neighbours.

        Returns
        -------
        radius : ndarray of shape (n_samples,)
            Positive; inf where a query is too far for distances to be numbers.
        reached : ndarray of shape (n_samples,)
            The number of neighbours that it is the radius of: k, or the next one whose radius is positive.
        """
        Z, far = self._mapped(X)
        radius, reached = np.empty(len(X)), np.full(len(X), float(k))
        if self.is_plain and k <= len(self.rows):
            for block in gen_batches(len(X), max(1, BLOCK // k)):
                radius[block] = self._nearest(Z[block], k, last=True)[0][:, 0]
            todo = np.flatnonzero(radius == 0)
        else:
            todo = np.arange(len(X))
        if len(todo):
            found = self._radii(Z[todo], [k])
            radius[todo], reached[todo] = found[0][:, 0], found[1][:, 0]
        radius[far] = np.inf
        return radius, reached

    def left_out_radii(self, ks, chosen=None):
        """The radii around distinct rows when one observation of the row itself is left out.

        Parameters
        ----------
        ks : sequence of int
            Numbers of neighbours.
        chosen : ndarray of shape (n_chosen,), optional
            Places of the rows; all of them by default.

        Returns
        -------
        radius, reached : ndarray of shape (n_chosen, len(ks))
            As `radii` has them.
        others : ndarray of shape (n_chosen,)
            The weight that stays.
        """
        own = np.arange(len(self.rows)) if chosen is None else chosen
        lost = np.minimum(self.weights[own], 1.0)
        return *self._radii(self.mapped[own], ks, own, lost), self.total - lost

    def nearest(self, X, k):
        """All neighbours of queries, so far that their weight reaches k.

        Parameters
        ----------
        X : ndarray of shape (n_samples, n_features)
            The queries.
        k : int
            How many neighbours.

        Yields
        ------
        places : ndarray
            Which queries.
        distance, index, cumulative : ndarray of shape (n_places, width)
            Of their neighbours, nearest first, and the weight up to each.
        """
        Z, _ = self._mapped(X)
        for places, distance, index, cumulative in self._widening(Z, k):
            there = cumulative[:, -1] >= k * (1 - ROUNDING)
            yield places[there], distance[there], index[there], cumulative[there]

    def _mapped(self, X):
        """Queries as the search knows them, and which of them are too far for it."""
        with np.errstate(over="ignore", invalid="ignore"):
            Z = self.balls.mapped(X)
        far = ~(np.abs(Z).max(axis=1) < FARTHEST)
        if far.any():
            Z = np.where(far[:, None], self.mapped[0], Z)
        return Z, far

    def _nearest(self, Z, k, last=False):
        """Distances to the k nearest rows, in order, and which rows these are; of the k-th alone, if that is asked."""
        distance, index = self.search.kneighbors(Z, k)
        if last:
            distance, index = distance[:, -1:], index[:, -1:]
        if self.order is not None:
            index = self.order[index]
        if self.cancels:
            distance, index = self._measured(Z, distance, index)
            lost = CANCELLED * ((Z**2).sum(axis=1) + self.longest)
            unsure = np.flatnonzero(lost > PRECISION * distance[:, -1] ** 2)  # which rows are nearest
            for places in np.array_split(unsure, 1 + len(unsure) * len(self.rows) // BLOCK):
                distance[places], index[places] = self._by_differences(Z[places], k, last)
        return distance, index

    def _by_differences(self, Z, k, last):
        gaps = cdist(Z, self.mapped)
        order = np.argsort(gaps, axis=1, kind="stable")[:, k - 1 if last else 0 : k]
        return np.take_along_axis(gaps, order, axis=1), order

    def _measured(self, Z, distance, index):
        """The distances again, by differences, and their order."""
        again = np.empty(distance.shape)
        for rows in gen_batches(len(Z), max(1, BLOCK // (distance.shape[1] * Z.shape[1]))):
            gaps = Z[rows, None, :] - self.mapped[index[rows]]
            again[rows] = self.balls.mapped_length(gaps.reshape(-1, Z.shape[1])).reshape(gaps.shape[:2])
        order = np.argsort(again, axis=1, kind="stable")
        return np.take_along_axis(again, order, axis=1), np.take_along_axis(index, order, axis=1)

    def _widening(self, Z, k, own=None, lost=None):
        """Neighbours of all queries; those whose weight does not reach what is wanted come again, with more."""
        n = len(self.rows)
        share = min(1.0, self.total / n)  # rows of a small weight are many to a neighbour
        width, todo = int(min(n, np.ceil(k / share) + (own is not None))), np.arange(len(Z))
        while len(todo):
            missed = []
            for block in gen_batches(len(todo), max(1, BLOCK // width)):
                places = todo[block]
                distance, index = self._nearest(Z[places], width)
                counted = self.weights[index]
                if own is not None:
                    counted = counted - (index == own[places, None]) * lost[places, None]
                cumulative = np.cumsum(counted, axis=1)
                yield places, distance, index, cumulative
                total = self.total - (0 if lost is None else lost[places])
                wanted = _wanted(k, _tied(distance, cumulative), total)
                missed.append(places[cumulative[:, -1] < wanted * (1 - ROUNDING)])
            todo = np.concatenate(missed) if width < n else todo[:0]
            width = min(n, 2 * width)

    def _radii(self, Z, ks, own=None, lost=None):
        radius, reached = np.full((len(Z), len(ks)), np.inf), np.empty((len(Z), len(ks)))
        for places, distance, _, cumulative in self._widening(Z, max(ks), own, lost):
            total = self.total - (0.0 if lost is None else lost[places])
            tied = _tied(distance, cumulative)
            for j, k in enumerate(ks):
                wanted = _wanted(k, tied, total)
                there = cumulative >= wanted[:, None] * (1 - ROUNDING)
                first = there.argmax(axis=1)
                found = np.take_along_axis(distance, first[:, None], axis=1)[:, 0]
                radius[places, j] = np.where(there[np.arange(len(places)), first], found, np.inf)
                reached[places, j] = wanted
        return radius, reached


def _tied(distance, cumulative):
    """The weight of the rows at distance 0 of each query."""
    tied = np.zeros(len(distance))
    on = np.flatnonzero(distance[:, 0] == 0)
    tied[on] = np.where(distance[on] == 0, cumulative[on], 0.0).max(axis=1)
    return tied


def _wanted(k, tied, total):
    """The number of neighbours, k or more, whose radius is positive."""
    return np.minimum(np.maximum(k, np.floor(tied * (1 + ROUNDING)) + 1), total)
