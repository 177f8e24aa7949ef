r"""Axes: for one column the bins, and the density by which the weight of a bin is spread over it.

The places of a column are its bins, numbered from 1, and the two tails beyond its ends, 0 and ``n_bins + 1``. Weight in
place k has the density :math:`\varphi_k`, which integrates to one:

- `Steps`: the histogram. Uniform on the bin.
- `Averaged`: the averaged shifted histogram (Scott, 1985, "Averaged shifted histograms", Annals of Statistics 13). A
  bin is cut into m parts, and weight in part k is uniform on each of the m bins that hold it when the grid is shifted
  part by part; bins that reach over an end of the range are cut there.
- `Polygon`: the frequency polygon (Scott, 1985, "Frequency polygons", JASA 80). A hat between the middles of the
  neighbouring bins, flat from the outermost middles to the ends.

The tails are exponential. Every :math:`\varphi_k` is given relative to a unit, the uniform density of the bin
(or the exponential one of the tail) in which x lies, so that products over many columns neither overflow nor underflow.
"""

import numpy as np

SMALL = 2**14  # rows up to which numpy is as fast as a compiled loop


class Axis:
    """The bins and tails of one column.

    Parameters
    ----------
    edges : ndarray of shape (n_bins + 1,)
        Increasing.
    scales : pair of float or None
        Those of the lower and the upper exponential tail; None: there are no tails.
    """

    n_touching = 1  # densities that may reach a number
    is_linear = False  # whether the density between two knots is linear, and not constant

    def __init__(self, edges, scales=None):
        self.edges = self._fine(np.asarray(edges, dtype=np.float64))
        self.scales = scales
        self.n_bins = len(self.edges) - 1
        self.size = self.n_bins + 2
        self.low, self.high = self.edges[0], self.edges[-1]
        self.widths = np.diff(self.edges)
        self.middles = self.edges[:-1] + self.widths / 2
        mean_width = (self.high - self.low) / self.n_bins
        ideal = self.low + mean_width * np.arange(self.n_bins + 1)
        self.is_even = bool(np.abs(self.edges - ideal).max() < mean_width / 4)
        self.log_units = -np.log(self.widths)
        if scales is not None:
            self.log_units = np.concatenate([[-np.log(scales[0])], self.log_units, [-np.log(scales[1])]])

    def _fine(self, edges):
        """The ends of the places, from those of the bins."""
        return edges

    def codes(self, x):
        """The place of each number: 1 + the bin [e_k, e_k+1) that holds it (the last one with its end)."""
        if len(x) > SMALL:
            from skgen.nonparametric._histogram._loops import place

            return place(np.ascontiguousarray(x), self.edges, self.is_even)
        codes = np.searchsorted(self.edges, x, side="right")
        return codes - (x == self.high)

    def depth(self, x):
        """How far numbers lie in the tails, in scales: 0 between the ends, infinity where there are no tails."""
        lower, upper = self.scales if self.scales is not None else (0.0, 0.0)
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            below = np.where(x < self.low, (self.low - x) / lower, 0.0)
            return below + np.where(x > self.high, (x - self.high) / upper, 0.0)

    def log_unit(self, x, codes):
        """Log of the density relative to which the others are given; there are tails, or no x lies beyond the ends."""
        if self.scales is None:
            return self.log_units[codes - 1]
        found = self.log_units[codes]
        beyond = (codes == 0) | (codes == self.size - 1)
        if beyond.any():
            found[beyond] -= self.depth(x[beyond])
        return found

    def touching(self, x, codes):
        """The densities that reach x.

        Parameters
        ----------
        x : ndarray of shape (n,)
        codes : ndarray of shape (n,)
            Their places.

        Returns
        -------
        first : ndarray of shape (n,)
            The first place whose density may be positive at x; the others follow it.
        values : ndarray of shape (n, n_places)
            The densities, in units; 0 for what is no place.
        """
        first, values = self._touching(np.clip(x, self.low, self.high), np.clip(codes, 1, self.n_bins))
        if values.shape[1] > 1:
            place = first[:, None] + np.arange(values.shape[1])
            values = np.where((place < 1) | (place > self.n_bins), 0.0, values)
        beyond = (codes == 0) | (codes == self.size - 1)
        if beyond.any():
            first, values = np.where(beyond, codes, first), np.array(values)
            values[beyond] = 0.0
            values[beyond, 0] = 1.0
        return first, values

    def shares(self, x):
        """The shares of these densities below and above numbers between the ends.

        Parameters
        ----------
        x : ndarray of shape (n,)
            Between the ends of the range.

        Returns
        -------
        first : ndarray of shape (n,)
            The first place whose density is not all below x; the others follow it.
        below, above : ndarray of shape (n, n_places)
        """
        first, below, above = self._shares(x, self.codes(x))
        if below.shape[1] > 1:
            place = first[:, None] + np.arange(below.shape[1])
            is_bin = (place > 0) & (place <= self.n_bins)
            below = np.where(is_bin, below, np.where(place == 0, 1.0, 0.0))
            above = np.where(is_bin, above, np.where(place == self.n_bins + 1, 1.0, 0.0))
        return first, below, above

    def nodes(self):
        """Numbers in every bin and their weights, both of shape (n_bins, n_nodes): of a quadrature that is exact."""
        return self.middles[:, None], self.widths[:, None]

    def draw(self, codes, rng):
        """A number from the density of each place."""
        inner = np.clip(codes, 1, self.n_bins)
        x = self._draw(inner, rng)
        if self.scales is None:
            return x
        for end, at, sign, scale in zip((self.low, self.high), (0, self.size - 1), (-1, 1), self.scales, strict=True):
            rows = np.flatnonzero(codes == at)
            x[rows] = end + sign * np.maximum(scale * rng.standard_exponential(len(rows)), np.spacing(abs(end)))
        return x


class Steps(Axis):
    """Uniform bins: the histogram."""

    knots = property(lambda self: self.edges)

    def _touching(self, x, codes):
        return codes, np.broadcast_to(1.0, (len(x), 1))

    def _shares(self, x, codes):
        left, right = self.edges[codes - 1], self.edges[codes]
        return codes, ((x - left) / (right - left))[:, None], ((right - x) / (right - left))[:, None]

    def _draw(self, codes, rng):
        left, right = self.edges[codes - 1], self.edges[codes]
        return np.minimum(left + (right - left) * rng.random(len(codes)), np.nextafter(right, -np.inf))


class Averaged(Axis):
    """Bins cut into parts, of which every run of `n_shifts` makes a bin: the averaged shifted histogram."""

    knots = property(lambda self: self.edges)

    def __init__(self, edges, scales=None, n_shifts=5):
        self.n_shifts, self.n_touching = n_shifts, 2 * n_shifts - 1
        super().__init__(edges, scales)
        # the shifted bins, by their first part, which may lie before the range
        starts = np.arange(1 - n_shifts, self.n_bins)
        self.left = self.edges[np.maximum(starts, 0)]
        self.right = self.edges[np.minimum(starts + n_shifts, self.n_bins)]

    @staticmethod
    def parts(n_shifts):
        """Where the parts of a bin begin, in widths."""
        return np.arange(n_shifts) / n_shifts

    @staticmethod
    def cut(edges, parts):
        """The edges of all parts of all bins."""
        return np.append((edges[:-1, None] + np.diff(edges)[:, None] * parts).ravel(), edges[-1])

    def _fine(self, edges):
        return self.cut(edges, self.parts(self.n_shifts))

    def _windows(self, codes):
        """The shifted bins that hold a part, shape (n, n_shifts), from the left to the right."""
        return codes[:, None] - 1 + np.arange(self.n_shifts)

    def _touching(self, x, codes):
        window = self._windows(codes)
        height = 1 / (self.right - self.left)[window] * (self.widths[codes - 1] / self.n_shifts)[:, None]
        return codes - self.n_shifts + 1, _shared_windows(height)

    def _shares(self, x, codes):
        m, window = self.n_shifts, self._windows(codes)
        left, right = self.left[window], self.right[window]
        below = _shared_windows((x[:, None] - left) / (right - left) / m)
        above = _shared_windows((right - x[:, None]) / (right - left) / m)
        apart = np.arange(1 - m, m) / m  # weight in earlier parts has bins that end before this one
        return codes - m + 1, below + np.maximum(-apart, 0), above + np.maximum(apart, 0)

    def _draw(self, codes, rng):
        window = codes - 1 + rng.integers(0, self.n_shifts, len(codes))
        left, right = self.left[window], self.right[window]
        return np.minimum(left + (right - left) * rng.random(len(codes)), np.nextafter(right, -np.inf))


class Polygon(Axis):
    """Straight lines between the middles of the bins: the frequency polygon."""

    is_linear, n_touching = True, 2

    def __init__(self, edges, scales=None):
        super().__init__(edges, scales)
        # the foot of each hat on either side; at the ends of the range the hat is flat
        self.left = np.concatenate([[self.low], self.middles[:-1]])
        self.right = np.concatenate([self.middles[1:], [self.high]])
        flat_left, flat_right = np.zeros(self.n_bins), np.zeros(self.n_bins)
        flat_left[0] = flat_right[-1] = 1.0
        self.areas = (self.middles - self.left) * (1 + flat_left) / 2 + (self.right - self.middles) * (
            1 + flat_right
        ) / 2
        self.knots = np.concatenate([[self.low], self.middles, [self.high]])

    def nodes(self):
        """The ends and middles of the bins: by the trapezoidal rule."""
        nodes = np.column_stack([self.edges[:-1], self.middles, self.edges[1:]])
        return nodes, self.widths[:, None] * [0.25, 0.5, 0.25]

    def _pair(self, x, codes):
        """The hat to the left of x and the height there of the hat to its right, of 1."""
        first = np.where(x < self.middles[codes - 1], codes - 1, codes)  # 0: before the first middle
        left = self.knots[first]
        rise = (x - left) / (self.knots[first + 1] - left)
        rise = np.where(first == 0, 1.0, np.where(first == self.n_bins, 0.0, rise))
        return first, rise

    def _areas_of(self, first):
        return self.areas[np.maximum(first - 1, 0)], self.areas[np.minimum(first, self.n_bins - 1)]

    def _touching(self, x, codes):
        first, rise = self._pair(x, codes)
        width = self.widths[codes - 1]
        area, next_area = self._areas_of(first)
        return first, np.column_stack([(1 - rise) * width / area, rise * width / next_area])

    def _shares(self, x, codes):
        first, rise = self._pair(x, codes)
        area, next_area = self._areas_of(first)
        done, left = x - self.knots[first], self.knots[first + 1] - x
        before, after = first == 0, first == self.n_bins
        falling = np.where(before, 0.0, np.where(after, left, left * (1 - rise) / 2)) / area  # above x, of the left hat
        rising = np.where(after, 0.0, np.where(before, done, done * rise / 2)) / next_area  # below x, of the right hat
        return first, np.column_stack([1 - falling, rising]), np.column_stack([falling, 1 - rising])

    def _draw(self, codes, rng):
        k = codes - 1
        middle, u, v = self.middles[k], rng.random(len(k)), rng.random(len(k))
        reach_left, reach_right = middle - self.left[k], self.right[k] - middle
        is_first, is_last = k == 0, k == self.n_bins - 1
        on_left = u * self.areas[k] < reach_left * np.where(is_first, 1.0, 0.5)
        flat = np.where(on_left, is_first, is_last)
        along = np.where(flat, v, 1 - np.sqrt(v))  # of the way from the middle to the foot
        x = np.where(on_left, middle - reach_left * along, middle + reach_right * along)
        return np.clip(x, self.low, np.nextafter(self.high, -np.inf))


def _shared_windows(height):
    """Sums over the windows that hold both this part and another one, for all others that share one.

    Parameters
    ----------
    height : ndarray of shape (n, m)
        What each of the windows that hold this part adds, from the left to the right.

    Returns
    -------
    ndarray of shape (n, 2 m - 1)
        For the parts from m - 1 places before to m - 1 places after.
    """
    before = np.cumsum(height, axis=1)
    after = np.cumsum(height[:, ::-1], axis=1)[:, ::-1]
    return np.concatenate([before, after[:, 1:]], axis=1)


KINDS = {"histogram": Steps, "averaged_shifted": Averaged, "frequency_polygon": Polygon}
