"""The coordinates in which a kernel is standard."""

import numpy as np

UNIT_ROUNDOFF = 2.0**-53


class Frame:
    """Coordinates u = (z - origin) / widths, or (z - origin) root.

    Parameters
    ----------
    origin : ndarray of shape (n_dims,)
        In the middle of the rows, so that an offset of theirs takes no digits.
    widths : ndarray of shape (n_dims,)
        Bandwidths.
    root : ndarray of shape (n_dims, n_dims), optional
        The inverse of a matrix of bandwidths, instead of `widths`.
    """

    def __init__(self, origin, widths, root=None):
        self.origin, self.root = origin, root
        self.table = np.array(widths if root is None else root, order="C", ndmin=2)  # for compiled loops: one layout

    def standard(self, Z):
        """Coordinates of rows."""
        return self.turned(Z - self.origin)

    def turned(self, D):
        """Coordinates of differences, along the last axis."""
        return D / self.table[0] if self.root is None else D @ self.root

    def blur(self, Z):
        """What rounding may move the coordinates of such rows by, at most, shape (n_dims,)."""
        reach = np.abs(Z - self.origin).max(axis=0)
        return (
            4
            * (len(reach) + 2)
            * UNIT_ROUNDOFF
            * (reach / self.table[0] if self.root is None else reach @ abs(self.root))
        )
