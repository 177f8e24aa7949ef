r"""Cross-validation of bandwidth matrices: least squares, biased, smoothed, and likelihood.

Each function gives a criterion, a function of H with its derivative, for the search in `_matrix.py`. Those of Rudemo
and Bowman, and of Sain, Baggerly and Scott (1994, "Cross-validation of multivariate densities"), have the form

.. math:: C(H) = |H|^{-1/2} \Big(a + \sum_{i, j} w_i w_j\, k(q_{i j})\Big), \qquad q = (x_i - x_j)^T H^{-1} (x_i - x_j)

with a profile k of their own.
"""

import numpy as np
from scipy.linalg import solve_triangular

from skgen.nonparametric._bandwidth._pairs import _blocks, outer_sum, pair_sums, squared_distances


def least_squares(sample):
    r"""Criterion of `ks::Hlscv`, the estimate of :math:`\int \hat f_H^2 - 2 \int \hat f_H f` that leaves each row out.

    Parameters
    ----------
    sample : Sample
        The rows. Where they lose different weights, the sum is divided by :math:`n (n - \bar l)`, the mean loss.

    Returns
    -------
    callable
    """
    d, n, lost = sample.X.shape[1], sample.n, sample.weight @ sample.left_out
    square = (4 * np.pi) ** (-d / 2) / n**2
    cross = 2 * (2 * np.pi) ** (-d / 2) / (n * n - lost)

    def profile(q):
        half = np.exp(-0.25 * q)
        return half * (square - cross * half), half * (-0.25 * square + 0.5 * cross * half)

    return _radial(sample, cross * lost, profile)


def biased(sample):
    r"""Biased cross-validation: the asymptotic error with :math:`\Psi_4` estimated by the kernel of covariance 2 H.

    In one dimension it is R's `bw.bcv` but for :math:`n (n - 1)` in place of :math:`n^2`. (`ks::Hbcv` 1.14 divides its
    curvature by :math:`n (n - 1)` a second time, and so gives the bounds of its search back.)

    Parameters
    ----------
    sample : Sample
        The rows.

    Returns
    -------
    callable
    """
    d, n, lost = sample.X.shape[1], sample.n, sample.weight @ sample.left_out
    scale = (4 * np.pi) ** (-d / 2) / 16 / (n * n - lost)

    def profile(q):
        s = 0.5 * q
        e = scale * np.exp(-0.5 * s)
        polynomial = s * s - 2 * (d + 2) * s + d * (d + 2)
        return e * polynomial, 0.5 * e * (2 * s - 2 * (d + 2) - 0.5 * polynomial)

    return _radial(sample, (4 * np.pi) ** (-d / 2) / n - lost * scale * d * (d + 2), profile)


def _radial(sample, constant, profile):
    """The criterion with this constant a and this profile k."""

    def criterion(H):
        root = np.linalg.cholesky(H)
        Z = solve_triangular(root, sample.X.T, lower=True).T
        total, moment = pair_sums(Z, sample.weight, profile)
        inverse = solve_triangular(root, np.eye(len(H)), lower=True)
        volume = 1 / np.prod(np.diag(root))
        value = volume * (constant + total)
        return value, inverse.T @ (-0.5 * value * np.eye(len(H)) - volume * moment) @ inverse

    return criterion


def smoothed(sample, G):
    r"""Smoothed cross-validation with a pilot of covariance G (Hall, Marron and Park, 1992; Duong and Hazelton, 2005).

    .. math:: \frac{(4 \pi)^{-d/2}}{n |H|^{1/2}}
        + \frac{1}{n^2} \sum_{i, j} w_i w_j (\phi_{2 H + 2 G} - 2 \phi_{H + 2 G} + \phi_{2 G})(x_i - x_j)

    Parameters
    ----------
    sample : Sample
        The rows.
    G : ndarray of shape (n_features, n_features)
        Covariance of the pilot kernel.

    Returns
    -------
    callable
    """
    d, n = sample.X.shape[1], sample.n
    pilot = _mean_gaussian(sample, 2 * G)[0]

    def criterion(H):
        wide, by_wide = _mean_gaussian(sample, 2 * H + 2 * G)
        narrow, by_narrow = _mean_gaussian(sample, H + 2 * G)
        variance = (4 * np.pi) ** (-d / 2) / n / np.sqrt(np.linalg.det(H))
        return (
            variance + wide - 2 * narrow + pilot,
            -0.5 * variance * np.linalg.inv(H) + 2 * by_wide - 2 * by_narrow,
        )

    return criterion


def _mean_gaussian(sample, S):
    """Mean over the ordered pairs of the normal density of covariance S at their difference; its derivative by S."""
    root = np.linalg.cholesky(S)
    inverse = solve_triangular(root, np.eye(len(S)), lower=True)
    volume = 1 / (np.prod(np.diag(root)) * (2 * np.pi) ** (len(S) / 2) * sample.n**2)
    total, moment = pair_sums(sample.X @ inverse.T, sample.weight, _gaussian)
    return volume * total, inverse.T @ (-0.5 * volume * total * np.eye(len(S)) - volume * moment) @ inverse


def _gaussian(q):
    e = np.exp(-0.5 * q)
    return e, -0.5 * e


def likelihood(sample):
    r"""Minus the leave-one-out log-likelihood :math:`\sum_i w_i \log \hat f_{H, -i}(x_i)`.

    Parameters
    ----------
    sample : Sample
        The rows.

    Returns
    -------
    callable
    """
    X, w, left = sample.X, sample.weight, sample.left_out
    n, d = sample.n, X.shape[1]
    constant = w @ np.log(n - left) + n * d / 2 * np.log(2 * np.pi)

    def criterion(H):
        root = np.linalg.cholesky(H)
        inverse = solve_triangular(root, np.eye(d), lower=True)
        Z = X @ inverse.T
        score, moment = 0.0, np.zeros((d, d))
        for rows in _blocks(len(Z)):
            log_f, share = _leave_one_out(Z, w, left, rows)
            score += w[rows] @ log_f
            moment += outer_sum(w[rows, None] * share, Z[rows], Z)
        value = constant + n * np.log(np.diag(root)).sum() - score
        return value, 0.5 * inverse.T @ (n * np.eye(d) - moment) @ inverse

    return criterion


def _leave_one_out(Z, w, left, rows):
    """Log of each row's kernel sum without itself, and the share of every other row in it."""
    exponent = -0.5 * squared_distances(Z[rows], Z)
    exponent += np.log(w)
    at = np.arange(rows.start, rows.stop)
    with np.errstate(divide="ignore"):
        exponent[at - rows.start, at] = np.log(w[rows] - left[rows])
    top = exponent.max(axis=1, keepdims=True)
    share = np.exp(exponent - top)
    total = share.sum(axis=1, keepdims=True)
    return (top + np.log(total))[:, 0], share / total
