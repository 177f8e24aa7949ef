r"""Kernels: value, mass in any dimension, radii of draws and distribution function of each, in one place.

A kernel is a decreasing function :math:`k(r)` of the distance in bandwidths with :math:`k(0) = 1`. In d dimensions,
with distances whose unit ball has volume :math:`V_d`, it is divided by

.. math:: \int k(\lVert u \rVert)\, du = d\, V_d \int_0^\infty k(r)\, r^{d-1}\, dr .

All functions take and give arrays, in logarithms where numbers grow with the dimension.
"""

from abc import ABC, abstractmethod

import numpy as np
from scipy.special import betainc, betaincc, betaln, gammaln, hyp2f1, log_ndtr, roots_genlaguerre, zeta

GAUSSIAN, POWER, COSINE, EXPONENTIAL, LOGISTIC, STUDENT = 0, 1, 2, 3, 4, 5  # as the compiled loops call them


class Kernel(ABC):
    """A kernel; `reach` is the distance beyond which it is zero."""

    reach = np.inf
    name = ""

    @abstractmethod
    def profile(self, d):
        """The code and the two numbers by which the compiled loops know the kernel in d dimensions."""

    @abstractmethod
    def log_at(self, r, d):
        """Logarithm of k at the distance r; d matters to a kernel whose shape it changes."""

    def log_value(self, s, d):
        """Logarithm of k at the squared distance s."""
        return self.log_at(np.sqrt(s), d)

    @abstractmethod
    def log_slope(self, s, d):
        """The derivative of log k with respect to the squared distance, where k is not zero."""

    @abstractmethod
    def log_mass(self, d):
        """Log of the integral of k(r) r^(d-1)."""

    @abstractmethod
    def log_square(self, d):
        """Log of the integral of k(r)^2 r^(d-1)."""

    @abstractmethod
    def mean_square(self, d):
        """The mean of r^2 under the density proportional to k(r) r^(d-1)."""

    @abstractmethod
    def radii(self, n_samples, d, rng):
        """Draws from the density proportional to k(r) r^(d-1)."""

    def log_canonical(self, d, metric):
        r"""Log of the canonical bandwidth, :math:`(R(K) / \mu_2(K)^2)^{1 / (d + 4)}` of the kernel as a density.

        Kernels whose bandwidths are in this proportion smooth alike (Marron and Nolan 1988).

        Parameters
        ----------
        d : int
            Dimensions.
        metric : Minkowski
            Of a radial kernel.

        Returns
        -------
        float
        """
        log_roughness = self.log_square(d) - 2 * self.log_mass(d) - np.log(d) - metric.log_ball(d)
        return (log_roughness - 2 * np.log(metric.share(d) * self.mean_square(d))) / (d + 4)

    @abstractmethod
    def curvature(self, d):
        """The largest norm of the Hessian of k(|u|), by Euclid's distance; inf where the slope jumps.

        Where k'(0) = 0 the other eigenvalue, k'(r) / r, is a mean of k'' over [0, r]: the largest abs(k'') bounds both.
        """

    @abstractmethod
    def slope_bound(self, d):
        """The largest slope, abs(k'(r)); inf where k jumps."""

    @abstractmethod
    def log_upper_tail(self, u):
        """Log of the mass beyond u >= 0 of the kernel in one dimension."""

    def log_tails(self, u):
        """The pair log F(u), log(1 - F(u)) of the kernel in one dimension."""
        far = self.log_upper_tail(np.abs(u))
        near = np.log1p(-np.exp(far))
        return np.where(u < 0, far, near), np.where(u < 0, near, far)


class Compact(Kernel):
    """A kernel that is zero beyond the distance 1, known by what is left of that reach, 1 - r."""

    reach = 1.0

    @abstractmethod
    def log_near_edge(self, gap):
        """Logarithm of k where `gap`, from 0 to 1, is left of the reach."""

    @abstractmethod
    def log_tail_near_edge(self, gap):
        """Logarithm of the mass of the kernel in one dimension beyond that point."""

    def log_at(self, r, d):
        with np.errstate(divide="ignore"):
            return np.where(r <= 1, self.log_near_edge(np.maximum(1 - r, 0.0)), -np.inf)

    def log_upper_tail(self, u):
        with np.errstate(divide="ignore"):
            return self.log_tail_near_edge(np.maximum(1 - u, 0.0))


class Power(Compact):
    """(1 - r^a)^b on the unit ball: a beta distribution of r^a. Its members are all compact kernels but the cosine."""

    def __init__(self, a, b):
        self.a, self.b = a, b

    def profile(self, d):
        return POWER, float(self.a), float(self.b)

    def log_near_edge(self, gap):
        return self.b * np.log(self._rest(gap)) if self.b else np.zeros_like(gap)

    def _rest(self, gap):
        """1 - r^a, to full precision near the edge."""
        if self.a == 1:
            return gap
        if self.a == 2:
            return gap * (2 - gap)
        with np.errstate(divide="ignore"):
            return -np.expm1(self.a * np.log1p(-gap))

    def log_slope(self, s, d):
        s = np.clip(s, 1e-16, 1 - 1e-16)
        power = s ** (self.a / 2)
        return -self.b * self.a / 2 * power / (s * (1 - power))

    def log_mass(self, d):
        return betaln(d / self.a, self.b + 1) - np.log(self.a)

    def log_square(self, d):
        return betaln(d / self.a, 2 * self.b + 1) - np.log(self.a)

    def mean_square(self, d):
        return np.exp(betaln((d + 2) / self.a, self.b + 1) - betaln(d / self.a, self.b + 1))

    def radii(self, n_samples, d, rng):
        return rng.beta(d / self.a, self.b + 1, n_samples) ** (1 / self.a)

    def curvature(self, d):
        a, b = self.a, self.b
        if a < 2 or b < 2:
            return np.inf
        e = 1 - 2 / a  # k'' is -a b y^e (1 - y)^(b - 2) (a - 1 - (a b - 1) y) at y = r^a
        bends = np.roots(
            [(a * b - 1) * (e + b - 1), -(e * (a + a * b - 2) + (a - 1) * (b - 2) + a * b - 1), e * (a - 1)]
        )
        y = np.append(np.clip(bends.real, 0, 1), [0.0, 1.0])
        return float(a * b * np.abs(y**e * (1 - y) ** (b - 2) * (a - 1 - (a * b - 1) * y)).max())

    def slope_bound(self, d):
        a, b = self.a, self.b
        if a < 1 or b < 1:
            return np.inf
        e = 1 - 1 / a  # k' is -a b y^e (1 - y)^(b - 1)
        y = e / (e + b - 1) if e > 0 else 0.0
        return float(a * b * y**e * (1 - y) ** (b - 1))

    def log_tail_near_edge(self, gap):
        return np.log(0.5 * betainc(self.b + 1, 1 / self.a, self._rest(gap)))


class Cosine(Compact):
    """cos(pi r / 2) on the unit ball; its integrals are alternating series around the edge."""

    def profile(self, d):
        return COSINE, 0.0, 0.0

    def log_near_edge(self, gap):
        return np.log(np.sin(0.5 * np.pi * gap))

    def log_tail_near_edge(self, gap):
        return 2 * np.log(np.sin(0.25 * np.pi * gap))

    def log_slope(self, s, d):
        r = np.clip(np.sqrt(s), 1e-8, 1 - 1e-16)
        return -0.25 * np.pi * np.tan(0.5 * np.pi * r) / r

    def log_mass(self, d):
        k = np.arange(1, 60, 2)  # the sine of a quarter turn times 1 - r, term by term
        return _log_series(np.log(0.5 * np.pi) * k, k, d)

    def log_square(self, d):
        k = np.arange(2, 90, 2)
        return _log_series(np.log(np.pi) * k, k, d) - np.log(2)

    def mean_square(self, d):
        return np.exp(self.log_mass(d + 2) - self.log_mass(d))

    def radii(self, n_samples, d, rng):
        def propose(n):  # the chord lies under the sine's tangent: pi / 2 (1 - r)
            r = rng.beta(d, 2, n)
            return r, np.sinc((1 - r) / 2)

        return _accepted(propose, n_samples, rng)

    def curvature(self, d):
        return np.inf

    def slope_bound(self, d):
        return np.pi / 2


class Gaussian(Kernel):
    """exp(-r^2 / 2)."""

    def profile(self, d):
        return GAUSSIAN, 0.0, 0.0

    def log_at(self, r, d):
        return -0.5 * r * r

    def log_value(self, s, d):
        return -0.5 * s

    def log_slope(self, s, d):
        return np.full_like(s, -0.5)

    def log_mass(self, d):
        return (d / 2 - 1) * np.log(2) + gammaln(d / 2)

    def log_square(self, d):
        return self.log_mass(d) - d / 2 * np.log(2)

    def mean_square(self, d):
        return float(d)

    def radii(self, n_samples, d, rng):
        return np.sqrt(rng.chisquare(d, n_samples))

    def curvature(self, d):
        return 1.0

    def slope_bound(self, d):
        return float(np.exp(-0.5))

    def log_upper_tail(self, u):
        return log_ndtr(-u)


class Exponential(Kernel):
    """exp(-r)."""

    def profile(self, d):
        return EXPONENTIAL, 0.0, 0.0

    def log_at(self, r, d):
        return -r

    def log_slope(self, s, d):
        return -0.5 / np.maximum(np.sqrt(s), 1e-8)

    def log_mass(self, d):
        return gammaln(d)

    def log_square(self, d):
        return gammaln(d) - d * np.log(2)

    def mean_square(self, d):
        return float(d * (d + 1))

    def radii(self, n_samples, d, rng):
        return rng.gamma(d, size=n_samples)

    def curvature(self, d):
        return np.inf

    def slope_bound(self, d):
        return 1.0

    def log_upper_tail(self, u):
        return -u - np.log(2)


class Logistic(Kernel):
    """4 e^r / (1 + e^r)^2: in one dimension the logistic density, with exponential tails and a round top."""

    def profile(self, d):
        return LOGISTIC, 0.0, 0.0

    def log_at(self, r, d):
        return np.log(4) - r - 2 * np.log1p(np.exp(-r))

    def log_slope(self, s, d):
        r = np.maximum(np.sqrt(s), 1e-8)
        return -0.5 * np.tanh(r / 2) / r

    def log_mass(self, d):
        return np.log(4) + gammaln(d) + np.log(_eta(d - 1))

    def log_square(self, d):
        if d > 100:  # the radii are so large that the top is not seen
            return np.log(16) + gammaln(d) - d * np.log(2)
        nodes, weights = roots_genlaguerre(80, d - 1)
        mean = weights @ (1 + np.exp(-nodes / 2)) ** -4.0 / weights.sum()
        return np.log(16) + gammaln(d) - d * np.log(2) + np.log(mean)

    def mean_square(self, d):
        return d * (d + 1) * _eta(d + 1) / _eta(d - 1)

    def radii(self, n_samples, d, rng):
        def propose(n):
            r = rng.gamma(d, size=n)
            return r, (1 + np.exp(-r)) ** -2.0

        return _accepted(propose, n_samples, rng)

    def curvature(self, d):
        return 0.5

    def slope_bound(self, d):
        return 2 / np.sqrt(27)  # of t (1 - t^2), at t = tanh(r / 2)

    def log_upper_tail(self, u):
        return -u - np.log1p(np.exp(-u))


class StudentTKernel(Kernel):
    """(1 + r^2 / df)^(-(df + d) / 2): the multivariate Student t of df degrees of freedom.

    Parameters
    ----------
    df : float
        Degrees of freedom; up to 2 the kernel has no variance, and rules no bandwidth for it.
    """

    name = "student_t"

    def __init__(self, df=4.0):
        if not 0 < df < np.inf:
            raise ValueError(f"df must be positive and finite, got {df!r}: kernel='gaussian' is the limit.")
        self.df = df

    def __repr__(self):
        return f"StudentTKernel(df={self.df:g})"

    def profile(self, d):
        return STUDENT, (self.df + d) / 2, float(self.df)

    def log_at(self, r, d):
        return -(self.df + d) / 2 * _log_1p_square(r / np.sqrt(self.df))

    def log_slope(self, s, d):
        return -(self.df + d) / 2 / (self.df + s)

    def log_mass(self, d):
        return d / 2 * np.log(self.df) - np.log(2) + betaln(d / 2, self.df / 2)

    def log_square(self, d):
        return d / 2 * np.log(self.df) - np.log(2) + betaln(d / 2, self.df + d / 2)

    def mean_square(self, d):
        return d * self.df / (self.df - 2) if self.df > 2 else np.inf

    def radii(self, n_samples, d, rng):
        return np.sqrt(self.df * rng.chisquare(d, n_samples) / rng.chisquare(self.df, n_samples))

    def curvature(self, d):
        return 1 + d / self.df

    def slope_bound(self, d):
        s = self.df / (self.df + d + 1)  # where the slope is largest
        return float((1 + d / self.df) * np.sqrt(s) * (1 + s / self.df) ** (-(self.df + d) / 2 - 1))

    def log_upper_tail(self, u):
        # far out by the hypergeometric series of the incomplete beta function
        t, a = u / np.sqrt(self.df), self.df / 2
        log_z = -_log_1p_square(t)
        tail = a * log_z - np.log(2 * a) - betaln(a, 0.5) + np.log(hyp2f1(a, 0.5, a + 1, np.exp(log_z)))
        is_near = u < min(30.0, np.sqrt(self.df))  # where nothing underflows
        z = np.where(is_near, t * t / (1 + t * t), 0.0)
        inside, outside = betainc(0.5, a, z), betaincc(0.5, a, z)
        share = np.where(
            inside < 0.5, np.log1p(-np.minimum(inside, 0.5)), np.log(np.maximum(outside, np.finfo(float).tiny))
        )
        return np.where(is_near, share - np.log(2), tail)


def _log_1p_square(t):
    return np.where(t < 1e8, np.log1p(np.square(np.minimum(t, 1e8))), 2 * np.log(np.maximum(t, 1.0)))


def _eta(s):
    """Dirichlet's eta function, 1 - 2^-s + 3^-s - ..., at s = 0, 1, 2, ..."""
    if s < 2:
        return 0.5 if s == 0 else np.log(2)
    return -np.expm1((1 - s) * np.log(2)) * zeta(s)


def _log_series(log_powers, k, d):
    """Log of the alternating sum of powers[k] Gamma(d) / Gamma(d + k + 1), whose first term is the largest."""
    log_terms = log_powers + gammaln(d) - gammaln(d + k + 1)
    signs = np.where(np.arange(len(k)) % 2, -1.0, 1.0)
    return log_terms[0] + np.log(np.sum(signs * np.exp(log_terms - log_terms[0])))


def _accepted(propose, n_samples, rng):
    """Draws by rejection: `propose(n)` gives n draws and the probabilities with which they stay."""
    found = np.empty(0)
    while len(found) < n_samples:
        r, chance = propose(2 * (n_samples - len(found)) + 10)
        found = np.append(found, r[rng.random(len(r)) < chance])
    return found[:n_samples]


KERNELS = {
    "gaussian": Gaussian(),
    "tophat": Power(2, 0),
    "epanechnikov": Power(2, 1),
    "exponential": Exponential(),
    "linear": Power(1, 1),
    "cosine": Cosine(),
    "biweight": Power(2, 2),
    "triweight": Power(2, 3),
    "tricube": Power(3, 3),
    "logistic": Logistic(),
    "student_t": StudentTKernel(),
}
for _name, _kernel in KERNELS.items():
    _kernel.name = _name
