"""The skew normal family: real numbers, one tail longer than the other.

Azzalini, "A class of distributions which includes the normal ones", 1985.
"""

import numpy as np
from scipy import stats
from scipy.special import erf, erfcx, log_ndtr, ndtr, owens_t, roots_laguerre

from skgen.parametric._maximum import certified
from skgen.parametric._product import UnivariateProduct
from skgen.parametric._profile import best_shape, standardised
from skgen.parametric._quantiles import inverted, log_difference

LOG_2PI = np.log(2 * np.pi)
SKEW_RANGE = -1e3, 1e3  # beyond, it is a half-normal distribution to the eye
LAGUERRE = np.array(roots_laguerre(16))[:, :15]  # the last weight is below 1e-20


class SkewNormal(UnivariateProduct):
    r"""Independent skew-normal features.

    .. math:: p(x) = \prod_j \frac{2}{\omega_j} \varphi(z_j) \Phi(\alpha_j z_j), \qquad
        z_j = \frac{x_j - \xi_j}{\omega_j}

    Fitted by weighted maximum likelihood (Azzalini, "A class of distributions which includes the normal ones", 1985):
    concave in :math:`(1/\omega, \xi/\omega)` for each :math:`\alpha`, whose profile may have several maxima and always
    has a stationary point at 0. In small samples the likelihood may rise for ever in :math:`|\alpha|`; the estimate
    then stands at 1000.

    Attributes
    ----------
    location_ : ndarray of shape (n_features,)
        The locations :math:`\xi`, in the units of the feature.
    scale_ : ndarray of shape (n_features,)
        The scales :math:`\omega`.
    shape_ : ndarray of shape (n_features,)
        The shapes :math:`\alpha`; 0 is the normal distribution.

    Examples
    --------
    >>> import numpy as np
    >>> from skgen import SkewNormal
    >>> X = np.random.default_rng(0).gamma(5, size=(1000, 1))
    >>> bool(SkewNormal().fit(X).shape_[0] > 2)
    True
    """

    _parameters = {"location_": "location", "scale_": "positive", "shape_": "skewness"}
    _ranges = {"shape_": SKEW_RANGE}

    @staticmethod
    def _law(location, scale, shape):
        return stats.skewnorm(shape, location, scale)

    def _estimate(self, x, share, j):
        rows = standardised(x, share)
        inner = np.sinh(np.linspace(*np.arcsinh(SKEW_RANGE), 24))[1:-1]
        grid = np.r_[SKEW_RANGE[0], inner, SKEW_RANGE[1]]
        shape, peak = best_shape(rows, _skewed, grid)
        return *rows.parameters(certified(self, peak, self.columns_.name(j))), shape

    @staticmethod
    def _other_starts(location, scale, shape):
        return [(location - side * scale, 1.5 * scale, 3.0 * side) for side in (-1, 1)]

    @staticmethod
    def _logpdf(x, location, scale, shape):
        z = (x - location) / scale
        return np.log(2) - 0.5 * LOG_2PI - 0.5 * z * z + log_ndtr(shape * z) - np.log(scale)

    @staticmethod
    def _log_tails(x, location, scale, shape):
        z = (x - location) / scale
        side, size = np.where(shape < 0, -z, z), np.abs(z)
        thin = _log_thin_tail(size, np.abs(shape))  # F(-|z|) of the law whose lower tail is the thinner one
        upper = log_difference(np.log(2) + log_ndtr(-size), thin)
        with np.errstate(divide="ignore"):
            middle = np.log(np.exp(thin) + erf(size * np.sqrt(0.5)))
            thick = np.where((side >= 0) & (upper > -1), middle, np.log1p(-np.exp(np.where(side < 0, thin, upper))))
        lower, upper = np.where(side < 0, thin, thick), np.where(side < 0, thick, upper)
        return np.where(shape < 0, upper, lower), np.where(shape < 0, lower, upper)

    @classmethod
    def _inverse(cls, log_u, log_v, location, scale, shape):
        def log_tails(z):
            return cls._log_tails(z, 0.0, 1.0, shape)

        return location + scale * inverted(log_tails, lambda z: cls._logpdf(z, 0.0, 1.0, shape), log_u, log_v)

    @staticmethod
    def _draw(size, rng, location, scale, shape):
        delta = shape / np.hypot(1, shape)
        first, second = np.abs(rng.standard_normal(size)), rng.standard_normal(size)
        return location + scale * (delta * first + second / np.hypot(1, shape))

    @classmethod
    def _peak(cls, location, scale, shape):
        z = np.zeros_like(shape)
        for _ in range(200):  # the density is log-concave: Newton's steps, kept short
            _, first, second, _ = _skewed(shape)(z)
            z = z + np.clip(-first / second, -0.5, 0.5)
        return location + scale * z


def _skewed(alpha):
    """The log-density, but for a constant, with its derivatives by z and by alpha."""

    def g(z):
        t = alpha * z
        log, hazard = log_normal_cdf(t)
        return log - 0.5 * z * z, alpha * hazard - z, -1 - alpha * alpha * hazard * (t + hazard), z * hazard

    return g


def _log_thin_tail(z, shape):
    r"""Log F at -z of the skew-normal law with a shape that is not negative, for z that are not.

    .. math:: F(-z) = \frac{1}{\sqrt{2\pi}} \int_z^\infty
        e^{-(1 + \alpha^2) r^2 / 2} \operatorname{erfcx}\left(\alpha r / \sqrt 2\right) dr

    By Owen's function near the middle, by that of the inverse shape where it is smaller, and further out by
    Gauss-Laguerre quadrature in the exponent.
    """
    z, shape = np.broadcast_arrays(np.asarray(z, dtype=np.float64), shape)
    far = z * np.hypot(1, shape) > 3.5
    log = np.empty(z.shape)
    log[far] = _log_far_tail(z[far], shape[far])
    z, shape = z[~far], shape[~far]
    flat = shape <= 1
    below = np.empty(z.shape)
    below[flat] = ndtr(-z[flat]) - 2 * owens_t(z[flat], shape[flat])
    t, z = -shape[~flat] * z[~flat], z[~flat]
    below[~flat] = 2 * owens_t(t, 1 / shape[~flat]) - ndtr(t) * erf(z * np.sqrt(0.5))
    log[~far] = np.log(below)
    return log


def _log_far_tail(z, shape):
    square = 1 + shape * shape
    total = np.zeros(z.shape)
    for node, weight in zip(*LAGUERRE, strict=True):
        r = np.sqrt(z * z + 2 * node / square)
        total += weight * erfcx(shape * np.sqrt(0.5) * r) / r
    return np.log(total / square) - 0.5 * square * z * z - 0.5 * LOG_2PI


def log_normal_cdf(t):
    r""":math:`\log \Phi(t)` and its derivative :math:`\varphi(t) / \Phi(t)`, which tends to -t on the left.

    Parameters
    ----------
    t : ndarray
        Any numbers.

    Returns
    -------
    log, hazard : ndarray
    """
    scaled, peak = erfcx(np.abs(t) * np.sqrt(0.5)), np.exp(-0.5 * t * t)
    share = np.where(t < 0, 0.5 * scaled, 1 - 0.5 * scaled * peak)  # of the peak on the left
    log = np.log(share)
    return np.where(t < 0, log - 0.5 * t * t, log), np.where(t < 0, 1.0, peak) / (np.sqrt(2 * np.pi) * share)
