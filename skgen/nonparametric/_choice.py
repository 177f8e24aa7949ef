"""From what a user asks for to a bandwidth: a number, one for each feature, a matrix, or a rule for any kernel."""

import numpy as np

from skgen.balls import Minkowski
from skgen.nonparametric import _bandwidth
from skgen.nonparametric._bandwidth._matrix import clumping
from skgen.nonparametric._bandwidth._sample import merged
from skgen.nonparametric._kernels import GAUSSIAN, KERNELS

MOST_SCORED = 5000  # rows whose likelihood a search for the bandwidth adds up, in several dimensions
EUCLIDEAN = Minkowski(2)


def check_bandwidth(bandwidth, d, name="bandwidth"):
    """A number, d positive numbers or a positive definite matrix, as float64.

    Parameters
    ----------
    bandwidth : float or array-like
        As the user gave it.
    d : int
        The number of continuous features.
    name : str
        Of the parameter.

    Returns
    -------
    float, ndarray of shape (d,) or ndarray of shape (d, d)

    Raises
    ------
    ValueError
        If it is none of these.
    """
    h = np.asarray(bandwidth, dtype=np.float64)
    if h.ndim == 0:
        return float(h)
    if h.shape == (1, 1) == (d, d) and h[0, 0] > 0:
        return np.sqrt(h[0])
    if h.shape == (d,):
        if np.isfinite(h).all() and (h > 0).all():
            return h
        raise ValueError(f"{name} has the entries {h.tolist()}, but each is a positive number: the width of a kernel.")
    if h.shape == (d, d):
        if not (np.isfinite(h).all() and np.allclose(h, h.T)):
            raise ValueError(f"{name} is a matrix that is not symmetric: H is a covariance, the square of a bandwidth.")
        if np.linalg.eigvalsh(h)[0] > 0:
            return h
        raise ValueError(f"{name} is no positive definite matrix: H is a covariance, the square of a bandwidth.")
    raise ValueError(
        f"{name} is a positive number, {d} of them (one for each continuous feature), a symmetric matrix of shape "
        f"({d}, {d}), or a rule; got an array of shape {h.shape}."
    )


def canonical_ratio(kernel, d, is_product, metric):
    """The bandwidth of a kernel at which it smooths as the gaussian of bandwidth 1 does.

    Parameters
    ----------
    kernel : Kernel
    d : int
        Dimensions.
    is_product : bool
        Whether each column has a kernel of its own.
    metric : Minkowski
        Of a radial kernel.

    Returns
    -------
    float
    """
    gaussian = KERNELS["gaussian"].log_canonical(d, EUCLIDEAN)
    if not is_product:
        return np.exp(kernel.log_canonical(d, metric) - gaussian)
    log_roughness = d * (kernel.log_square(1) - 2 * kernel.log_mass(1) - np.log(2))
    return np.exp((log_roughness - 2 * np.log(kernel.mean_square(1))) / (d + 4) - gaussian)


def by_rule(rule, Z, weights, *, mixture, structure, factors, left_out, log_left_out_scores):
    """The bandwidth that a rule chooses.

    Parameters
    ----------
    rule : str
        One of the rules of `skgen.nonparametric._bandwidth`.
    Z : ndarray of shape (n_samples, d)
        Coordinates.
    weights : ndarray of shape (n_samples,)
        As many as rows count.
    mixture : KernelMixture
        Of any bandwidth: what the chosen one is for.
    structure : {"diag", "full"}
        Its form.
    factors : ndarray of shape (d,) or None
        By which the metric multiplies columns, and so divides bandwidths.
    left_out : ndarray of shape (n_samples,) or None
        The weight that a row loses where it is left out; one observation, if None.
    log_left_out_scores : callable
        From bandwidths of shape (d,) to the mean log-density of rows that leave themselves out.

    Returns
    -------
    ndarray of shape (d,) or (d, d)
    """
    unit = 2.0 ** np.round(np.log2(np.ptp(Z, axis=0)))  # squares of very large or small numbers are no numbers
    Z, d, kernel = (Z - Z[0]) / unit, Z.shape[1], mixture.kernel
    factors = np.ones(d) if factors is None else factors
    is_plain = kernel.profile(1)[0] == GAUSSIAN and mixture.metric.p == 2 and mixture.space.is_free
    if rule == "mlcv" and structure == "diag" and not (is_plain and not mixture.discrete):
        start = unit * factors * _bandwidth.select("silverman", Z, weights, left_out=left_out)
        if np.isfinite(kernel.mean_square(d)):
            start = start * canonical_ratio(kernel, d, mixture.is_product, mixture.metric)
        low = 0.02 * clumping(merged(Z, weights))
        return _bandwidth.maximise_leave_one_out(lambda log_h: log_left_out_scores(np.exp(log_h)), start, low)
    if np.isinf(kernel.mean_square(d)):
        raise ValueError("A rule wants a kernel with a variance: more degrees of freedom than 2, or a bandwidth.")
    ratio = canonical_ratio(kernel, d, mixture.is_product, mixture.metric)
    chosen = _bandwidth.select(rule, Z, weights, structure=structure, left_out=left_out)
    if structure == "diag":
        return chosen * ratio * factors * unit
    return chosen * ratio**2 * np.outer(factors * unit, factors * unit)


def rule_of_thumb(cell, n, d):
    """A bandwidth for a discrete feature, which falls with the rows at the rate of the best one.

    Parameters
    ----------
    cell : Labels or WholeNumbers
        The kernel.
    n : float
        The number of rows.
    d : int
        The number of continuous features.

    Returns
    -------
    float
    """
    return 0.5 * cell.widest * n ** (-2 / (d + 4))
