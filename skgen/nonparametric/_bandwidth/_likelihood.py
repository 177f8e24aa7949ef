r"""Leave-one-out likelihood in one dimension, for the gaussian kernel.

.. math:: \max_h \sum_i w_i \log \hat f_{h, -i}(x_i)

(Habbema, Hermans and van den Broek, 1974; Duin, 1976). It minimises the Kullback-Leibler divergence where that is
finite; a heavy tail forces it to oversmooth, since the most isolated observation must not be improbable, and ties draw
it to zero. Up to `EXACT` distinct values all pairs are summed; above, the values go to the nodes of a grid with 32
to a bandwidth or more, which moves the bandwidth by about 1e-3 of itself, and by up to 3 % at a million values, where
the likelihood is so flat.
"""

import numpy as np

from skgen.nonparametric._bandwidth._criteria import likelihood
from skgen.nonparametric._bandwidth._lags import EXACT, bandwidth_bracket
from skgen.nonparametric._bandwidth._search import largest_minimum

NODES = 32  # of the grid to a bandwidth
REACH = 9  # bandwidths; who has no neighbour so near is left to the nearest that there are
NEAREST = 16  # occupied nodes on each side of such a one
WIDEST = 10.0  # of the bracket, as a multiple of the oversmoothed bandwidth: heavy tails ask for more than that


def mlcv(sample):
    """The bandwidth of the largest local maximum.

    Parameters
    ----------
    sample : Sample
        Of one feature.

    Returns
    -------
    float

    Warns
    -----
    ConvergenceWarning
        If ties leave no maximum inside the bracket.
    """
    low, high = bandwidth_bracket(sample)
    if len(sample.X) <= EXACT:
        exact = likelihood(sample)
        return largest_minimum(lambda h: exact(np.array([[h * h]]))[0], low, WIDEST * high, "mlcv")
    step = low / NODES
    node, weight, left = _gathered(np.rint(sample.X[:, 0] / step).astype(np.int64), sample.weight, sample.left_out)

    def criterion(h):
        coarser = int(np.log2(h / low))  # halves of the grid that this bandwidth does not need
        gathered = _gathered(node >> coarser, weight, left)
        return sample.n * np.log(h) - binned_likelihood(*gathered, h / step / 2**coarser)

    return largest_minimum(criterion, low, WIDEST * high, "mlcv")


def _gathered(node, weight, left):
    """Occupied nodes in order, with their weights and the mean weight that their observations leave out."""
    node, index = np.unique(node, return_inverse=True)
    total = np.bincount(index, weight)
    return node, total, np.bincount(index, weight * left) / total


def binned_likelihood(node, weight, left, h):
    r"""Log-sums of the kernels at the other values on the nodes of a grid, over the weight of these values.

    With :math:`- n \log h` it is the leave-one-out log-likelihood, but for a constant.

    Parameters
    ----------
    node : ndarray of shape (n_nodes,)
        The occupied nodes, ascending whole numbers.
    weight : ndarray of shape (n_nodes,)
        Frequencies.
    left : ndarray of shape (n_nodes,)
        How much of its own weight an observation of the node leaves out.
    h : float
        Bandwidth in steps of the grid.

    Returns
    -------
    float
    """
    taps = int(REACH * h)
    kernel = np.exp(-0.5 * (np.arange(-taps, taps + 1) / h) ** 2)
    kernel[taps] = 0.0  # the node itself is added apart, without the row that is left out
    gap = np.diff(node, prepend=-np.inf, append=np.inf)
    met = np.minimum(gap[:-1], gap[1:]) <= taps  # by a kernel of another node
    others = np.zeros(len(node))
    if met.any():
        near = np.minimum(np.diff(node[met]), taps + 1)  # no kernel crosses a wider gap
        at = np.concatenate([[0], np.cumsum(near)])
        others[met] = np.convolve(np.bincount(at, weight[met]), kernel)[taps:-taps][at]
    total = others + np.maximum(weight - left, 0)
    with np.errstate(divide="ignore"):
        log_f = np.log(total)
    alone = np.flatnonzero(total <= 0)
    log_f[alone] = _from_the_nearest(node / h, weight, alone)
    return weight @ (log_f - np.log(weight.sum() - left))


def _from_the_nearest(position, weight, alone):
    """Log of the kernel sums of nodes so far from all others that the nearest of them say all."""
    offset = np.concatenate([np.arange(-NEAREST, 0), np.arange(1, NEAREST + 1)])
    other = alone[:, None] + offset
    exists = (other >= 0) & (other < len(position))
    other = np.where(exists, other, 0)
    with np.errstate(divide="ignore"):
        log_weight = np.log(np.where(exists, weight[other], 0.0))
    return np.logaddexp.reduce(log_weight - 0.5 * (position[alone, None] - position[other]) ** 2, axis=1)
