"""The 28 benchmark densities of Berlinet and Devroye, as toys on the line."""

from dataclasses import dataclass
from numbers import Integral

import numpy as np

from skgen.datasets._toys import ToyDistribution

NAMES = (
    "uniform",
    "exponential",
    "Maxwell",
    "double exponential",
    "logistic",
    "Cauchy",
    "extreme value",
    "infinite peak",
    "Pareto",
    "symmetric Pareto",
    "normal",
    "lognormal",
    "uniform scale mixture",
    "Matterhorn",
    "logarithmic peak",
    "isosceles triangle",
    "beta 2,2",
    "chi-square 1",
    "normal cubed",
    "inverse exponential",
    "Marronite",
    "skewed bimodal",
    "claw",
    "smooth comb",
    "caliper",
    "trimodal uniform",
    "sawtooth",
    "bilogarithmic peak",
)


@dataclass(frozen=True)
class BenchmarkDensity(ToyDistribution):
    r"""One of the 28 densities on the line that Berlinet and Devroye compare density estimates on.

    Among them are infinite peaks, tails without a mean, gaps, jumps and kinks, and unlike scales within one density:

    ==  =====================  =================================================================================
     1  uniform                :math:`1` on (0, 1)
     2  exponential            :math:`e^{-x}` for x > 0
     3  Maxwell                :math:`x e^{-x^2 / 2}` for x > 0
     4  double exponential     :math:`e^{-|x|} / 2`
     5  logistic               :math:`e^{-x} / (1 + e^{-x})^2`
     6  Cauchy                 :math:`1 / (\pi (1 + x^2))`
     7  extreme value          :math:`e^{-x - e^{-x}}`
     8  infinite peak          :math:`1 / (2 \sqrt x)` on (0, 1)
     9  Pareto                 :math:`x^{-3/2} / 2` for x > 1
    10  symmetric Pareto       :math:`(1 + |x|)^{-3/2} / 4`
    11  normal                 :math:`N(0, 1)`
    12  lognormal              the exponential of a standard normal number
    13  uniform scale mixture  :math:`\tfrac12 U(-\tfrac12, \tfrac12) + \tfrac12 U(-5, 5)`
    14  Matterhorn             :math:`1 / (|x| \log^2 |x|)` for :math:`|x| < e^{-2}`
    15  logarithmic peak       :math:`-\log x` on (0, 1)
    16  isosceles triangle     :math:`1 - |x|` on (-1, 1)
    17  beta 2,2               :math:`6 x (1 - x)` on (0, 1)
    18  chi-square 1           the square of a standard normal number
    19  normal cubed           the cube of a standard normal number
    20  inverse exponential    :math:`e^{-1 / \sqrt x} / (2 x^{3/2})` for x > 0
    21  Marronite              :math:`\tfrac13 N(-20, (\tfrac14)^2) + \tfrac23 N(0, 1)`
    22  skewed bimodal         :math:`\tfrac34 N(0, 1) + \tfrac14 N(\tfrac32, (\tfrac13)^2)`
    23  claw                   :math:`\tfrac12 N(0, 1) + \sum_{k=0}^4 \tfrac1{10} N(\tfrac k2 - 1, (\tfrac1{10})^2)`
    24  smooth comb            :math:`\sum_{k=0}^5 \tfrac{2^{5-k}}{63} N\big(\tfrac{65 - 96 / 2^k}{21},\
                               (\tfrac{32}{63 \cdot 2^k})^2\big)`
    25  caliper                :math:`2 (1 - (|x| - 0.1)^{1/3})` for 0.1 < abs(x) < 1.1
    26  trimodal uniform       :math:`\tfrac14 U(-20.1, -20) + \tfrac12 U(-1, 1) + \tfrac14 U(20, 20.1)`
    27  sawtooth               ten triangles in a row, 2 wide and 0.1 high, on (-10, 10)
    28  bilogarithmic peak     :math:`-\tfrac12 \log(x (1 - x))` on (0, 1)
    ==  =====================  =================================================================================

    Parameters
    ----------
    name : str or int
        The name, or the number from 1 to 28, which becomes the name.

    Attributes
    ----------
    number : int
        From 1 to 28.
    support : tuple of float
        The ends of the support; infinite ones too.
    breaks : tuple of float
        The points where the density is infinite, or it or one of its derivatives jumps, in increasing order, finite
        ends of the support among them: a quadrature goes from one to the next.
    roughness : float
        The integral of the squared density, in closed form; infinite for four of them.

    Raises
    ------
    ValueError
        If there is no such density.

    Notes
    -----
    A log-density is +inf where the density is infinite: at 0 (numbers 8, 14, 15, 18, 19, 28) and at 1 (number 28). The
    Matterhorn has 0.27 % of its mass nearer to 0 than the smallest float; its draws and quantiles there are that float.

    References
    ----------
    Berlinet, A. and Devroye, L. (1994), A comparison of kernel density estimates, Publications de l'Institut de
    Statistique de l'Universite de Paris 38, 3-59.

    Mildenberger, T. and Weinert, H. (2012), The benchden package: benchmark densities for nonparametric density
    estimation, Journal of Statistical Software 46 (14).

    Examples
    --------
    >>> claw = BenchmarkDensity("claw")
    >>> claw == BenchmarkDensity(23)
    True
    >>> claw.score_samples([[0.0], [0.25]]).round(3)
    array([-0.513, -1.477])
    >>> claw.cdf([-1.0, 0.0]).round(3), round(claw.roughness, 2)
    (array([0.129, 0.5  ]), 0.37)
    """

    name: str

    _n_features = 1

    def __post_init__(self):
        if isinstance(self.name, str) and self.name in NAMES:
            return
        if not isinstance(self.name, Integral) or not 1 <= self.name <= len(NAMES):
            raise ValueError(
                f"BenchmarkDensity got name={self.name!r}. Give a number from 1 to {len(NAMES)}, or one of "
                f"{', '.join(map(repr, NAMES))}."
            )
        object.__setattr__(self, "name", NAMES[self.name - 1])

    @property
    def _law(self):
        from skgen.datasets._benchmark_laws import LAWS  # they need scipy

        return LAWS[self.name]

    @property
    def number(self):
        return NAMES.index(self.name) + 1

    @property
    def support(self):
        return self._law.support

    @property
    def breaks(self):
        return self._law.breaks

    @property
    def roughness(self):
        return self._law.roughness

    def cdf(self, x):
        """Distribution function.

        Parameters
        ----------
        x : array-like of any shape
            Numbers; infinite ones too.

        Returns
        -------
        ndarray of the shape of `x`
            P(X <= x).

        Examples
        --------
        >>> BenchmarkDensity("sawtooth").cdf([-10, -8, 0])
        array([0. , 0.1, 0.5])
        """
        with np.errstate(all="ignore"):  # at the ends of the support a formula may divide by 0
            return self._law.cdf(np.clip(np.asarray(x, dtype=float), *self.support))

    def ppf(self, p):
        """Quantiles: the inverse of `cdf`.

        Parameters
        ----------
        p : array-like of any shape
            Probabilities, 0 and 1 too.

        Returns
        -------
        ndarray of the shape of `p`
            The smallest x with P(X <= x) >= p: before a gap in the density, its lower end.

        Raises
        ------
        ValueError
            If an entry is no probability.

        Examples
        --------
        >>> BenchmarkDensity("trimodal uniform").ppf([0.25, 0.5])
        array([-20.,   0.])
        """
        p = np.asarray(p, dtype=float)
        if not ((p >= 0) & (p <= 1)).all():
            wrong = p[~((p >= 0) & (p <= 1))].flat[0]
            raise ValueError(f"BenchmarkDensity wants probabilities, got {wrong}. Give numbers from 0 to 1.")
        with np.errstate(all="ignore"):
            return self._law.ppf(p)

    def _sample(self, n_samples, rng):
        with np.errstate(all="ignore"):
            return self._law.draw(rng, n_samples)[:, None]

    def _log_prob(self, X):
        x = X[:, 0]
        low, high = self.support
        with np.errstate(invalid="ignore"):
            return np.where((x >= low) & (x <= high), self._law.log_pdf(np.clip(x, low, high)), -np.inf)


#: The 28 densities in Berlinet and Devroye's order; see `BenchmarkDensity`.
BENCHMARK_DENSITIES = tuple(BenchmarkDensity(name) for name in NAMES)


def make_benchmark_density(name, n_samples=1000, random_state=None):
    """Draw from one of Berlinet and Devroye's 28 densities; see `BenchmarkDensity`, which knows the density as well.

    Parameters
    ----------
    name : str or int
        The name of the density, or its number from 1 to 28.
    n_samples : int, default=1000
        Number of rows.
    random_state : None, int, RandomState or Generator
        Source of randomness.

    Returns
    -------
    ndarray of shape (n_samples, 1)

    Raises
    ------
    ValueError
        If there is no such density, or `n_samples` is not a positive whole number.

    Examples
    --------
    >>> make_benchmark_density("Matterhorn", n_samples=5, random_state=0).shape
    (5, 1)
    """
    return BenchmarkDensity(name).sample(n_samples, random_state)
