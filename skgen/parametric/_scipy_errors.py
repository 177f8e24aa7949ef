r"""Standard errors of a fitted distribution of scipy.stats, by the observed information.

.. math:: \left[-\nabla^2 \sum_i w_i \log f(x_i; \hat\theta)\right]^{-1/2}
"""

import numpy as np

from skgen.parametric._curvature import covariance
from skgen.parametric._maximum import STEP, differences
from skgen.parametric._scipy_chart import Chart, calm, column_of, is_discrete, shapes_of

AT_AN_END = 1e-6  # from the end of its range, in units of the data's spread, a parameter counts as being there
AT_INFINITY = 1e5
LEVEL = 1e-4  # the slope, in nats a row and standard deviation of a row, up to which a fit is at a smooth maximum
SMOOTH = 0.05  # relative, of the curvatures by two stencils


def errors_of(dist, x, sample_weight, parameters, free):
    """Standard errors of the free parameters.

    Parameters
    ----------
    dist : rv_continuous or rv_discrete
        The family.
    x, sample_weight : ndarray of shape (n_samples,)
        Values and their frequencies.
    parameters : dict
        The estimates.
    free : list of str
        Names of those that were estimated.

    Returns
    -------
    dict
        By name: 0 for fixed parameters; NaN at the end of a range, at a kink of the likelihood, and for whole numbers.
    """
    shapes = shapes_of(dist)
    smooth = [name for name in free if name not in shapes or not shapes[name].whole]
    column = column_of(dist, x, sample_weight, {k: v for k, v in parameters.items() if k not in smooth})
    values = _in_units(dist, column, parameters)
    chart = Chart(dist, column, {name: value for name, value in values.items() if name not in smooth})
    errors = {name: np.nan if name in free else 0.0 for name in parameters}
    with calm(dist):
        for name, deviation in _deviations(chart, values).items():
            unit = 1.0 if name in shapes else column.spread
            errors[name] = float(unit * deviation / np.sqrt(sample_weight.sum()))
    return errors


def _in_units(dist, column, parameters):
    """The parameters in the column's units, with a scale."""
    values = {"scale": 1.0} | {name: np.float64(value) for name, value in parameters.items()}
    if not is_discrete(dist):
        values["loc"] = (values["loc"] - column.origin) / column.spread
        values["scale"] = values["scale"] / column.spread
    return values


def _deviations(chart, values):
    """The standard deviation of each parameter whose maximum is smooth, as one row tells it."""
    u = chart.point(values, margin=AT_AN_END)
    kept = np.flatnonzero([_is_inside(values[name], *chart.range(name, values)) for name in chart.free])

    def at(v):
        w = u.copy()
        w[kept] = v
        return w

    def height(v):
        return chart.height(at(v))

    while len(kept):
        is_smooth = _is_smooth(height, u[kept])
        if is_smooth.all():
            break
        kept = kept[is_smooth]
    if not len(kept):
        return {}
    found = covariance(height, u[kept])
    names = [str(chart.free[i]) for i in kept]
    slopes = _slopes(lambda v: np.array([chart.values(at(v))[name] for name in names]), u[kept])
    return dict(zip(names, np.sqrt(np.diag(slopes.T @ found @ slopes)), strict=True))


def _is_inside(value, low, high):
    """Whether a parameter is away from the ends of its range, and from infinity."""
    return low + AT_AN_END < value < high - AT_AN_END and abs(value) < AT_INFINITY


def _is_smooth(height, v):
    """For each coordinate whether the likelihood is level there, bends down, and does so on two stencils alike."""
    _, slope, curvature = differences(height, v)
    bend, wide = -np.diag(curvature), -np.diag(differences(height, v, 2 * STEP)[2])
    level = np.abs(slope) < LEVEL * np.sqrt(np.maximum(bend, 1.0))
    return level & (bend > 1e-9) & (np.abs(wide - bend) < SMOOTH * bend)


def _slopes(function, v, step=1e-5):
    """The derivatives of a vector, by central differences: rows are coordinates."""
    return np.array([(function(v + h) - function(v - h)) / (2 * step) for h in step * np.eye(len(v))])
