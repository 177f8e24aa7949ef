r"""Maxima of likelihoods in a few dimensions: damped Newton steps, to the precision of the numbers.

A step :math:`-H^{-1} g` is taken on the modified Hessian (eigenvalues made negative), halved until the likelihood
rises. The decrement :math:`-g^\top H^{-1} g` is twice what is left to gain where the likelihood is quadratic; a fit is
certified when it is below `SOLVED`. Nocedal and Wright, "Numerical Optimization", 2006, chapter 3.
"""

import sys
import warnings
from functools import partial
from typing import NamedTuple

import numpy as np
from scipy.optimize import brentq
from sklearn.exceptions import ConvergenceWarning

SOLVED = 1e-15  # nats a row: the parameters are then some 1e-8 standard deviations of a row from the maximum
NOISE = 1e-11  # nats a row: where a likelihood of special functions is too rough to say more
STEP = 1e-3  # of the stencils, on parameters that are of order one


class Peak(NamedTuple):
    """Where a climb ended: the point, the value there, what is left to gain, and whether that is next to nothing."""

    point: np.ndarray
    value: float
    decrement: float
    solved: bool


def climb(local, start, max_iter=200, slack=None, direction=lambda u, *slopes: uphill(*slopes)):
    """The local maximum uphill of a start.

    Parameters
    ----------
    local : callable
        local(u) -> (value, gradient, Hessian); the value is -inf outside the domain.
    start : array-like of shape (k,)
        Inside the domain.
    max_iter : int
        Newton steps at most.
    slack : callable, optional
        slack(u) -> float, positive inside the domain: no step leaves less than a tenth of it.
    direction : callable, optional
        direction(u, gradient, hessian) -> the step, `uphill` by default.

    Returns
    -------
    Peak

    Examples
    --------
    >>> peak = climb(lambda u: (-((u[0] - 2) ** 2), -2 * (u - 2), np.array([[-2.0]])), [0.0])
    >>> peak.point, peak.solved
    (array([2.]), True)
    """
    u = np.asarray(start, dtype=np.float64)
    value, gradient, hessian = local(u)
    decrement, idle = np.inf, 0
    for _ in range(max_iter):
        if not (np.isfinite(value) and np.isfinite(gradient).all() and np.isfinite(hessian).all()):
            return Peak(u, value, np.inf, False)
        step = direction(u, gradient, hessian)
        decrement = float(gradient @ step)
        if decrement <= SOLVED:  # the last step is too small to be seen in the value, and squares the error
            last = local(u + step)
            u, value = (u + step, last[0]) if last[0] >= value - 1e-12 * (1 + abs(value)) else (u, value)
            return Peak(u, value, decrement, True)
        share = 1.0 if slack is None else room(slack, u, step)
        while True:
            tried = local(u + share * step)
            if tried[0] >= value + 1e-4 * share * decrement - 4e-16 * abs(value):
                break
            share /= 2
            if share < 1e-12:
                return Peak(u, value, decrement, decrement < NOISE)
        idle = idle + 1 if tried[0] <= value + 1e-14 * (1 + abs(value)) else 0
        u, (value, gradient, hessian) = u + share * step, tried
        if idle > 3:  # the rounding of the likelihood is all that is left to climb
            return Peak(u, value, decrement, decrement < NOISE)
    return Peak(u, value, decrement, decrement < NOISE)


def certified(model, peak, name):
    """The point where a climb ended, with a warning where more than next to nothing is left.

    Parameters
    ----------
    model : object
        What is fitted.
    peak : Peak
        Where the climb ended.
    name : str
        The column.

    Returns
    -------
    ndarray of shape (k,)

    Warns
    -----
    ConvergenceWarning
        At the user's call.
    """
    if not peak.solved:
        left = f"{peak.decrement:.1e} nats" if np.isfinite(peak.decrement) else "some likelihood"
        warnings.warn(
            f"{type(model).__name__} did not converge in {name}: {left} a row may be left. Use wider data, or another "
            "family.",
            ConvergenceWarning,
            stacklevel=depth_of_caller(),
        )
    return peak.point


def depth_of_caller():
    """The stack level, seen from the function that asks, of the first frame outside of this package and sklearn.

    Returns
    -------
    int
        For `warnings.warn`.
    """
    frame, depth = sys._getframe(1), 1
    while frame.f_back is not None and frame.f_globals.get("__name__", "").startswith(("skgen.", "sklearn.")):
        frame, depth = frame.f_back, depth + 1
    return depth


def room(slack, u, step):
    """The share of a step, one half over and over, that leaves a tenth of the way to the end of the domain.

    Parameters
    ----------
    slack : callable
        slack(u) -> ndarray of shape (...), positive inside the domain.
    u, step : ndarray of shape (..., k)
        Where, and the step; or several of them.

    Returns
    -------
    float or ndarray of shape (...)
    """
    left, share = 0.1 * slack(u), np.ones(np.shape(u)[:-1])
    for _ in range(40):
        beyond = ~(slack(u + share[..., None] * step) >= left)
        if not beyond.any():
            break
        share = np.where(beyond, share / 2, share)
    return share if share.ndim else float(share)


def uphill(gradient, hessian, reach=3.0):
    """The Newton step of the Hessian with negative eigenvalues, not too long; or of several problems at once.

    Parameters
    ----------
    gradient : ndarray of shape (..., k)
        Of the function.
    hessian : ndarray of shape (..., k, k)
        Of any signs.
    reach : float
        The largest step in any coordinate.

    Returns
    -------
    ndarray of shape (..., k)
    """
    curvature, axes = np.linalg.eigh(-hessian)
    curvature = np.abs(curvature)
    curvature = np.maximum(curvature, 1e-12 * curvature.max(axis=-1, keepdims=True) + 1e-300)
    along = (gradient[..., None, :] @ axes)[..., 0, :] / curvature
    step = (axes @ along[..., None])[..., 0]
    return step * np.minimum(1.0, reach / np.maximum(np.abs(step).max(axis=-1, keepdims=True), 1e-300))


def differences(value, u, step=STEP):
    """Value, gradient and Hessian by stencils of fourth and second order.

    Parameters
    ----------
    value : callable
        value(u) -> float or ndarray of shape (m,), for m functions at once.
    u : ndarray of shape (k,) or (k, m)
        Where; of order one in each coordinate.
    step : float
        Of the stencil: with 1e-3 the gradient is good to about 1e-12.

    Returns
    -------
    value, gradient, hessian
        Of shapes (m,), (k, m) and (k, k, m), or without the last axis.
    """
    k = len(u)
    unit = np.eye(k).reshape(k, k, *[1] * (np.ndim(u) - 1)) * step
    center = np.asarray(value(u), dtype=np.float64)
    gradient = np.empty((k, *center.shape))
    hessian = np.empty((k, k, *center.shape))
    for i in range(k):
        far_left, left, right, far_right = (np.asarray(value(u + c * unit[i])) for c in (-2, -1, 1, 2))
        gradient[i] = (far_left - 8 * left + 8 * right - far_right) / (12 * step)
        hessian[i, i] = (-far_left + 16 * left - 30 * center + 16 * right - far_right) / (12 * step**2)
    for i in range(k):
        for j in range(i):
            corners = [c * d * np.asarray(value(u + c * unit[i] + d * unit[j])) for c in (-1, 1) for d in (-1, 1)]
            hessian[i, j] = hessian[j, i] = sum(corners) / (4 * step**2)
    return center, gradient, hessian


def climb_numerically(value, start, max_iter=200):
    """`climb` on a function whose derivatives are taken by stencils.

    Parameters
    ----------
    value : callable
        value(u) -> float.
    start : array-like of shape (k,)
        Inside the domain, in coordinates of order one.
    max_iter : int
        Newton steps at most.

    Returns
    -------
    Peak
    """

    def local(u, step):
        with np.errstate(invalid="ignore", over="ignore"):  # a stencil may reach out of the domain
            center, gradient, hessian = differences(value, u, step)
        return float(center), gradient, hessian

    for step in (STEP, STEP / 10, STEP / 100):  # finer where the likelihood bends much: near the end of a support
        peak = climb(partial(local, step=step), start, max_iter)
        if peak.decrement <= SOLVED:
            break
        start = peak.point
    return peak


def decreasing_root(slope, low, high, guess=None):
    """Where a decreasing function changes its sign, or the end of the range that it points to.

    Parameters
    ----------
    slope : callable
        Decreasing: the derivative of a function with one maximum.
    low, high : float
        The range.
    guess : float, optional
        Where to look first; the middle by default.

    Returns
    -------
    float

    Examples
    --------
    >>> decreasing_root(lambda u: 1.0 - u, -50.0, 50.0)
    1.0
    """
    left = right = min(max(0.5 * (low + high) if guess is None else guess, low), high)
    step = 0.1
    while left > low and slope(left) < 0:
        right, left, step = left, max(low, left - step), 3 * step
    if left == low and slope(left) <= 0:
        return float(low)
    step = 0.1
    while right < high and slope(right) > 0:
        left, right, step = right, min(high, right + step), 3 * step
    if right == high and slope(right) >= 0:
        return float(high)
    if left == right:
        return float(left)
    return float(brentq(slope, left, right, xtol=1e-300, rtol=1e-15, maxiter=1000))
