r"""Covariances of estimates: the inverse of the observed information, by stencils as wide as the maximum is.

.. math:: \widehat{\operatorname{cov}}(\hat\theta) = \left[-\nabla^2 \ell(\hat\theta)\right]^{-1}

A step that suits one likelihood is too coarse for the next (a gamma law of shape 1e8 is four orders of magnitude
narrower than its parameters are large), so that the stencils are taken along axes on which the information is one.
"""

import numpy as np

STEP = 0.02  # of the stencils, in standard deviations of a row
FINER = (1.0, 0.1, 0.01)  # shares of it, where the end of a support is near
KINK = 0.05  # by which stencils of two widths differ only where the likelihood has a kink
WIDEST = 10.0  # no axis is longer: the parameters, on their line, are of order one
ROUNDS = 8
FLAT = 1e-8  # nats a row: less of a curvature is rounding of the likelihood


def covariance(height, peak):
    """The inverse of minus the Hessian at a maximum.

    Parameters
    ----------
    height : callable
        height(u) -> float, the log-likelihood a row; -inf or NaN outside the domain.
    peak : ndarray of shape (k,)
        Where its maximum is; of order one in each coordinate.

    Returns
    -------
    ndarray of shape (k, k)
        Of one row: that of n rows is an n-th of it. NaN where the point is no maximum, or a kink.

    Examples
    --------
    >>> covariance(lambda u: -0.5 * (u[0] / 1e-5) ** 2, np.zeros(1)).round(14)
    array([[1.e-10]])
    """
    with np.errstate(all="ignore"):
        axes = np.diag([_width(height, peak, axis) for axis in np.eye(len(peak))])
        for last in ROUNDS * [False] + [True]:

            def along(v, axes=axes):
                return height(peak + axes @ v)

            information = -_curvature(along, len(peak), STEP)
            if not np.isfinite(information).all():
                return np.full(axes.shape, np.nan)
            values, directions = np.linalg.eigh(information)
            if last or np.abs(values - 1).max() < 1e-4:
                break
            axes = axes @ (directions / np.sqrt(np.maximum(np.abs(values), FLAT)))
            axes = axes / np.maximum(1, np.abs(axes).max(axis=0) / WIDEST)
        for share in FINER:
            information, wide = (-_curvature(along, len(peak), share * step) for step in (STEP, 2 * STEP))
            values, directions = np.linalg.eigh(np.nan_to_num(information))
            roots = np.sqrt(np.diag(information))
            if values.min() > FLAT and (np.abs(wide - information) < KINK * np.outer(roots, roots)).all():
                factor = axes @ (directions / np.sqrt(values))
                return factor @ factor.T
    return np.full(axes.shape, np.nan)


def _width(height, peak, axis):
    """A length along an axis over which less than a nat is lost."""
    top, width = height(peak), 1.0
    while width > 1e-15 and not min(height(peak + width * axis), height(peak - width * axis)) > top - 1:
        width /= 4
    return width


def _curvature(height, k, step):
    """The Hessian at zero, of fourth order: along the axes, and along the sums of two."""
    top, eye = height(np.zeros(k)), np.eye(k)

    def along(direction):
        near = height(step * direction) + height(-step * direction)
        far = height(2 * step * direction) + height(-2 * step * direction)
        return (16 * near - far - 30 * top) / (12 * step**2)

    hessian = np.diag([along(axis) for axis in eye])
    for i in range(k):
        for j in range(i):
            both = along(eye[i] + eye[j]) - hessian[i, i] - hessian[j, j]
            hessian[i, j] = hessian[j, i] = both / 2
    return hessian
