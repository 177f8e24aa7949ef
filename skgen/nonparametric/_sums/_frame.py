"""The coordinates in which a kernel is standard."""


class Frame:
    """Coordinates in which a kernel is standard: u = (z - origin) root, with a matrix or with a factor for each column.

    Parameters
    ----------
    origin : ndarray of shape (n_dims,)
        In the middle of the rows, so that an offset of theirs takes no digits.
    root : ndarray of shape (n_dims, n_dims) or (n_dims,)
        The inverse of a bandwidth.
    """

    def __init__(self, origin, root):
        self.origin, self.root = origin, root

    def standard(self, Z):
        """Coordinates of rows."""
        return self.turned(Z - self.origin)

    def turned(self, D):
        """Coordinates of differences, along the last axis."""
        return D @ self.root if self.root.ndim == 2 else D * self.root
