"""Standard errors of a fitted distribution of scipy.stats, by the observed information."""

import numpy as np

from skgen.parametric._maximum import differences
from skgen.parametric._scipy_chart import Chart, column_of, is_discrete, shapes_of

AT_AN_END = 1e-6  # from the end of its range, in units of the data's spread, a parameter counts as being there
LEVEL = 1e-5  # the slope, in nats a row, up to which a fit is at a smooth maximum


def errors_of(dist, x, sample_weight, parameters, free):
    r"""Standard errors of the free parameters, :math:`[-\nabla^2 \sum_i w_i \log f(x_i; \hat\theta)]^{-1/2}`.

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
    errors = {name: np.nan if name in free else 0.0 for name in parameters}
    column = column_of(dist, x, sample_weight, {k: v for k, v in parameters.items() if k not in smooth})
    values = {"scale": 1.0} | {name: np.float64(value) for name, value in parameters.items()}
    if not is_discrete(dist):
        values["loc"] = (values["loc"] - column.origin) / column.spread
        values["scale"] = values["scale"] / column.spread
    chart = Chart(dist, column, {name: value for name, value in values.items() if name not in smooth})
    with np.errstate(all="ignore"):
        u = chart.point(values, margin=AT_AN_END)
        kept = np.array([_is_inside(values[name], *chart.range(name, values)) for name in chart.free], bool)
        while kept.any():
            _, slope, curvature = differences(lambda v: chart.height(_with(u, kept, v)), u[kept])
            smooth_here = (np.abs(slope) < LEVEL) & (np.diag(curvature) < -1e-9)
            if smooth_here.all():
                break
            kept[np.flatnonzero(kept)[~smooth_here]] = False
        if not kept.any() or not (np.linalg.eigvalsh(curvature) < 0).all():
            return errors
        covariance = np.linalg.inv(-sample_weight.sum() * curvature)
        for name in np.array(chart.free)[kept]:
            slope = (
                np.array(
                    [
                        chart.values(_with(u, kept, u[kept] + h))[name]
                        - chart.values(_with(u, kept, u[kept] - h))[name]
                        for h in 1e-5 * np.eye(kept.sum())
                    ]
                )
                / 2e-5
            )
            unit = 1.0 if name in shapes else column.spread
            errors[str(name)] = float(unit * np.sqrt(slope @ covariance @ slope))
    return errors


def _is_inside(value, low, high):
    """Whether a parameter is away from the ends of its range, and from infinity."""
    return low + AT_AN_END < value < high - AT_AN_END and abs(value) < 1e5


def _with(u, kept, v):
    """The point u with the kept coordinates replaced."""
    w = u.copy()
    w[kept] = v
    return w
