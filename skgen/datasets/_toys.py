"""Toy distributions in the plane: a sampler and its true log-density. What they share, a toy on the line shares too."""

from abc import ABCMeta, abstractmethod
from dataclasses import dataclass, fields
from numbers import Integral

import numpy as np

from skgen.random import as_generator

BLOCK_SIZE = 2**16  # distances held at once: half a MiB, whatever the number of rows
PANEL_NODES = 16  # Gauss-Legendre nodes on each panel of a curve
PANEL_LENGTH = 4  # longest panel, in units of the noise
PANELS_PER_TURN = 16  # at least, however large the noise
SPACES = {  # by the number of columns
    1: ("on the line", "Choose one column, or write numbers x as x[:, None]."),
    2: ("in the plane", "Choose two columns, or write one point as [[x1, x2]]."),
}
MAX_TWIST_RADIUS = 10  # a pinwheel twists no more beyond: exp would overflow at 710


@dataclass(frozen=True, kw_only=True)
class ToyDistribution(metaclass=ABCMeta):
    """A distribution in the plane, or on the line, that can be drawn from and whose density is known.

    A toy is a frozen dataclass of its parameters that writes `_sample` and `_log_prob`. Parameters annotated as int
    must be whole numbers, and all must be positive, but for those named in `_signed`. `Banana` shows it in ten lines.
    A toy on the line says `_n_features = 1`.
    """

    _signed = ()
    _n_features = 2

    def __post_init__(self):
        for field in fields(self):
            name, value, signed = field.name, getattr(self, field.name), field.name in self._signed
            if not (np.all(np.isfinite(value)) and (signed or np.all(np.greater(value, 0)))):
                kind = "finite" if signed else "positive finite"
                raise ValueError(f"{type(self).__name__} got {name}={value!r}. Give a {kind} number.")
            if field.type is int and not isinstance(value, Integral):
                raise ValueError(f"{type(self).__name__} got {name}={value!r}. Give a whole number.")

    def __call__(self, n_samples=1000, random_state=None):
        """Draw points, as `sample` does.

        Parameters
        ----------
        n_samples : int, default=1000
            Number of points.
        random_state : None, int, RandomState or Generator
            Source of randomness.

        Returns
        -------
        ndarray of shape (n_samples, n_features)
        """
        return self.sample(n_samples, random_state)

    def sample(self, n_samples=1, random_state=None):
        """Draw independent points.

        Parameters
        ----------
        n_samples : int, default=1
            Number of points.
        random_state : None, int, RandomState or Generator
            Source of randomness; an int gives the same points each time, None fresh ones.

        Returns
        -------
        ndarray of shape (n_samples, n_features)

        Raises
        ------
        ValueError
            If `n_samples` is not a positive whole number.
        """
        if not isinstance(n_samples, Integral) or n_samples < 1:
            raise ValueError(
                f"{type(self).__name__} was asked for n_samples={n_samples!r}. Give a whole number from 1 on."
            )
        return self._sample(n_samples, as_generator(random_state))

    def score_samples(self, X):
        """Log-density at each point.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            The points.

        Returns
        -------
        ndarray of shape (n_samples,)
            In nats; -inf where the density is 0, or so small that its logarithm is beyond the range of a float.

        Raises
        ------
        ValueError
            If `X` has not one column for each coordinate, or a value that is not finite.
        """
        X = self._check_points(X)
        with np.errstate(over="ignore", under="ignore", divide="ignore"):
            return self._log_prob(X)

    def _check_points(self, X):
        name, X = type(self).__name__, np.asarray(X, dtype=float)
        if X.ndim != 2 or X.shape[1] != self._n_features:
            where, way_out = SPACES[self._n_features]
            raise ValueError(
                f"{name} lives {where} and scores arrays of shape (n_samples, {self._n_features}), "
                f"got shape {X.shape}. {way_out}"
            )
        if not np.isfinite(X).all():
            row, column = np.argwhere(~np.isfinite(X))[0]
            raise ValueError(
                f"{name} scores finite numbers, got X[{row}, {column}] = {X[row, column]}. Drop or fill such rows."
            )
        return X

    @abstractmethod
    def _sample(self, n_samples, rng):
        """Draw an array of shape (n_samples, n_features) from the generator `rng`."""

    @abstractmethod
    def _log_prob(self, X):
        """Log-density of the clean array `X` of shape (n_samples, n_features)."""


def _log_normal_mixture(X, log_weights, means, std):
    """Log-density of isotropic Gaussians, one at each row of `means`, all of one standard deviation."""
    from scipy.special import logsumexp

    log_prob = np.empty(len(X))
    n_rows = max(1, BLOCK_SIZE // len(means))
    for start in range(0, len(X), n_rows):
        rows = slice(start, start + n_rows)
        z1, z2 = (np.subtract.outer(X[rows, j], means[:, j]) / std for j in range(2))  # (rows, components)
        log_prob[rows] = logsumexp(log_weights - (z1**2 + z2**2) / 2, axis=1)
    return log_prob - np.log(2 * np.pi * std**2)


class _EqualGaussians(ToyDistribution):
    """Isotropic Gaussians of equal weight and width."""

    @property
    @abstractmethod
    def means(self):
        """Centres, ndarray of shape (n_components, 2)."""

    def _sample(self, n_samples, rng):
        centres = self.means[rng.integers(len(self.means), size=n_samples)]
        return centres + self.std * rng.standard_normal((n_samples, 2))

    def _log_prob(self, X):
        return _log_normal_mixture(X, -np.log(len(self.means)), self.means, self.std)


@dataclass(frozen=True, kw_only=True)
class EightGaussians(_EqualGaussians):
    r"""Eight Gaussians evenly spaced on a circle.

    .. math:: p(x) = \frac{1}{8} \sum_{k=0}^{7} N\big(x;\ r (\cos \tfrac{k \pi}{4}, \sin \tfrac{k \pi}{4}),\
              \sigma^2 I\big)

    A test of mode collapse. The default is the 2D-ring of PacGAN [1]_.

    Parameters
    ----------
    radius : float, default=1
        Radius :math:`r` of the circle.
    std : float, default=0.01
        Standard deviation :math:`\sigma` of each Gaussian in each direction.

    References
    ----------
    .. [1] Lin, Z., Khetan, A., Fanti, G. and Oh, S. (2018), PacGAN: the power of two samples in generative adversarial
       networks, NeurIPS 31.

    Examples
    --------
    >>> EightGaussians(radius=2, std=0.1).score_samples([[2, 0], [0, 0]]).round(3)
    array([   0.688, -197.233])
    """

    radius: float = 1.0
    std: float = 0.01

    @property
    def means(self):
        """Centres, ndarray of shape (8, 2)."""
        angles = np.arange(8) * np.pi / 4
        return self.radius * np.column_stack([np.cos(angles), np.sin(angles)])


@dataclass(frozen=True, kw_only=True)
class Grid(_EqualGaussians):
    r"""Gaussians on a square grid around the origin.

    .. math:: p(x) = \frac{1}{m^2} \sum_{i, j = 0}^{m - 1} N\big(x;\ s (i - \tfrac{m - 1}{2}, j - \tfrac{m - 1}{2}),\
              \sigma^2 I\big)

    A test of mode collapse. The default is the 2D-grid of 25 Gaussians of PacGAN [1]_.

    Parameters
    ----------
    n_per_side : int, default=5
        Number :math:`m` of Gaussians on a side.
    spacing : float, default=2
        Distance :math:`s` of neighbouring centres.
    std : float, default=0.05
        Standard deviation :math:`\sigma` of each Gaussian in each direction.

    References
    ----------
    .. [1] Lin, Z., Khetan, A., Fanti, G. and Oh, S. (2018), PacGAN: the power of two samples in generative adversarial
       networks, NeurIPS 31.

    Examples
    --------
    >>> Grid().means[0]
    array([-4., -4.])
    """

    n_per_side: int = 5
    spacing: float = 2.0
    std: float = 0.05

    @property
    def means(self):
        """Centres, ndarray of shape (n_per_side ** 2, 2)."""
        ticks = self.spacing * (np.arange(self.n_per_side) - (self.n_per_side - 1) / 2)
        return np.array([(first, second) for first in ticks for second in ticks])


class _NoisyCurves(ToyDistribution):
    r"""Points on curves, uniform in the curves' parameter, plus isotropic Gaussian noise.

    .. math:: p(x) = \frac{1}{K} \sum_k \int_0^1 N(x;\ c_k(t), \sigma^2 I) \, dt

    Gauss-Legendre quadrature on panels that are short against the noise makes the integral a mixture of Gaussians, one
    at each node.
    """

    @property
    @abstractmethod
    def _max_speed(self):
        """An upper bound of :math:`|c_k'(t)|`."""

    @property
    @abstractmethod
    def _turns(self):
        """How often each curve goes round."""

    @abstractmethod
    def _curves(self, t):
        """Points of all curves at the parameters `t` in [0, 1], of shape (n_curves, len(t), 2)."""

    def _sample(self, n_samples, rng):
        curves = self._curves(rng.random(n_samples))  # (n_curves, n_samples, 2)
        which = rng.integers(len(curves), size=n_samples)
        return curves[which, np.arange(n_samples)] + self.noise * rng.standard_normal((n_samples, 2))

    def _log_prob(self, X):
        n_panels = int(np.ceil(max(self._max_speed / (PANEL_LENGTH * self.noise), PANELS_PER_TURN * self._turns)))
        nodes, weights = np.polynomial.legendre.leggauss(PANEL_NODES)
        t = (np.arange(n_panels)[:, None] + (nodes + 1) / 2).ravel() / n_panels
        curves = self._curves(t)
        log_weights = np.log(np.tile(weights / 2, n_panels * len(curves)) / (n_panels * len(curves)))
        return _log_normal_mixture(X, log_weights, curves.reshape(-1, 2), self.noise)


@dataclass(frozen=True, kw_only=True)
class TwoMoons(_NoisyCurves):
    r"""Two interleaving half circles with Gaussian noise.

    .. math:: p(x) = \frac{1}{2} \sum_{k=1}^{2} \int_0^1 N(x;\ c_k(t), \sigma^2 I) \, dt, \quad
              c_1(t) = (\cos \pi t, \sin \pi t), \quad c_2(t) = (1 - \cos \pi t, \tfrac{1}{2} - \sin \pi t)

    The curves are those of `sklearn.datasets.make_moons` [1]_, which places its points evenly rather than at random.

    Parameters
    ----------
    noise : float, default=0.1
        Standard deviation :math:`\sigma` of the noise in each direction.

    Notes
    -----
    The integral is a Gauss-Legendre quadrature with 16 nodes on each stretch of at most four :math:`\sigma`. Within ten
    :math:`\sigma` of the curves the log-density is exact to 1e-9 nats, further out to a relative 1e-3.

    References
    ----------
    .. [1] Pedregosa, F. et al. (2011), Scikit-learn: machine learning in Python, Journal of Machine Learning Research
       12, 2825-2830.

    Examples
    --------
    >>> TwoMoons(noise=0.2).score_samples([[0, 1], [0, -1]]).round(3)
    array([-1.136, -9.495])
    """

    noise: float = 0.1

    _max_speed = np.pi
    _turns = 0.5

    def _curves(self, t):
        cos, sin = np.cos(np.pi * t), np.sin(np.pi * t)
        return np.stack([np.column_stack([cos, sin]), np.column_stack([1 - cos, 0.5 - sin])])


@dataclass(frozen=True, kw_only=True)
class TwoSpirals(_NoisyCurves):
    r"""Two intertwined Archimedean spirals with Gaussian noise.

    .. math:: p(x) = \frac{1}{2} \sum_{k=1}^{2} \int_0^1 N(x;\ c_k(t), \sigma^2 I) \, dt, \quad
              c_{1,2}(t) = \pm \frac{\theta}{3} (-\cos \theta, \sin \theta), \quad \theta = 2 \pi m t

    The angle is uniform, as in the two-spirals problem of Lang and Witbrock [1]_; turns and size are those of [2]_.

    Parameters
    ----------
    n_turns : float, default=1.5
        Number :math:`m` of turns of each spiral.
    noise : float, default=0.1
        Standard deviation :math:`\sigma` of the noise in each direction.

    Notes
    -----
    The integral is a Gauss-Legendre quadrature with 16 nodes on each stretch of at most four :math:`\sigma`. Within ten
    :math:`\sigma` of the curves the log-density is exact to 1e-9 nats, further out to a relative 1e-3.

    References
    ----------
    .. [1] Lang, K. J. and Witbrock, M. J. (1988), Learning to tell two spirals apart, Proceedings of the 1988
       Connectionist Models Summer School, 52-59.
    .. [2] Grathwohl, W., Chen, R. T. Q., Bettencourt, J., Sutskever, I. and Duvenaud, D. (2019), FFJORD: free-form
       continuous dynamics for scalable reversible generative models, ICLR.

    Examples
    --------
    >>> TwoSpirals().score_samples([[0, 0], [3, 0]]).round(3)
    array([-0.454, -4.246])
    """

    n_turns: float = 1.5
    noise: float = 0.1

    @property
    def _max_speed(self):
        end = 2 * np.pi * self.n_turns
        return end * np.hypot(1, end) / 3

    @property
    def _turns(self):
        return self.n_turns

    def _curves(self, t):
        angle = 2 * np.pi * self.n_turns * t
        curve = (angle / 3)[:, None] * np.column_stack([-np.cos(angle), np.sin(angle)])
        return np.stack([curve, -curve])


@dataclass(frozen=True, kw_only=True)
class Rings(ToyDistribution):
    r"""Concentric circles with Gaussian noise.

    .. math:: p(x) = \frac{1}{K} \sum_{k=1}^{K} \frac{1}{2 \pi \sigma^2}
              \exp\Big(-\frac{\rho^2 + r_k^2}{2 \sigma^2}\Big) I_0\Big(\frac{\rho r_k}{\sigma^2}\Big), \qquad \rho = |x|

    Each circle has the same mass; the noise is isotropic, so that :math:`\rho` has a Rice distribution. The default is
    that of FFJORD [1]_.

    Parameters
    ----------
    radii : sequence of float, default=(0.75, 1.5, 2.25, 3)
        Radii :math:`r_k` of the circles.
    noise : float, default=0.08
        Standard deviation :math:`\sigma` of the noise in each direction.

    References
    ----------
    .. [1] Grathwohl, W., Chen, R. T. Q., Bettencourt, J., Sutskever, I. and Duvenaud, D. (2019), FFJORD: free-form
       continuous dynamics for scalable reversible generative models, ICLR.

    Examples
    --------
    >>> Rings(radii=[1], noise=0.1).score_samples([[1, 0], [0, 0]]).round(3)
    array([ -0.453, -47.233])
    """

    radii: tuple = (0.75, 1.5, 2.25, 3.0)
    noise: float = 0.08

    def _sample(self, n_samples, rng):
        radius = rng.choice(self.radii, size=n_samples)
        angle = rng.uniform(0, 2 * np.pi, size=n_samples)
        circle = radius[:, None] * np.column_stack([np.cos(angle), np.sin(angle)])
        return circle + self.noise * rng.standard_normal((n_samples, 2))

    def _log_prob(self, X):
        from scipy.special import i0e, logsumexp

        scaled = np.hypot(X[:, :1], X[:, 1:]) / self.noise  # (n, 1)
        centres = np.asarray(self.radii) / self.noise
        # i0e(z) = exp(-z) I0(z): the exponent becomes a square, and nothing overflows
        log_ring = np.log(i0e(scaled * centres)) - (scaled - centres) ** 2 / 2  # (n, n_rings)
        return logsumexp(log_ring, axis=1) - np.log(2 * np.pi * self.noise**2 * len(centres))


@dataclass(frozen=True, kw_only=True)
class Pinwheel(ToyDistribution):
    r"""Gaussian blades around the origin, each rotated by an angle that grows with the radius.

    .. math:: p(x) = \frac{1}{K} \sum_{k=0}^{K-1} N\Big(R\big(-\tfrac{2 \pi k}{K} - a e^{|x|}\big)\, x;\ (1, 0),\
              \mathrm{diag}(\sigma_r^2, \sigma_t^2)\Big)

    with :math:`R(\theta)` the rotation by :math:`\theta`. An angle that depends on the radius alone preserves area, so
    the density needs no Jacobian. In Johnson et al. [1]_ it depends on the first coordinate of the blade, which looks
    much the same but can fold. Beyond the radius 10 the angle stays what it is there.

    Parameters
    ----------
    n_blades : int, default=5
        Number :math:`K` of blades.
    radial_std : float, default=0.3
        Standard deviation :math:`\sigma_r` along a blade.
    tangential_std : float, default=0.1
        Standard deviation :math:`\sigma_t` across a blade.
    rate : float, default=0.25
        Strength :math:`a` of the twist, of either sign; 0 gives straight blades.

    References
    ----------
    .. [1] Johnson, M. J., Duvenaud, D., Wiltschko, A. B., Datta, S. R. and Adams, R. P. (2016), Composing graphical
       models with neural networks for structured representations and fast inference, NeurIPS 29.

    Examples
    --------
    >>> Pinwheel(rate=0).score_samples([[1, 0], [0, 0]]).round(3)
    array([ 0.059, -3.887])
    """

    n_blades: int = 5
    radial_std: float = 0.3
    tangential_std: float = 0.1
    rate: float = 0.25

    _signed = ("rate",)

    def _sample(self, n_samples, rng):
        blade = [1, 0] + [self.radial_std, self.tangential_std] * rng.standard_normal((n_samples, 2))
        angle = self._twist(blade) + 2 * np.pi / self.n_blades * rng.integers(self.n_blades, size=n_samples)
        return np.column_stack(_rotate(blade, angle))

    def _log_prob(self, X):
        from scipy.special import logsumexp

        blades = 2 * np.pi / self.n_blades * np.arange(self.n_blades)[:, None]
        along, across = _rotate(X, -self._twist(X) - blades)  # (n_blades, n) each
        squared = ((along - 1) / self.radial_std) ** 2 + (across / self.tangential_std) ** 2
        log_norm = np.log(2 * np.pi * self.radial_std * self.tangential_std * self.n_blades)
        return logsumexp(-squared / 2, axis=0) - log_norm

    def _twist(self, X):
        return self.rate * np.exp(np.minimum(np.hypot(X[:, 0], X[:, 1]), MAX_TWIST_RADIUS))


def _rotate(X, angle):
    """Coordinates of the rows of `X` (n, 2) after rotation by `angle` (..., n)."""
    cos, sin = np.cos(angle), np.sin(angle)
    return cos * X[:, 0] - sin * X[:, 1], sin * X[:, 0] + cos * X[:, 1]


@dataclass(frozen=True, kw_only=True)
class Checkerboard(ToyDistribution):
    r"""Uniform on every other cell of a square board around the origin.

    .. math:: p(x) = \frac{1}{\lceil m^2 / 2 \rceil\, w^2}\, 1\big[i + j \text{ even},\ 0 \le i, j < m\big], \qquad
              (i, j) = \lfloor x / w + m / 2 \rfloor

    The default board is that of FFJORD [1]_.

    Parameters
    ----------
    n_per_side : int, default=4
        Number :math:`m` of cells on a side.
    cell_width : float, default=2
        Width :math:`w` of a cell.

    References
    ----------
    .. [1] Grathwohl, W., Chen, R. T. Q., Bettencourt, J., Sutskever, I. and Duvenaud, D. (2019), FFJORD: free-form
       continuous dynamics for scalable reversible generative models, ICLR.

    Examples
    --------
    >>> Checkerboard().score_samples([[1, 1], [1, -1]]).round(3)
    array([-3.466,   -inf])
    """

    n_per_side: int = 4
    cell_width: float = 2.0

    def _sample(self, n_samples, rng):
        cells = np.argwhere(np.indices((self.n_per_side, self.n_per_side)).sum(axis=0) % 2 == 0)
        corner = cells[rng.integers(len(cells), size=n_samples)]
        return self.cell_width * (corner - self.n_per_side / 2 + rng.random((n_samples, 2)))

    def _log_prob(self, X):
        m = self.n_per_side
        cell = np.clip(np.floor(X / self.cell_width + m / 2), -1, m)  # -1 and m are off the board
        filled = ((cell >= 0) & (cell < m)).all(axis=1) & (cell.sum(axis=1) % 2 == 0)
        return np.where(filled, -np.log((m * m + 1) // 2 * self.cell_width**2), -np.inf)


@dataclass(frozen=True, kw_only=True)
class Banana(ToyDistribution):
    r"""A Gaussian bent along a parabola.

    .. math:: p(x) = N(x_1;\ 0, s^2)\, N\big(x_2 + b (x_1^2 - s^2);\ 0, 1\big)

    The twisted Gaussian of Haario et al. [1]_ in two dimensions: a shift of :math:`x_2` preserves area, and this one
    keeps the mean at the origin. They call b = 0.03 moderately and b = 0.1 strongly twisted.

    Parameters
    ----------
    b : float, default=0.03
        Curvature, of either sign; 0 gives a Gaussian.
    s : float, default=10
        Standard deviation of :math:`x_1`.

    References
    ----------
    .. [1] Haario, H., Saksman, E. and Tamminen, J. (1999), Adaptive proposal distribution for random walk Metropolis
       algorithm, Computational Statistics 14, 375-395.

    Examples
    --------
    >>> Banana().score_samples([[0, 3], [0, 0]]).round(3)
    array([-4.14, -8.64])
    """

    b: float = 0.03
    s: float = 10.0

    _signed = ("b",)

    def _sample(self, n_samples, rng):
        x1, z2 = (rng.standard_normal((n_samples, 2)) * [self.s, 1]).T
        return np.column_stack([x1, z2 - self._bend(x1)])

    def _log_prob(self, X):
        z1, z2 = X[:, 0] / self.s, X[:, 1] + self._bend(X[:, 0])
        return -(z1**2 + z2**2) / 2 - np.log(2 * np.pi * self.s)

    def _bend(self, x1):
        return self.b * x1 * x1 - self.b * self.s**2  # b first: no 0 * inf far out


#: Eight Gaussians on a circle, the 2D-ring of PacGAN; see `EightGaussians`.
make_eight_gaussians = EightGaussians()
#: Twenty-five Gaussians on a 5 x 5 grid, the 2D-grid of PacGAN; see `Grid`.
make_grid = Grid()
#: Two interleaving half circles; see `TwoMoons`.
make_two_moons = TwoMoons()
#: Five twisted Gaussian blades; see `Pinwheel`.
make_pinwheel = Pinwheel()
#: Uniform on every other cell of a 4 x 4 board; see `Checkerboard`.
make_checkerboard = Checkerboard()
#: Four concentric circles; see `Rings`.
make_rings = Rings()
#: A Gaussian bent along a parabola; see `Banana`.
make_banana = Banana()
#: Two intertwined spirals; see `TwoSpirals`.
make_two_spirals = TwoSpirals()
