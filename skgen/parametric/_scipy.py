r"""Every univariate distribution of scipy.stats as a density of independent columns, and the choice among them.

.. math:: p(x) = \prod_{j=1}^d f_j(x_j; \theta_j)
"""

from copy import copy

import numpy as np
from scipy import stats
from sklearn.utils._param_validation import StrOptions

from skgen import supports
from skgen.conditionals import IndependentColumns
from skgen.parametric._degenerate import refuse_constant
from skgen.parametric._parametric import ParametricDensity
from skgen.parametric._quantiles import reaches
from skgen.parametric._scipy_auto import CRITERIA, compete
from skgen.parametric._scipy_chart import ALL, calm, check_names, find, is_discrete, log_density, shapes_of, silence
from skgen.parametric._scipy_errors import errors_of
from skgen.parametric._scipy_fit import CLOSED, estimate
from skgen.parametric._scipy_mode import mode_of
from skgen.random import as_generator

TABLE = ("column", "family", "parameters", "log_likelihood", "aic", "bic", "ks", "held_out", "reason")


class ScipyDensity(IndependentColumns, ParametricDensity):
    r"""Independent features, each with a distribution of scipy.stats, fitted by weighted maximum likelihood.

    .. math:: p(x) = \prod_j f(x_j; \theta_j), \qquad \hat\theta_j = \arg\max_\theta \sum_i w_i \log f(x_{ij}; \theta)

    Parameters
    ----------
    distribution : str, rv_continuous or rv_discrete, default="norm"
        The name of a distribution of scipy.stats ("gamma", "nbinom"), or the object, also one of your own making.
        "auto" chooses one for each column by `criterion`.
    fixed : dict, optional
        Parameters that are known, by scipy's names: ``{"loc": 0}``, ``{"df": 4}``; one number for all columns, or an
        array with one for each. The location of a distribution of whole numbers is 0 unless it is given here.
    criterion : {"aic", "bic", "held_out"}, default="bic"
        What "auto" chooses by: an information criterion, or the mean log-likelihood of rows left out (five folds).
    random_state : None, int, RandomState or Generator, default=None
        Shuffles the folds of "held_out".

    Attributes
    ----------
    parameters_ : list of dict
        The parameters of each column by scipy's names, in the units of the feature.
    distributions_ : list of str
        The name of each column's distribution.
    object_ : rv_continuous, rv_discrete or None
        The distribution where it was given as an object.
    free_ : list of list of str
        Names of the parameters that were estimated.
    selection_ : dict of list
        With "auto": a table, ``pandas.DataFrame(model.selection_)``, of every family that was tried on each column,
        best first: its parameters, log-likelihood, criteria, Kolmogorov-Smirnov distance, and the reason where it
        could not be fitted.

    See Also
    --------
    Independent : Columns of any univariate densities.

    Notes
    -----
    Three-parameter families (a location beside shape and scale) may have an unbounded likelihood: it grows without end
    as the location runs into the least value. The highest peak inside is the estimate, as is usual; where there is
    none, fit says which parameter to fix. `loc=0` is right for quantities that are positive by nature.

    "auto" takes columns of a whole-number dtype for counts, as `Independent` does, and compares probabilities; columns
    of floating-point numbers get densities. `skgen.parametric._scipy_auto.AUTO` lists who competes: on the whole line
    all parameters are free, on positive numbers `loc` is 0, on numbers from 0 to 1 `scale` is 1 too.

    A model whose distribution was given by name can be saved by `skgen.save`; an object cannot, but it can be pickled.

    References
    ----------
    Akaike, "A new look at the statistical model identification", 1974; Schwarz, "Estimating the dimension of a model",
    1978.

    Examples
    --------
    >>> import numpy as np
    >>> from skgen import ScipyDensity
    >>> X = np.random.default_rng(0).gamma(2.0, 3.0, size=(500, 1))
    >>> model = ScipyDensity("gamma", fixed={"loc": 0}).fit(X)
    >>> {name: round(value, 2) for name, value in model.parameters_[0].items()}
    {'a': 2.22, 'loc': 0.0, 'scale': 2.56}
    >>> ScipyDensity("auto").fit(X).distributions_
    ['gamma']
    """

    _parameter_constraints = {
        "distribution": [str, stats.rv_continuous, stats.rv_discrete],
        "fixed": [dict, None],
        "criterion": [StrOptions(set(CRITERIA))],
        "random_state": ["random_state", np.random.Generator],
    }

    def __init__(self, distribution="norm", *, fixed=None, criterion="bic", random_state=None):
        self.distribution = distribution
        self.fixed = fixed
        self.criterion = criterion
        self.random_state = random_state

    @property
    def support(self):
        """The product of the columns' supports, once they are fitted; before, whole or real numbers."""
        if hasattr(self, "parameters_"):
            return supports.Product([support_of(*column) for column in self._columns()])
        dist = ALL.get(self.distribution) if isinstance(self.distribution, str) else self.distribution
        return supports.integer if is_discrete(dist) else supports.real

    @property
    def _unique_optimum(self):
        return isinstance(self.distribution, str) and self.distribution in CLOSED

    @property
    def _equivariance(self):
        return ("shift", "scale") if self._unique_optimum and not self.fixed else ()

    def _columns(self):
        """The distribution and the parameters of each column."""
        if self.object_ is None:
            return [(find(name), p) for name, p in zip(self.distributions_, self.parameters_, strict=True)]
        return [(self.object_, p) for p in self.parameters_]

    def _fit(self, X, y, sample_weight):
        fixed = self._fixed(X.shape[1])
        fit_column = self._choose if self._is_auto() else self._fit_given
        rng = as_generator(self.random_state)
        found = [fit_column(j, x, sample_weight, fixed[j], rng) for j, x in enumerate(X.T)]
        self.object_ = None if isinstance(self.distribution, str) else self.distribution
        self.distributions_ = [name for name, _, _ in found]
        self.parameters_ = [fitted.parameters for _, fitted, _ in found]
        self.free_ = [fitted.free for _, fitted, _ in found]
        if self._is_auto():
            rows = [{"column": self._word(j)} | row for j, (_, _, table) in enumerate(found) for row in table]
            self.selection_ = {name: [row[name] for row in rows] for name in TABLE}

    def _is_auto(self):
        return isinstance(self.distribution, str) and self.distribution == "auto"

    def _word(self, j):
        return j if self.columns_.names is None else self.columns_.names[j]

    def _fixed(self, n_features):
        """The fixed parameters of each column."""
        given = self.fixed or {}
        if self._is_auto():
            unknown = sorted(set(given) - {"loc", "scale"})
            if unknown:
                raise ValueError(
                    f'With "auto" only loc and scale can be fixed, which all families have; got {unknown}.'
                )
        else:
            check_names(find(self.distribution), given)
        columns = [{} for _ in range(n_features)]
        for name, values in given.items():
            try:
                values = np.broadcast_to(np.asarray(values, dtype=np.float64), (n_features,))
            except (TypeError, ValueError) as error:
                raise ValueError(
                    f"fixed[{name!r}] is a number, or one for each of {n_features} columns; got {values!r}."
                ) from error
            if not np.isfinite(values).all():
                raise ValueError(f"fixed[{name!r}] is finite, got {given[name]!r}.")
            for column, value in zip(columns, values, strict=True):
                column[name] = float(value)
        return columns

    def _fit_given(self, j, x, sample_weight, fixed, rng):
        dist = find(self.distribution)
        return dist.name, estimate(dist, x, sample_weight, fixed, self.columns_.name(j)), None

    def _choose(self, j, x, sample_weight, fixed, rng):
        counted = self.columns_.kinds[j] == "integer"
        if counted and "scale" in fixed:
            raise ValueError(
                f"scale is fixed, but {self.columns_.name(j)} holds whole numbers, which are taken for counts, and "
                "families of counts have no scale. Leave scale out, or give the column as floating-point numbers."
            )
        if not counted:
            refuse_constant(self, np.ptp(x, keepdims=True), x[:1])
        rows, estimates = compete(x, sample_weight, counted, fixed, self.criterion, rng, self.columns_.name(j))
        return rows[0]["family"], estimates[0], rows

    def _log_prob(self, X, y):
        columns = np.array([log_density(dist, x, p) for x, (dist, p) in zip(X.T, self._columns(), strict=True)])
        impossible = np.isneginf(columns).any(axis=0)  # also where other columns are at their poles
        return np.where(impossible, -np.inf, np.sum(columns, axis=0, where=~impossible))

    def _sample(self, n_samples, y, rng):
        return np.column_stack([draw(dist, p, n_samples, rng) for dist, p in self._columns()])

    def _conditional_log_cdf(self, X):
        pairs = [log_tails(dist, x, p) for x, (dist, p) in zip(X.T, self._columns(), strict=True)]
        return tuple(np.column_stack(tails) for tails in zip(*pairs, strict=True))

    def _conditional_ppf(self, log_u, log_v):
        columns = zip(log_u.T, log_v.T, self._columns(), strict=True)
        return np.column_stack([quantile(dist, u, v, p) for u, v, (dist, p) in columns])

    def _mean(self):
        return self._each("mean")

    def _var(self):
        return self._each("var")

    def _mode(self):
        return [mode_of(dist, p) for dist, p in self._columns()]

    def _entropy(self):
        return sum(self._each("entropy"))

    def _each(self, quantity):
        """A quantity of each column's distribution, as scipy computes it."""
        with silence():
            return [self._computed(getattr(dist, quantity), p) for dist, p in self._columns()]

    @staticmethod
    def _computed(quantity, parameters):
        try:
            return float(quantity(**parameters))
        except (ArithmeticError, TypeError):  # of scipy's own integrals
            return np.nan

    def _n_parameters(self):
        return sum(map(len, self.free_))

    def _estimates(self):
        return self.parameters_

    def _domains(self):
        return [{name: domain_of(dist, name) for name in p} for dist, p in self._columns()]

    def _standard_errors(self, X, sample_weight):
        columns = zip(X.T, self._columns(), self.free_, strict=True)
        return [errors_of(dist, x, sample_weight, p, free) for x, (dist, p), free in columns]

    def _regular(self, table):
        return table

    def _refit(self, X, sample_weight):
        """The same families with the same fixed parameters, also where "auto" chose them."""
        refit, fixed = copy(self), self._held()
        columns = enumerate(zip(X.T, self._columns(), fixed, strict=True))
        fitted = [estimate(dist, x, sample_weight, p, self.columns_.name(j)) for j, (x, (dist, _), p) in columns]
        refit.parameters_ = [column.parameters for column in fitted]
        return refit

    def _held(self):
        """The parameters of each column that were not estimated."""
        pairs = zip(self.parameters_, self.free_, strict=True)
        return [{name: value for name, value in p.items() if name not in free} for p, free in pairs]


def support_of(dist, parameters):
    """Where a fitted distribution lives: without its ends where the density is infinite there."""
    low, high = map(float, dist.support(**parameters))
    if is_discrete(dist):
        known = {(0.0, np.inf): supports.integer, (0.0, 1.0): supports.binary}
        return known.get((low, high)) or supports.Integers(
            "integers", f"whole numbers from {low:g} to {high:g}", low, high
        )
    ends = np.array([low, high])[np.isfinite([low, high])]
    with calm(dist):
        closed = bool((dist.logpdf(ends, **parameters) < np.inf).all())
    known = {
        (-np.inf, np.inf, True): supports.real,
        (0.0, np.inf, True): supports.nonnegative,
        (0.0, np.inf, False): supports.positive,
        (0.0, 1.0, True): supports.unit,
        (0.0, 1.0, False): supports.open_unit,
    }
    word = "from {:g} to {:g}" if closed else "between {:g} and {:g}"
    named = known.get((low, high, closed))
    return named or supports.Interval("interval", f"numbers {word.format(low, high)}", low, high, closed)


def draw(dist, parameters, n_samples, rng):
    """Draws; by the private method, since scipy's public one sets the generator of the distribution that all share."""
    shapes = [np.float64(value) for name, value in parameters.items() if name not in ("loc", "scale")]
    with calm(dist):
        z = np.asarray(dist._rvs(*shapes, size=(n_samples,), random_state=rng), dtype=np.float64)
        low, high = dist.support(**parameters)
    return np.clip(parameters["loc"] + parameters.get("scale", 1.0) * z, low, high)


def log_tails(dist, x, parameters):
    """(log F, log(1 - F)) at each entry."""
    with calm(dist):
        return dist.logcdf(x, **parameters), dist.logsf(x, **parameters)


def quantile(dist, log_u, log_v, parameters):
    """The quantile, from the logarithms of both tails, by the smaller."""
    with calm(dist):
        is_lower, x = log_u < log_v, np.empty(np.shape(log_u))
        x[is_lower] = dist.ppf(np.exp(log_u[is_lower]), **parameters)
        x[~is_lower] = dist.isf(np.exp(log_v[~is_lower]), **parameters)
        if is_discrete(dist):  # where F(k) = u up to rounding, k is the quantile and not k + 1
            x = np.where(reaches(log_tails(dist, x - 1, parameters), log_u, log_v), x - 1, x)
            x = np.where(reaches(log_tails(dist, x, parameters), log_u, log_v), x, x + 1)
    return x


def domain_of(dist, name):
    """The link on which a parameter's interval is symmetric."""
    if name == "loc":
        return "real"
    shape = shapes_of(dist).get(name)
    if name == "scale" or shape.low >= 0 and np.isinf(shape.high):
        return "positive"
    return "unit" if (shape.low, shape.high) == (0, 1) else "real"
