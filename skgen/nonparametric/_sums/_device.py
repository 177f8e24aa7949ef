r"""Kernel sums over all pairs on a device of torch: tiles of float64 and a running log-sum-exp.

The distances in a tile come from one product of matrices where that is exact enough,

.. math:: \lVert a - b \rVert^2 = \lVert a \rVert^2 + \lVert b \rVert^2 - 2\, a \cdot b ,

with a and b taken from the median of the centres. Each entry is a sum of d + 2 products, for norms and weights ride
along as columns. Such a sum is off by at most :math:`(d + 2)\, 2^{-53}` times its absolute terms' sum, which is at most
:math:`2 (\lVert a \rVert^2 + \lVert b \rVert^2)`. With the rounding of the factors, a kernel whose logarithm
falls by at most c per unit of the squared distance has an error in it of at most

.. math:: c\, (d + 8)\, 2^{-52} (\lVert a \rVert^2 + \lVert b \rVert^2) .

Half of what is `TOLERATED` belongs to either norm. Centres and queries beyond that, kernels whose logarithms have no
such c, and other metrics than Euclid's get differences, column by column.
"""

import numpy as np

from skgen.balls import CHORD, LARGEST, POWERS, PRODUCT, SQUARES, SUM
from skgen.nonparametric._kernels import COSINE, EXPONENTIAL, GAUSSIAN, LOGISTIC, POWER, STUDENT

TOLERATED = 1e-10  # error of a log-density that a product of matrices may make
GENTLE = {GAUSSIAN, LOGISTIC, STUDENT}  # their logarithms fall fastest, by squares of distances, at 0
TILES = {"cpu": (128, 1024)}  # queries and centres: 1 MB, which stays in the cache
LARGE_TILE = (4096, 4096)  # 128 MB, so that starting a kernel takes no share of its time


class OnDevice:
    """Sums of a kernel around weighted centres, in coordinates whose bandwidth is 1, made by torch.

    Nothing stays on the device between calls.

    Parameters
    ----------
    U : ndarray of shape (n_centers, n_dims)
        The centres.
    log_weights : ndarray of shape (n_centers,)
        Their weights.
    kernel : Kernel
        See `skgen.nonparametric._kernels`.
    metric : object
        With `code`, as `skgen.nonparametric._sums._direct.Direct` takes it.
    scales : ndarray of shape (n_centers,), optional
        The bandwidth of each centre; its power that makes the kernel a density belongs to the weights.
    device : str
        A device of torch that has float64 numbers: "cpu", "cuda", "cuda:1".
    frame : Frame, optional
        What makes the kernel standard, if the coordinates of centres and queries do not.

    Raises
    ------
    ImportError
        If there is no torch.
    ValueError
        If the device is not there, or has no float64 numbers.

    Examples
    --------
    >>> from skgen.nonparametric._kernels import Gaussian
    >>> from skgen.balls import Minkowski
    >>> sums = OnDevice(np.array([[0.0], [2.0]]), np.log([0.5, 0.5]), Gaussian(), Minkowski(2), None, "cpu")
    >>> sums.log_sums(np.array([[1.0], [1e6]]))
    array([-5.00000e-01, -4.99998e+11])
    """

    def __init__(self, U, log_weights, kernel, metric, scales, device, frame=None):
        self.device, self.frame = checked_device(device), frame
        U = U if frame is None else frame.standard(U)
        shape_d = 1 if metric.code[0] == PRODUCT else 2 if metric.code[0] == CHORD else U.shape[1]
        self.profile, self.metric = kernel.profile(shape_d), metric
        self.is_gaussian = self.profile[0] == GAUSSIAN and metric.code[0] in (SQUARES, PRODUCT)
        self.origin = np.median(U, axis=0)
        precisions = np.ones(len(U)) if scales is None else scales**-2.0
        is_near = precisions * ((U - self.origin) ** 2).sum(axis=1) <= self._within(kernel)
        order = np.argsort(~is_near, kind="stable")  # those that take part in products come first
        self.n_near = np.count_nonzero(is_near)
        self.farthest = self._within(kernel) / precisions[is_near].max() if self.n_near else -np.inf
        self.place = np.empty(len(U), dtype=np.int64)  # of the caller's centres
        self.place[order] = np.arange(len(U))
        self.U, self.log_weights = U[order], log_weights[order]
        self.precisions = None if scales is None else precisions[order]

    def _within(self, kernel):
        """The squared norm, times precision, up to which products of matrices are exact enough."""
        radial = self.is_gaussian or (self.profile[0] in GENTLE and self.metric.code[0] == SQUARES)
        if not radial:
            return -np.inf
        d = len(self.origin)
        return 0.5 * TOLERATED / (abs(kernel.log_slope(np.zeros(1), d)[0]) * (d + 8) * 2.0**-52)

    def log_sums(self, Q, own=None, log_own=None, n_jobs=None):
        """Log of the sum of weights times kernels at each query.

        Parameters
        ----------
        Q : ndarray of shape (n_queries, n_dims)
            The queries.
        own : ndarray of int of shape (n_queries,), optional
            For each query the centre whose weight is another one for it; -1 where there is none.
        log_own : ndarray of shape (n_queries,), optional
            That weight; -inf leaves the centre out.
        n_jobs : int, optional
            Not needed: the device has threads of its own.

        Returns
        -------
        ndarray of shape (n_queries,)
        """
        if own is not None:
            own = np.where(own < 0, -1, self.place[own])
        Q = Q if self.frame is None else self.frame.standard(Q)
        near = ((Q - self.origin) ** 2).sum(axis=1) <= self.farthest
        result = np.empty(len(Q))
        for rows, n_products in ((near, self.n_near), (~near, 0)):
            if rows.any():
                known = (None, None) if own is None else (self._sent(own[rows], int), self._sent(log_own[rows]))
                result[rows] = self._streamed(Q[rows], *known, n_products)
        return result

    def _sent(self, array, dtype=np.float64):
        """An array on the device."""
        import torch

        return torch.from_numpy(np.array(array, dtype=dtype)).to(self.device)

    def _streamed(self, Q, own, log_own, n_products):
        """Log-sum-exp over tiles; the first centres take part in products of matrices, the others in differences."""
        import torch

        rows, cols = TILES.get(self.device.type, LARGE_TILE)
        log_weights, tiles = self._sent(self.log_weights), []
        for begin, end, exponents in (
            (0, n_products, self._by_products),
            (n_products, len(self.U), self._by_differences),
        ):
            if end > begin:
                fill = exponents(Q, log_weights, min(rows, len(Q)) * min(cols, end - begin))
                tiles += [(slice(k, min(k + cols, end)), fill) for k in range(begin, end, cols)]
        result = np.empty(len(Q))
        for first in range(0, len(Q), rows):
            block = slice(first, min(first + rows, len(Q)))
            top = torch.full((block.stop - first,), -torch.inf, dtype=torch.float64, device=self.device)
            mass = torch.zeros_like(top)
            for tile, fill in tiles:
                terms = fill(block, tile)  # (queries, centres)
                if own is not None:
                    here = ((own[block] >= tile.start) & (own[block] < tile.stop)).nonzero()[:, 0]
                    place = own[block][here]
                    terms[here, place - tile.start] += log_own[block][here] - log_weights[place]
                larger = torch.maximum(top, terms.amax(dim=1))
                shift = larger.clamp(min=torch.finfo(torch.float64).min)  # where nothing is in reach, less nothing
                mass = mass * torch.exp(top - shift) + terms.sub_(shift[:, None]).exp_().sum(dim=1)
                top = larger
            result[block] = (top + mass.log()).cpu().numpy()
        return result

    def _by_products(self, Q, log_weights, size):
        """Exponents by one product of matrices for each tile."""
        import torch

        d = Q.shape[1]
        A, B = self._sent(Q - self.origin), self._sent(self.U - self.origin)
        precisions = 1.0 if self.precisions is None else self._sent(self.precisions)
        left, right = A.new_empty(len(Q), d + 2), B.new_empty(d + 2, len(B))
        unit = -0.5 if self.is_gaussian else 1.0  # what is made is the exponent itself, or the squared distance
        left[:, :d], left[:, d], left[:, d + 1] = A, 1.0, (A * A).sum(dim=1)
        right[:d] = (-2 * unit * precisions) * B.T
        right[d] = unit * precisions * (B * B).sum(dim=1)
        right[d + 1] = unit * precisions
        if self.is_gaussian:
            right[d] += log_weights
        buffer, scratch = left.new_empty(size), left.new_empty(0 if self.is_gaussian else size)

        def fill(block, tile):
            queries, centers = left[block], right[:, tile]
            terms = buffer[: len(queries) * centers.shape[1]].view(len(queries), -1)
            torch.mm(queries, centers, out=terms)
            if self.is_gaussian:
                return terms
            terms = log_value(self.profile, terms.clamp_(min=0), scratch[: terms.numel()].view_as(terms))
            return terms.add_(log_weights[tile])

        return fill

    def _by_differences(self, Q, log_weights, size):
        """Exponents by differences, one column after the other."""
        A, B = self._sent(Q.T), self._sent(self.U.T)
        precisions = None if self.precisions is None else self._sent(self.precisions)
        is_product = self.metric.code[0] == PRODUCT and not self.is_gaussian
        buffers = [A.new_empty(size) for _ in range(3 if is_product else 2)]

        def fill(block, tile):
            queries, centers = A[:, block], B[:, tile]
            shape = queries.shape[1], centers.shape[1]
            squares, gaps, *rest = (buffer[: shape[0] * shape[1]].view(shape) for buffer in buffers)
            weigh = None if precisions is None else precisions[tile]
            if not is_product:
                code = (SQUARES, 2.0) if self.is_gaussian else self.metric.code
                squared_distances(code, queries, centers, squares, gaps)
                if weigh is not None:
                    squares.mul_(weigh)
                return log_value(self.profile, squares, gaps).add_(log_weights[tile])
            rest[0].copy_(log_weights[tile].expand(shape))
            for column in range(len(A)):
                one = slice(column, column + 1)
                squared_distances((SQUARES, 2.0), queries[one], centers[one], squares, gaps)
                if weigh is not None:
                    squares.mul_(weigh)
                rest[0].add_(log_value(self.profile, squares, gaps))
            return rest[0]

        return fill


def squared_distances(code, A, B, out, gaps):
    """The squared distances of the columns of A from those of B, into `out`; `gaps` is spoiled.

    Parameters
    ----------
    code : tuple of (int, float)
        The metric's.
    A, B : Tensor of shape (n_dims, n_queries) and (n_dims, n_centers)
        The points.
    out, gaps : Tensor of shape (n_queries, n_centers)
        Room.
    """
    import torch

    metric, power = code
    out.zero_()
    for a, b in zip(A, B, strict=True):
        torch.sub(a[:, None], b, out=gaps)
        if metric == SUM:
            out.add_(gaps.abs_())
        elif metric == LARGEST:
            torch.maximum(out, gaps.abs_(), out=out)
        elif metric == POWERS:
            out.add_(gaps.abs_().pow_(power))
        else:
            out.addcmul_(gaps, gaps)
    if metric in (SUM, LARGEST):
        out.square_()
    elif metric == POWERS:
        out.pow_(2 / power)
    elif metric == CHORD:  # between points of the unit sphere, whose angle counts in bandwidths 1 / power
        across = torch.zeros_like(out)
        for a, b in zip(A, B, strict=True):
            torch.add(a[:, None], b, out=gaps)
            across.addcmul_(gaps, gaps)
        torch.atan2(out.sqrt_(), across.sqrt_(), out=out).mul_(2 * power).square_()


def log_value(profile, s, scratch):
    """Log of a kernel at squared distances s, which it takes the place of.

    Parameters
    ----------
    profile : tuple of (int, float, float)
        As `Kernel.profile` gives it.
    s, scratch : Tensor of one shape
        The squared distances, and room.

    Returns
    -------
    Tensor
        s.
    """
    code, a, b = profile
    return LOG_VALUES[code](s, scratch, a, b)


def _power(s, scratch, a, b):
    if b == 0:
        return s.le_(1).log_()
    powers = s if a == 2 else s.sqrt_() if a == 1 else s.pow_(a / 2)
    return powers.neg_().add_(1).clamp_(min=0).log_().mul_(b)


def _logistic(s, scratch, a, b):
    import torch

    torch.neg(s.sqrt_(), out=scratch)
    return s.neg_().add_(np.log(4)).sub_(scratch.exp_().log1p_(), alpha=2)


LOG_VALUES = {
    GAUSSIAN: lambda s, scratch, a, b: s.mul_(-0.5),
    POWER: _power,
    COSINE: lambda s, scratch, a, b: s.sqrt_().neg_().add_(1).clamp_(min=0).mul_(np.pi / 2).sin_().log_(),
    EXPONENTIAL: lambda s, scratch, a, b: s.sqrt_().neg_(),
    LOGISTIC: _logistic,
    STUDENT: lambda s, scratch, a, b: s.div_(b).log1p_().mul_(-a),
}


def checked_device(name):
    """The device of a name, if it is there and has float64 numbers.

    Parameters
    ----------
    name : str
        As torch names it.

    Returns
    -------
    torch.device

    Raises
    ------
    ImportError
        If there is no torch.
    ValueError
        If the device cannot add float64 numbers.
    """
    try:
        import torch
    except ImportError as error:
        raise ImportError(f"device={name!r} needs torch: pip install 'skgen[nn]'.") from error
    try:
        device = torch.device(name)
        torch.zeros(1, dtype=torch.float64, device=device).exp().item()
    except (RuntimeError, AssertionError, TypeError) as error:
        there = ["cpu"] + [f"cuda:{k}" for k in range(torch.cuda.device_count())]
        reason = str(error).splitlines()[0].rstrip(".")
        raise ValueError(
            f"device={name!r} was refused by torch ({reason}). KernelDensity needs one that is there and has float64 "
            f"numbers: {', '.join(there)}; with device=None it needs no torch."
        ) from error
    return device
