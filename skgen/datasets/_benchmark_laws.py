r"""The 28 laws of Berlinet and Devroye: log-density, distribution function, quantiles and roughness.

Each is one entry of `LAWS`. A law that is symmetric about 0 is written as that of :math:`R = |X|`, whose upper tail
:math:`P(R > r)` gives both halves without cancellation.

Berlinet, A. and Devroye, L. (1994), A comparison of kernel density estimates, Publications de l'Institut de Statistique
de l'Universite de Paris 38, 3-59. The formulas and their order: Mildenberger, T. and Weinert, H. (2012), The benchden
package: benchmark densities for nonparametric density estimation, Journal of Statistical Software 46 (14).
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import reduce

import numpy as np
from scipy import special

SMALLEST_PROBABILITY = 2.0**-53  # a uniform draw may be 0, whose quantile may be infinite
SMALLEST_NUMBER = 5e-324
HALVINGS = 64  # of a bracket some standard deviations wide: down to the last bit
NEWTON_STEPS = 6  # from a start whose distribution function is off by less than 0.07
BRANCH = 0.999  # from here on Lambert's function of scipy loses digits
LOG_2 = np.log(2)
LOG_ROOT_2PI = np.log(2 * np.pi) / 2


@dataclass(frozen=True, kw_only=True)
class Law:
    """A distribution on the line, as functions on arrays of any shape.

    Parameters
    ----------
    log_pdf : callable
        The log-density in nats, at points of the support.
    cdf : callable
        P(X <= x), at points of the support and at its ends, infinite ones too.
    ppf : callable
        The smallest x with P(X <= x) >= p, for p from 0 to 1.
    roughness : float
        The integral of the squared density.
    support : tuple of float
        The ends.
    breaks : tuple of float
        Where the density is not smooth, in increasing order; a finite end of the support is one.
    sampler : callable, optional
        It draws `n_samples` numbers from `rng`; without one they are quantiles of uniform numbers.
    """

    log_pdf: Callable
    cdf: Callable
    ppf: Callable
    roughness: float
    support: tuple = (-np.inf, np.inf)
    breaks: tuple = ()
    sampler: Callable | None = None

    def draw(self, rng, n_samples):
        """Independent draws, ndarray of shape (n_samples,)."""
        if self.sampler is not None:
            return self.sampler(rng, n_samples)
        return self.ppf(np.maximum(rng.random(n_samples), SMALLEST_PROBABILITY))


def _symmetric(log_density, tail, tail_inverse, roughness, end=np.inf, kinks=()):
    """A law that is symmetric about 0, by functions of R = abs(X): log-density of X, P(R > r) and its inverse."""

    def cdf(x):
        half = tail(np.abs(x)) / 2
        return np.where(x < 0, half, 1 - half)

    def ppf(p):
        radius = tail_inverse(2 * np.minimum(p, 1 - p))
        return np.where(p <= 0.5, 0 - radius, radius)

    return Law(
        log_pdf=lambda x: log_density(np.abs(x)),
        cdf=cdf,
        ppf=ppf,
        roughness=roughness,
        support=(-end, end),
        breaks=tuple(sorted({-kink for kink in kinks} | set(kinks))),
    )


def _steps(edges, masses):
    """A density that is constant between the edges, with the given masses there."""
    edges, masses = np.array(edges), np.array(masses)
    widths, cumulative = np.diff(edges), np.append(0, np.cumsum(masses))

    def log_pdf(x):
        step = np.searchsorted(edges, x, side="right") - 1
        return np.log((masses / widths)[np.minimum(step, len(masses) - 1)])

    def ppf(p):
        step = np.maximum(np.searchsorted(cumulative, p) - 1, 0)  # never one without mass
        return edges[step] + widths[step] * (p - cumulative[step]) / masses[step]

    return Law(
        log_pdf=log_pdf,
        cdf=lambda x: np.interp(x, edges, cumulative),
        ppf=ppf,
        roughness=float(masses @ (masses / widths)),
        support=(float(edges[0]), float(edges[-1])),
        breaks=tuple(edges.tolist()),
    )


def _gaussians(weights, means, stds):
    """A mixture of Gaussians."""
    weights, means, stds = np.array(weights), np.array(means), np.array(stds)

    def log_pdf(x):
        parts = zip(np.log(weights / stds) - LOG_ROOT_2PI, means, stds, strict=True)
        return reduce(np.logaddexp, (constant - ((x - m) / s) ** 2 / 2 for constant, m, s in parts))

    def cdf(x):
        return sum(w * special.ndtr((x - m) / s) for w, m, s in zip(weights, means, stds, strict=True))

    def ppf(p):
        quantiles = np.stack([m + s * special.ndtri(p) for m, s in zip(means, stds, strict=True)])
        low, high = quantiles.min(axis=0), quantiles.max(axis=0)
        endless = np.isinf(low)  # at the probabilities 0 and 1
        for _ in range(HALVINGS):
            middle = np.where(endless, low, low / 2 + high / 2)
            below = cdf(middle) < p
            low, high = np.where(below, middle, low), np.where(below, high, middle)
        return high

    def sampler(rng, n_samples):
        which = rng.choice(len(weights), size=n_samples, p=weights)
        return means[which] + stds[which] * rng.standard_normal(n_samples)

    variances = np.add.outer(stds**2, stds**2)
    overlaps = np.exp(-(np.subtract.outer(means, means) ** 2) / (2 * variances)) / np.sqrt(2 * np.pi * variances)
    return Law(log_pdf=log_pdf, cdf=cdf, ppf=ppf, roughness=float(weights @ overlaps @ weights), sampler=sampler)


def _matterhorn_log_density(r):
    return np.where(r > 0, -np.log(r) - 2 * np.log(-np.log(r)), np.inf)


def _matterhorn_tail_inverse(s):
    # 0.27 % of the mass lie nearer to 0 than the smallest float: it stands for them, since the density at 0 is infinite
    return np.where(s < 1, np.maximum(np.exp(-2 / (1 - s)), SMALLEST_NUMBER), 0)


def _inverse_exponential_log_pdf(x):
    return np.where(x > 0, -1 / np.sqrt(x) - LOG_2 - 1.5 * np.log(x), -np.inf)


def _log_peak_ppf(p):
    """Solve x (1 - log x) = p by the lower branch of Lambert's function; by Newton's method beside its branch point."""
    lower = -p / special.lambertw(-p / np.e, k=-1).real
    rest = 1 - p  # y + (1 - y) log(1 - y), where y = 1 - x
    y = np.sqrt(2 * rest) - rest / 3  # the first terms of its inverse
    for _ in range(NEWTON_STEPS):
        y = y + np.where(y > 0, (y + special.xlog1py(1 - y, -y) - rest) / np.log1p(-y), 0)
    return np.where(p > BRANCH, 1 - y, np.where(p > 0, lower, 0))


def _bilog_cdf(x):
    return x + (special.xlog1py(1 - x, -x) - special.xlogy(x, x)) / 2


def _bilog_log_pdf(x):
    return np.log(-(np.log(x) + np.log1p(-x)) / 2)


def _bilog_ppf(p):
    """Newton's method on the half where the distribution function is concave: it comes from above, then from below."""
    lower = np.minimum(p, 1 - p)
    x = np.minimum(_log_peak_ppf(2 * lower), 0.5)
    for _ in range(NEWTON_STEPS):
        x = x - np.where(x > 0, (_bilog_cdf(x) - lower) / np.exp(_bilog_log_pdf(x)), 0)
    return np.where(p <= 0.5, x, 1 - x)


def _caliper_log_density(r):
    return np.where(r >= 0.1, LOG_2 + np.log1p(-np.cbrt(r - 0.1)), -np.inf)


def _caliper_tail(r):
    return special.betaincc(3, 2, np.cbrt(np.clip(r - 0.1, 0, 1)))


def _sawtooth_log_density(r):
    along = np.fmod(r, 2)  # a tooth is 2 wide
    return np.log(np.minimum(along, 2 - along) / 10)


def _sawtooth_tail(r):
    tooth = np.minimum(r // 2, 4)
    along = r - 2 * tooth
    return 1 - (tooth + np.where(along < 1, along**2 / 2, 1 - (2 - along) ** 2 / 2)) / 5


def _sawtooth_tail_inverse(s):
    tooth = np.minimum(np.floor(5 * (1 - s)), 4)
    mass = 5 * (1 - s) - tooth
    return 2 * tooth + np.where(mass < 0.5, np.sqrt(2 * mass), 2 - np.sqrt(np.maximum(2 * (1 - mass), 0)))


LAWS = {
    "uniform": _steps([0.0, 1.0], [1.0]),
    "exponential": Law(
        log_pdf=lambda x: -x,
        cdf=lambda x: -np.expm1(-x),
        ppf=lambda p: -np.log1p(-p),
        support=(0.0, np.inf),
        breaks=(0.0,),
        roughness=1 / 2,
    ),
    "Maxwell": Law(
        log_pdf=lambda x: np.log(x) - x**2 / 2,
        cdf=lambda x: -np.expm1(-(x**2) / 2),
        ppf=lambda p: np.sqrt(-2 * np.log1p(-p)),
        support=(0.0, np.inf),
        breaks=(0.0,),
        roughness=np.sqrt(np.pi) / 4,
    ),
    "double exponential": _symmetric(
        log_density=lambda r: -r - LOG_2,
        tail=lambda r: np.exp(-r),
        tail_inverse=lambda s: -np.log(s),
        kinks=(0.0,),
        roughness=1 / 4,
    ),
    "logistic": _symmetric(
        log_density=lambda r: -r - 2 * np.log1p(np.exp(-r)),
        tail=lambda r: 2 * special.expit(-r),
        tail_inverse=lambda s: -special.logit(s / 2),
        roughness=1 / 6,
    ),
    "Cauchy": _symmetric(
        log_density=lambda r: -np.log(np.pi) - 2 * np.log(np.hypot(1, r)),
        tail=lambda r: 2 * np.arctan2(1, r) / np.pi,
        tail_inverse=lambda s: 1 / np.tan(np.pi * s / 2),
        roughness=1 / (2 * np.pi),
    ),
    "extreme value": Law(
        log_pdf=lambda x: -x - np.exp(-x),
        cdf=lambda x: np.exp(-np.exp(-x)),
        ppf=lambda p: -np.log(-np.log(p)),
        roughness=1 / 4,
    ),
    "infinite peak": Law(
        log_pdf=lambda x: -LOG_2 - np.log(x) / 2,
        cdf=np.sqrt,
        ppf=np.square,
        support=(0.0, 1.0),
        breaks=(0.0, 1.0),
        roughness=np.inf,
    ),
    "Pareto": Law(
        log_pdf=lambda x: -LOG_2 - 1.5 * np.log(x),
        cdf=lambda x: -np.expm1(-np.log(x) / 2),
        ppf=lambda p: (1 - p) ** -2.0,
        support=(1.0, np.inf),
        breaks=(1.0,),
        roughness=1 / 8,
    ),
    "symmetric Pareto": _symmetric(
        log_density=lambda r: -2 * LOG_2 - 1.5 * np.log1p(r),
        tail=lambda r: (1 + r) ** -0.5,
        tail_inverse=lambda s: s**-2.0 - 1,
        kinks=(0.0,),
        roughness=1 / 16,
    ),
    "normal": _symmetric(
        log_density=lambda r: -(r**2) / 2 - LOG_ROOT_2PI,
        tail=lambda r: 2 * special.ndtr(-r),
        tail_inverse=lambda s: -special.ndtri(s / 2),
        roughness=1 / (2 * np.sqrt(np.pi)),
    ),
    "lognormal": Law(
        log_pdf=lambda x: -np.log(x) * (np.log(x) / 2 + 1) - LOG_ROOT_2PI,
        cdf=lambda x: special.ndtr(np.log(x)),
        ppf=lambda p: np.exp(special.ndtri(p)),
        support=(0.0, np.inf),
        breaks=(0.0,),
        roughness=np.exp(1 / 4) / (2 * np.sqrt(np.pi)),
    ),
    "uniform scale mixture": _steps([-5.0, -0.5, 0.5, 5.0], [0.225, 0.55, 0.225]),
    "Matterhorn": _symmetric(
        log_density=_matterhorn_log_density,
        tail=lambda r: 1 + 2 / np.log(r),
        tail_inverse=_matterhorn_tail_inverse,
        end=float(np.exp(-2)),
        kinks=(0.0, float(np.exp(-2))),
        roughness=np.inf,
    ),
    "logarithmic peak": Law(
        log_pdf=lambda x: np.log(-np.log(x)),
        cdf=lambda x: x - special.xlogy(x, x),
        ppf=_log_peak_ppf,
        support=(0.0, 1.0),
        breaks=(0.0, 1.0),
        roughness=2.0,
    ),
    "isosceles triangle": _symmetric(
        log_density=lambda r: np.log1p(-r),
        tail=lambda r: (1 - r) ** 2,
        tail_inverse=lambda s: 1 - np.sqrt(s),
        end=1.0,
        kinks=(0.0, 1.0),
        roughness=2 / 3,
    ),
    "beta 2,2": Law(
        log_pdf=lambda x: np.log(6) + np.log(x) + np.log1p(-x),
        cdf=lambda x: x**2 * (3 - 2 * x),
        ppf=lambda p: special.betaincinv(2, 2, p),
        support=(0.0, 1.0),
        breaks=(0.0, 1.0),
        roughness=6 / 5,
    ),
    "chi-square 1": Law(
        log_pdf=lambda x: -x / 2 - np.log(x) / 2 - LOG_ROOT_2PI,
        cdf=lambda x: special.erf(np.sqrt(x / 2)),
        ppf=lambda p: 2 * special.erfinv(p) ** 2,
        support=(0.0, np.inf),
        breaks=(0.0,),
        roughness=np.inf,
    ),
    "normal cubed": _symmetric(
        log_density=lambda r: -(np.cbrt(r) ** 2) / 2 - 2 * np.log(np.cbrt(r)) - np.log(3) - LOG_ROOT_2PI,
        tail=lambda r: 2 * special.ndtr(-np.cbrt(r)),
        tail_inverse=lambda s: -(special.ndtri(s / 2) ** 3),
        kinks=(0.0,),
        roughness=np.inf,
    ),
    "inverse exponential": Law(
        log_pdf=_inverse_exponential_log_pdf,
        cdf=lambda x: np.exp(-1 / np.sqrt(x)),
        ppf=lambda p: np.log(p) ** -2.0,
        support=(0.0, np.inf),
        breaks=(0.0,),
        roughness=3 / 16,
    ),
    "Marronite": _gaussians([1 / 3, 2 / 3], [-20.0, 0.0], [1 / 4, 1.0]),
    "skewed bimodal": _gaussians([3 / 4, 1 / 4], [0.0, 3 / 2], [1.0, 1 / 3]),
    "claw": _gaussians(5 * [1 / 10] + [1 / 2], [-1.0, -0.5, 0.0, 0.5, 1.0, 0.0], 5 * [1 / 10] + [1.0]),
    "smooth comb": _gaussians(
        2.0 ** np.arange(5, -1, -1) / 63,
        (65 - 96 / 2.0 ** np.arange(6)) / 21,
        32 / 63 / 2.0 ** np.arange(6),
    ),
    "caliper": _symmetric(
        log_density=_caliper_log_density,
        tail=_caliper_tail,
        tail_inverse=lambda s: 0.1 + special.betainccinv(3, 2, s) ** 3,
        end=1.1,
        kinks=(0.1, 1.1),
        roughness=4 / 5,
    ),
    "trimodal uniform": _steps([-20.1, -20.0, -1.0, 1.0, 20.0, 20.1], [0.25, 0.0, 0.5, 0.0, 0.25]),
    "sawtooth": _symmetric(
        log_density=_sawtooth_log_density,
        tail=_sawtooth_tail,
        tail_inverse=_sawtooth_tail_inverse,
        end=10.0,
        kinks=tuple(float(k) for k in range(11)),
        roughness=1 / 15,
    ),
    "bilogarithmic peak": Law(
        log_pdf=_bilog_log_pdf,
        cdf=_bilog_cdf,
        ppf=_bilog_ppf,
        support=(0.0, 1.0),
        breaks=(0.0, 1.0),
        roughness=2 - np.pi**2 / 12,
    ),
}
