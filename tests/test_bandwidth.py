"""Bandwidth selectors against R, against slow references, and against what must hold for all of them."""

import itertools
import json
import math
import warnings
from pathlib import Path

import numpy as np
import pytest
from numpy.polynomial.hermite_e import hermeval
from scipy.fft import dct
from scipy.integrate import quad_vec
from scipy.optimize import brentq
from scipy.special import factorial2
from scipy.stats import multivariate_normal
from sklearn.exceptions import ConvergenceWarning

from skgen.nonparametric._bandwidth import (
    COLUMNS,
    LINE,
    RULES,
    _criteria,
    _matrix_plug_in,
    maximise_leave_one_out,
    select,
)
from skgen.nonparametric._bandwidth._lags import pair_lags
from skgen.nonparametric._bandwidth._least_squares import least_squares_criterion
from skgen.nonparametric._bandwidth._matrix import search
from skgen.nonparametric._bandwidth._pairs import curvature
from skgen.nonparametric._bandwidth._rules import frequency_quantile
from skgen.nonparametric._bandwidth._sample import merged, thinned

GOLDEN = json.loads(Path(__file__).parent.joinpath("golden", "bandwidth.json").read_text())
LINES = {name: np.array(golden["x"], dtype=float)[:, None] for name, golden in GOLDEN["univariate"].items()}
TABLES = {name: np.array(golden["X"]) for name, golden in GOLDEN["multivariate"].items()}
FULL = sorted(set(RULES) - set(COLUMNS))


def quietly(rule, X, weight=None, **options):
    """The bandwidth, where a search may well end at an end of its bracket."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return select(rule, X, np.ones(len(X)) if weight is None else weight, **options)


def sample_of(X):
    return merged(np.asarray(X, dtype=float), np.ones(len(X)))


# R, one feature. bw.ucv, bw.bcv and bw.SJ bin on 50000 nodes and stop at a hundredth of the bracket.


@pytest.mark.parametrize("name", LINES)
@pytest.mark.parametrize(
    "rule, key, rtol",
    [
        ("nrd0", "nrd0", 1e-12),
        ("nrd", "nrd", 1e-12),
        ("silverman", "ks_hns", 1e-12),
        ("lscv", "ucv", 1e-3),
        ("bcv", "bcv", 1e-4),
        ("sheather_jones", "SJ_ste", 2e-4),
        ("sheather_jones_dpi", "SJ_dpi", 1e-4),
        ("scv", "ks_hscv", 1e-4),
        ("mlcv", "np_mlcv", 5e-6),
    ],
)
def test_one_feature_as_in_r(name, rule, key, rtol):
    assert quietly(rule, LINES[name])[0] == pytest.approx(GOLDEN["univariate"][name][key], rel=rtol)


def test_kedd_stops_within_a_hundredth_of_the_oversmoothed_bandwidth():
    for name in set(LINES) - {"buffalo", "rivers"}:  # there kedd has 4.99, the end of its bracket
        X = LINES[name]
        step = 0.01 * 1.144 * X.std(ddof=1) * len(X) ** -0.2
        assert quietly("mlcv", X)[0] == pytest.approx(GOLDEN["univariate"][name]["kedd_mlcv"], abs=step)


def dpik(x, *, loses_maximum, nodes=401):
    """KernSmooth's `dpik`: linear binning on a coarse grid, which loses a maximum that lies on the last node."""
    n, scale = len(x), min(x.std(ddof=1), np.subtract(*np.quantile(x, [0.75, 0.25])) / 1.349)
    place = (x - x.min()) / np.ptp(x) * (nodes - 1)
    node = np.floor(place + 1e-9).astype(int)
    kept = node < nodes - 1 if loses_maximum else node < nodes
    bins = np.zeros(nodes + 1)
    np.add.at(bins, node[kept], (1 - place + node)[kept])
    np.add.at(bins, node[kept] + 1, (place - node)[kept])
    step = np.ptp(x) / scale / (nodes - 1)
    distance = step * np.abs(np.subtract.outer(np.arange(nodes), np.arange(nodes)))

    def psi(r, g):
        u = distance / g
        kernel = hermeval(u, np.eye(r + 1)[r]) * np.exp(-(u**2) / 2) / np.sqrt(2 * np.pi) / g ** (r + 1)
        return bins[:-1] @ kernel @ bins[:-1] / bins.sum() ** 2

    psi6 = psi(6, np.sqrt(2) * (2 / (7 * n)) ** (1 / 9))
    psi4 = psi(4, (-3 * np.sqrt(2 / np.pi) / (psi6 * n)) ** (1 / 7))
    return scale * (1 / (2 * np.sqrt(np.pi) * psi4 * n)) ** 0.2


@pytest.mark.parametrize("name", LINES)
def test_plug_in_is_that_of_ks_but_for_its_grid_and_the_maximum_that_it_loses(name):
    x = LINES[name][:, 0]
    # rounding saves the maximum of the waiting times
    assert dpik(x, loses_maximum=name != "faithful_waiting") == pytest.approx(
        GOLDEN["univariate"][name]["ks_hpi"], rel=1e-6
    )
    assert quietly("plug_in", LINES[name])[0] == pytest.approx(dpik(x, loses_maximum=False), rel=1e-3)


# R, several features. The searches of ks stop early (Nelder-Mead, and BFGS with differences): 1e-3 of an entry.


def root_of(S, structure):
    value, vector = np.linalg.eigh(S)
    return np.diag(np.sqrt(np.diag(S))) if structure == "diag" else (vector * np.sqrt(value)) @ vector.T


def in_ks_coordinates(X, structure):
    """The rows sphered, or scaled, and the way back."""
    root = root_of(np.cov(X.T), structure)
    return sample_of((X - X.mean(axis=0)) @ np.linalg.inv(root)), root


def rising(d, k):
    return np.prod([d + 2 * j for j in range(k)], dtype=float)


def mean_power(A, r):
    """The mean of (z'Az)^r for a standard normal z, by its cumulants."""
    moment = [1.0]
    cumulant = [0.5 * 2.0**j * math.factorial(j - 1) * np.trace(np.linalg.matrix_power(A, j)) for j in range(1, r + 1)]
    for i in range(1, r + 1):
        moment.append(sum(math.comb(i - 1, j - 1) * cumulant[j - 1] * moment[i - j] for j in range(1, i + 1)))
    return moment[r]


def norm_of_contracted_eighth(S):
    """The squared norm of the eighth derivatives of the normal law, contracted once."""
    a = np.linalg.eigvalsh(np.linalg.inv(2 * S))
    total = 0.0
    for beta in itertools.product(range(4), repeat=len(a)):
        if sum(beta) == 3:
            moment = np.prod([np.prod(np.arange(1, 2 * b, 2)) * aj**b for aj, b in zip(a, beta, strict=True)])
            moment *= a.sum() + 2 * a @ beta
            total += 720 / np.prod([math.factorial(2 * b) for b in beta]) * moment**2
    return total / ((2 * np.pi) ** len(a) * np.linalg.det(2 * S))


def dscalar_pilot(sample, smoothed):
    """The scalar pilot of ks 1.14 (`gdscalar`, two stages), with the constants as they are there."""
    n, d, S = sample.n, sample.X.shape[1], sample.covariance
    common = 15 * mean_power(np.linalg.inv(S), 4) / np.sqrt(np.linalg.det(S))
    norm = norm_of_contracted_eighth(S)
    if smoothed:
        b1, b2, b3 = 2**-5 * (4 * np.pi) ** -d, -(d + 4) * 2**-6 * (4 * np.pi) ** -d * common, 4 * norm
        c1, c2, c3 = 2.0**-d, 2.0 ** (1 - d / 2), 4
    else:  # 2^(2 - d / 2) where the derivation has 2^(-4 - d / 2)
        b1, b2, b3 = 2 * (2 * np.pi) ** -d, -(d + 4) * 2.0 ** (2 - d / 2) * (2 * np.pi) ** -d * common, norm
        c1, c2, c3 = 1, 1, 1
    b1 *= 15 * rising(d, 4)
    g = (2 * b1 / (-b2 + np.sqrt(b2**2 + 4 * b1 * b3)) / n) ** (1 / (d + 8))
    eta = _matrix_plug_in.iterated_laplacian(sample, g)
    peak = (2 * np.pi) ** (-d / 2)
    a1, a2, a3 = c1 * (2 * d + 8) * peak**2 * 3 * rising(d, 2), c2 * (d + 2) * peak * 3 * eta, c3 * eta**2
    return (2 * a1 / (-a2 + np.sqrt(a2**2 + 4 * a1 * a3)) / n) ** (1 / (d + 6))


def normal_functional(r, S):
    """The derivative of order r (one number per feature) of the density N(0, S) at zero."""
    A, places = np.linalg.inv(S), [j for j, k in enumerate(r) for _ in range(k)]

    def pairings(left):
        if not left:
            return 1.0
        return sum(A[left[0], left[k]] * pairings(left[1:k] + left[k + 1 :]) for k in range(1, len(left)))

    return (-1) ** (sum(r) // 2) * pairings(places) / (2 * np.pi * np.sqrt(np.linalg.det(S)))


def functional(sample, r, g):
    """The estimate of the functional of order r of two features, by all differences."""
    z = (sample.X[:, None] - sample.X[None]) / g
    kernel = np.exp(-(z**2).sum(axis=2) / 2) / (2 * np.pi)
    for j, k in enumerate(r):
        kernel = kernel * hermeval(z[:, :, j], np.eye(k + 1)[k])
    return sample.weight @ kernel @ sample.weight / sample.n**2 * (-1) ** sum(r) / g ** (2 + sum(r))


def samse(S, n, order, estimated=None):
    """The pilot that minimises the summed squared errors over the even functionals of two features."""
    even = [(order - k, k) for k in range(0, order + 1, 2)]
    own = np.array([normal_functional(r, np.eye(2)) for r in even])
    above = [((a + 2, b), (a, b + 2)) for a, b in even]
    psi = np.array([sum(estimated[r] if estimated else normal_functional(r, 2 * S) for r in pair) for pair in above])
    b1, b2, b3 = (2 * order + 4) * own @ own, order * own @ psi, psi @ psi
    return ((-b2 + np.sqrt(b2**2 + 4 * b1 * b3)) / (2 * b1) * n) ** (-1 / (order + 4))


def samse_pilot(sample):
    """Two stages of ks 1.14, which reads the sixth functionals from the first seven of all 64 places."""
    g = samse(sample.covariance, sample.n, 6)
    places = [(6 - sum(place), sum(place)) for place in itertools.product((0, 1), repeat=6)]
    estimated = {(6 - k, k): functional(sample, places[k], g) for k in range(7)}
    return samse(sample.covariance, sample.n, 4, estimated)


def plugged_in(X, structure, pilot):
    """The plug-in matrix of the library with another pilot bandwidth, in the coordinates of ks."""
    sample, root = in_ks_coordinates(X, structure)
    psi = curvature(sample, pilot(sample))
    error = _matrix_plug_in.asymptotic_error(psi, sample.n)
    return root @ search(error, sample, structure, "plug_in") @ root


@pytest.mark.parametrize(
    "name, key, structure, pilot",
    [
        ("faithful", "Hpi", "full", samse_pilot),
        ("faithful", "Hpi_diag", "diag", samse_pilot),
        ("faithful", "Hpi_dscalar", "full", lambda sample: dscalar_pilot(sample, False)),
        ("iris", "Hpi", "full", lambda sample: dscalar_pilot(sample, False)),
        ("iris", "Hpi_diag", "diag", lambda sample: dscalar_pilot(sample, False)),
    ],
)
def test_plug_in_matrices_of_ks_from_its_pilots(name, key, structure, pilot):
    golden = np.array(GOLDEN["multivariate"][name]["H"][key])
    np.testing.assert_allclose(plugged_in(TABLES[name], structure, pilot), golden, rtol=2e-4, atol=1e-12)


def test_the_samse_pilot_of_ks_depends_on_the_order_of_the_columns_and_ours_does_not():
    X = TABLES["faithful"]
    swapped = plugged_in(X[:, ::-1], "full", samse_pilot)[::-1, ::-1]
    assert abs(swapped / plugged_in(X, "full", samse_pilot) - 1).max() > 0.05
    ours = quietly("plug_in", X, structure="full")
    np.testing.assert_allclose(quietly("plug_in", X[:, ::-1], structure="full")[::-1, ::-1], ours, rtol=1e-5)


def amse_pilot_of_scv(sample):
    """The pilot of `ks::Hscv` for two features (`gamse.scv`), from a plug-in matrix of one stage."""
    n = sample.n
    root = root_of(sample.covariance, "full")
    sphered = sample.times(np.linalg.inv(root))
    psi = curvature(sphered, samse(sphered.covariance, n, 4))
    H = root @ search(_matrix_plug_in.asymptotic_error(psi, n), sphered, "full", "scv") @ root
    g = samse(sample.covariance, n, 6)
    even = {k: functional(sample, (6 - k, k), g) for k in range(7)}
    sixth = np.array([even[sum(place)] for place in itertools.product((0, 1), repeat=6)]).reshape((2,) * 6)
    bias = np.einsum("abcdef,ag,fh,gbcdeh", sixth, H, H, sixth) / 4
    mixed = 0.75 / (4 * np.pi) * np.einsum("abcdef,ad,be,cf", sixth, H, np.eye(2), H)
    variance = (4 * np.trace(H @ H) + 10 * np.trace(H) ** 2) / 64 / (4 * np.pi) ** 2
    return (12 * variance / (-4 * mixed + np.sqrt(16 * mixed**2 + 48 * bias * variance)) / n) ** (1 / 8)


@pytest.mark.parametrize("name", TABLES)
@pytest.mark.parametrize("structure", ["full", "diag"])
def test_smoothed_matrices_of_ks_from_its_pilots(name, structure):
    golden = np.array(GOLDEN["multivariate"][name]["H"]["Hscv" if structure == "full" else "Hscv_diag"])
    sample, root = in_ks_coordinates(TABLES[name], structure)
    g = amse_pilot_of_scv(sample) if name == "faithful" else dscalar_pilot(sample, True)
    criterion = _criteria.smoothed(sample, g**2 * np.eye(len(root)))
    H = search(criterion, sample, structure, "scv")
    np.testing.assert_allclose(root @ H @ root, golden, rtol=1e-3, atol=1e-12)
    back = np.linalg.inv(root)
    assert criterion(H)[0] <= criterion(back @ golden @ back)[0]


@pytest.mark.parametrize("structure", ["full", "diag"])
def test_least_squares_matrices_of_ks(structure):
    X = TABLES["faithful"]
    golden = np.array(GOLDEN["multivariate"]["faithful"]["H"]["Hlscv" if structure == "full" else "Hlscv_diag"])
    H = select("lscv", X, np.ones(len(X)), structure=structure)
    H = np.diag(H**2) if structure == "diag" else H
    np.testing.assert_allclose(H, golden, rtol=1.5e-3, atol=1e-12)
    criterion = _criteria.least_squares(sample_of(X))
    assert criterion(H)[0] <= criterion(golden)[0]


@pytest.mark.parametrize("name", TABLES)
def test_normal_scale_matrix_of_ks(name):
    H = select("silverman", TABLES[name], np.ones(len(TABLES[name])), structure="full")
    np.testing.assert_allclose(H, GOLDEN["multivariate"][name]["H"]["Hns"], rtol=1e-12)


@pytest.mark.parametrize("name", TABLES)
def test_densities_of_ks_from_its_matrices(name):
    """The convention: H is a covariance."""
    golden, X = GOLDEN["multivariate"][name], TABLES[name]
    for key, H in golden["H"].items():
        if np.linalg.eigvalsh(H)[0] > 1e-6:  # those that collapsed have density zero at every point
            density = [multivariate_normal(point, H).pdf(X).mean() for point in golden["points"]]
            np.testing.assert_allclose(density, golden["density"][key], rtol=1e-6, err_msg=key)


def test_biased_matrices_of_ks_are_the_bounds_of_its_search():
    """Its curvature is divided by n (n - 1) twice, so that there is nothing but variance to minimise."""
    X = TABLES["faithful"]
    n, d = X.shape
    k = ((d + 8) ** ((d + 6) / 2) / 2**d / (16 * n * math.gamma((d + 8) / 2) * (d + 2))) ** (2 / (d + 4))
    bound = root_of(k * np.cov(X.T), "full")
    for key in ("Hbcv1", "Hbcv2"):
        H = np.array(GOLDEN["multivariate"]["faithful"]["H"][key])
        np.testing.assert_allclose(np.sqrt(np.diag(H)), np.diag(bound), rtol=1e-4)
    ours = select("bcv", X, np.ones(n), structure="full")
    assert np.linalg.det(ours) < 0.5 * np.linalg.det(np.array(GOLDEN["multivariate"]["faithful"]["H"]["Hbcv1"]))


# Slow references.


def botev(x, nodes=2**16):
    """Improved Sheather-Jones as its authors compute it: the cosine transform of a histogram on twice the range."""
    n, low, span = len(x), x.min() - np.ptp(x) / 2, 2 * np.ptp(x)
    a = dct(np.histogram(x, nodes, (low, low + span))[0] / n)[1:] / 2
    k = np.arange(1, nodes) ** 2.0

    def norm(s, t):
        return 2 * np.pi ** (2 * s) * (k**s * a**2 * np.exp(-k * np.pi**2 * t)).sum()

    def excess(t):
        f = norm(7, t)
        for s in range(6, 1, -1):
            c = (1 + 0.5 ** (s + 0.5)) / 3 * factorial2(2 * s - 1) / np.sqrt(np.pi / 2)
            f = norm(s, (2 * c / n / f / 2) ** (2 / (3 + 2 * s)))
        return t - (2 * n * np.sqrt(np.pi) * f) ** -0.4

    grid = np.geomspace(0.2, 1e-3, 100) ** 2
    at = next(i for i in range(99) if excess(grid[i]) > 0 >= excess(grid[i + 1]))
    return span * np.sqrt(brentq(excess, grid[at + 1], grid[at], xtol=1e-15))


@pytest.mark.parametrize("kind", ["normal", "far apart", "one-sided"])
def test_isj_is_botevs(kind):
    rng = np.random.default_rng(0)
    x = {
        "normal": lambda: rng.normal(size=200),
        "far apart": lambda: np.concatenate([rng.normal(size=300), rng.normal(10, 0.5, size=200)]),
        "one-sided": lambda: rng.exponential(size=400),
    }[kind]()
    assert quietly("isj", x[:, None])[0] == pytest.approx(botev(x), rel=5e-4)


def random_sample(d, n=40, seed=0):
    """Rows with frequencies and losses of all kinds."""
    rng = np.random.default_rng(seed)
    w = rng.uniform(0.5, 2.5, n)
    return merged(rng.normal(size=(n, d)), w, np.minimum(w, 0.9))


def random_matrix(d, seed=1):
    A = np.random.default_rng(seed).normal(size=(d, d))
    return 0.1 * A @ A.T + 0.2 * np.eye(d)


def densities(sample, H):
    """The normal density of covariance H at all differences of rows."""
    d = sample.X.shape[1]
    return (
        multivariate_normal(np.zeros(d), H)
        .pdf((sample.X[:, None] - sample.X[None]).reshape(-1, d))
        .reshape(len(sample.X), len(sample.X))
    )


def test_least_squares_is_the_squared_integral_less_twice_the_mean_without_oneself():
    sample, H = random_sample(1), np.array([[0.3**2]])
    w, x, n = sample.weight, sample.X[:, 0], sample.n

    def density(at):
        return w @ np.exp(-((at - x) ** 2) / 2 / H[0, 0]) / np.sqrt(2 * np.pi * H[0, 0]) / n

    square = quad_vec(lambda at: density(at) ** 2, x.min() - 3, x.max() + 3, epsabs=1e-12)[0]
    own = multivariate_normal(0, H).pdf(0)
    without = w @ (densities(sample, H) @ w - sample.left_out * own)
    lost = w @ sample.left_out
    assert _criteria.least_squares(sample)(H)[0] == pytest.approx(square - 2 * without / (n**2 - lost), rel=1e-9)
    assert least_squares_criterion(pair_lags(sample), 0.3) == pytest.approx(square - 2 * without / n**2, rel=1e-9)


def test_biased_has_the_estimated_curvature():
    sample, H = random_sample(2), random_matrix(2)
    n, lost = sample.n, sample.weight @ sample.left_out
    root = np.linalg.cholesky(2 * H)
    white = sample.times(np.linalg.inv(root).T)
    own = sum(normal_functional(np.bincount([i, i, j, j], minlength=2), np.eye(2)) for i in (0, 1) for j in (0, 1))
    quadratic = np.einsum("iijj", curvature(white, 1.0)) * n**2 - lost * own
    quadratic /= 4 * np.prod(np.diag(root))  # H is half the kernel's covariance, and there twice
    expected = 1 / (4 * np.pi * n * np.sqrt(np.linalg.det(H))) + quadratic / 4 / (n**2 - lost)
    assert _criteria.biased(sample)(H)[0] == pytest.approx(expected, rel=1e-10)


def test_smoothed_is_a_sum_over_pairs():
    sample, H, G = random_sample(2), random_matrix(2), random_matrix(2, 2)
    pairs = densities(sample, 2 * H + 2 * G) - 2 * densities(sample, H + 2 * G) + densities(sample, 2 * G)
    expected = (
        1 / (4 * np.pi * sample.n * np.sqrt(np.linalg.det(H))) + sample.weight @ pairs @ sample.weight / sample.n**2
    )
    assert _criteria.smoothed(sample, G)(H)[0] == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("d", [1, 3])
def test_likelihood_leaves_out_what_it_is_told(d):
    sample, H = random_sample(d), random_matrix(d)
    own = multivariate_normal(np.zeros(d), H).pdf(np.zeros(d))
    f = (densities(sample, H) @ sample.weight - sample.left_out * own) / (sample.n - sample.left_out)
    assert -_criteria.likelihood(sample)(H)[0] == pytest.approx(sample.weight @ np.log(f), rel=1e-10)


@pytest.mark.parametrize("order", [4])
def test_curvature_is_a_sum_over_pairs(order):
    sample = random_sample(2)
    psi = curvature(sample, 0.7)
    for place in itertools.product((0, 1), repeat=order):
        r = (order - sum(place), sum(place))
        assert psi[place] == pytest.approx(functional(sample, r, 0.7), rel=1e-10, abs=1e-12)


@pytest.mark.parametrize("d", [1, 2, 4])
def test_derivatives_of_the_criteria(d):
    sample, H, E = random_sample(d), random_matrix(d), random_matrix(d, 3) - 0.4
    E = E + E.T
    for criterion in (
        _criteria.least_squares(sample),
        _criteria.biased(sample),
        _criteria.smoothed(sample, random_matrix(d, 4)),
        _criteria.likelihood(sample),
        _matrix_plug_in.asymptotic_error(curvature(sample, 0.8), sample.n),
    ):
        slope = (criterion(H + 1e-5 * E)[0] - criterion(H - 1e-5 * E)[0]) / 2e-5
        assert (criterion(H)[1] * E).sum() == pytest.approx(slope, rel=1e-5, abs=1e-9)


@pytest.mark.parametrize("d", [1, 2, 5])
def test_pilot_annihilates_the_bias_at_the_normal_law(d):
    """With many rows of a normal law the estimated functionals are those of the law, and so is the pilot."""
    sample = sample_of(np.random.default_rng(0).normal(size=(2000, d)))
    g = [_matrix_plug_in.pilot_bandwidth(sample, stages) for stages in (1, 2)]
    assert g[0] == pytest.approx(g[1], rel=0.1)
    if d == 1:  # Wand and Jones, page 70
        assert g[0] == pytest.approx(
            (-6 / np.sqrt(2 * np.pi) / (-15 / 16 / np.sqrt(np.pi)) / 2000) ** (1 / 7), rel=1e-12
        )


def test_left_out_weights_reach_the_likelihood():
    X = rows(2)
    w, lost = np.full(len(X), 3.0), np.linspace(2.95, 3, len(X))
    sample = merged(X, w, lost)
    h = select("mlcv", X, w, left_out=lost)
    score = _criteria.likelihood(sample)
    assert all(score(np.diag((h * c) ** 2))[0] > score(np.diag(h**2))[0] for c in (0.98, 1.02))
    np.testing.assert_allclose(select("mlcv", X, w, left_out=w), select("mlcv", X, np.ones(len(X))), rtol=1e-5)


# What holds for every rule.

EVERY = [(rule, "diag") for rule in RULES] + [(rule, "full") for rule in FULL]


def rows(d, n=60, seed=5):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, d))
    X[: n // 3] += 3
    return X @ np.linalg.cholesky(np.eye(d) + 0.5).T


@pytest.mark.parametrize("rule, structure", EVERY)
@pytest.mark.parametrize("d", [1, 2])
def test_a_frequency_is_the_row_so_often(rule, structure, d):
    X = rows(d)
    w = np.random.default_rng(0).integers(1, 4, len(X))
    often = np.random.default_rng(1).permutation(np.repeat(X, w, axis=0))
    weighted = quietly(rule, X, w.astype(float), structure=structure)
    np.testing.assert_allclose(weighted, quietly(rule, often, structure=structure), rtol=1e-9)


@pytest.mark.parametrize("rule, structure", EVERY)
@pytest.mark.parametrize("d", [1, 3])
def test_bandwidths_follow_the_units_of_the_features(rule, structure, d):
    X = rows(d)
    units, offset = np.array([1e-3, 7.0, 2e5])[:d], np.array([-4.0, 1e6, 3e7])[:d]
    h, moved = quietly(rule, X, structure=structure), quietly(rule, X * units + offset, structure=structure)
    expected = units * h if structure == "diag" else units[:, None] * h * units
    np.testing.assert_allclose(moved, expected, rtol=1e-5)


@pytest.mark.parametrize("rule", FULL)
def test_a_matrix_follows_any_linear_map(rule):
    X, A = rows(2), np.array([[2.0, 0.7], [-0.3, 0.5]])
    H = quietly(rule, X, structure="full")
    np.testing.assert_allclose(quietly(rule, X @ A, structure="full"), A.T @ H @ A, rtol=2e-4)


@pytest.mark.parametrize("rule, structure", EVERY)
@pytest.mark.parametrize(
    "column",
    [[0.0, 1.0], [0.0, 1.0, 1.0, 1.0, 5.0, 5.0], [1.0] * 40 + [2.0], [0.0, 1e-8, 1.0, 2.0], [0.0] * 9 + [1.0] * 9],
    ids=["two", "three values", "one outlier", "close", "halves"],
)
def test_few_values_have_a_bandwidth(rule, structure, column):
    h = quietly(rule, np.array(column)[:, None], structure=structure)
    assert np.isfinite(h).all() and (h > 0).all()


@pytest.mark.parametrize("rule, structure", EVERY)
def test_few_rows_have_a_bandwidth(rule, structure):
    X = np.array([[0.0, 1.0], [1.0, 5.0], [1.0, 1.0], [1.0, 1.0], [2.0, -1.0]])
    h = quietly(rule, X, structure=structure)
    assert np.isfinite(h).all() and (np.linalg.eigvalsh(h) > 0).all() if structure == "full" else (h > 0).all()


@pytest.mark.parametrize("rule, structure", EVERY)
def test_what_has_no_bandwidth_is_refused(rule, structure):
    with pytest.raises(ValueError, match="X\\[:, 1\\] is 3 in all 4 row.* Give the bandwidth as a number"):
        select(rule, np.array([[0.0, 3.0], [1.0, 3.0], [2.0, 3.0], [4.0, 3.0]]), np.ones(4), structure=structure)
    with pytest.raises(ValueError, match="more than one observation.* Give the bandwidth as a number"):
        select(rule, np.array([[0.0]]), np.ones(1), structure=structure)


def test_other_refusals():
    X = rows(2)
    with pytest.raises(ValueError, match="'nrd0' is a rule of one dimension.*one bandwidth per feature"):
        select("nrd0", X, np.ones(len(X)), structure="full")
    with pytest.raises(ValueError, match="no bandwidth rule 'best': it is one of scott"):
        select("best", X, np.ones(len(X)))
    with pytest.raises(ValueError, match="depend linearly.*one bandwidth per feature"):
        select("plug_in", X[:, [0, 0]], np.ones(len(X)), structure="full")


@pytest.mark.parametrize("rule", sorted(set(RULES) - {"lscv", "mlcv"}))
def test_columns_that_depend_on_each_other_have_bandwidths(rule):
    h = quietly(rule, rows(2)[:, [0, 0]])
    assert (h > 0.05).all() and (h < 2).all()


@pytest.mark.parametrize("rule", COLUMNS)
def test_rules_of_one_dimension_go_column_by_column(rule):
    X = rows(3)
    alone = [quietly(rule, X[:, [j]])[0] for j in range(3)]
    np.testing.assert_allclose(quietly(rule, X), np.array(alone) * len(X) ** (1 / 5 - 1 / 7), rtol=1e-9)


def test_quantiles_of_frequencies():
    rng = np.random.default_rng(0)
    x, w = np.sort(rng.normal(size=20)), rng.integers(1, 5, 20)
    for p in (0.0, 0.1, 0.25, 0.6, 1.0):
        assert frequency_quantile(x, w.astype(float), p) == pytest.approx(np.quantile(np.repeat(x, w), p), abs=1e-12)
    assert x[0] < frequency_quantile(x, np.full(20, 0.4), 0.25) < frequency_quantile(x, np.full(20, 0.4), 0.75) < x[-1]


# Ties.


def test_rounded_waiting_times_have_a_bandwidth_by_cross_validation():
    """The criterion falls to minus infinity below half a minute; its largest minimum is that of the times."""
    X = LINES["faithful_waiting"]
    lags = pair_lags(sample_of(X))
    assert least_squares_criterion(lags, 0.01) < least_squares_criterion(lags, 2.658)
    assert select("lscv", X, np.ones(len(X)))[0] == pytest.approx(2.658, rel=1e-3)
    assert select("mlcv", X, np.ones(len(X)))[0] == pytest.approx(2.2553, rel=1e-3)


@pytest.mark.parametrize("rule", ["lscv", "mlcv"])
def test_nothing_but_ties_ends_at_the_lower_end_and_says_so(rule):
    X = np.repeat(np.arange(8.0), 30)[:, None]
    with pytest.warns(
        ConvergenceWarning, match=f"'{rule}' has no optimum inside its bracket, whose lower end is taken"
    ):
        h = select(rule, X, np.ones(len(X)))
    assert h[0] == pytest.approx(pair_lags(sample_of(X)).low, rel=1e-9)


@pytest.mark.parametrize("structure", ["diag", "full"])
def test_collapsed_matrices_of_ks_are_guarded(structure):
    """Petal widths are rounded to 22 values: ks goes to a singular matrix, whose density is zero almost everywhere."""
    X, golden = TABLES["iris"], GOLDEN["multivariate"]["iris"]
    key = "Hlscv" if structure == "full" else "Hlscv_diag"
    assert np.linalg.eigvalsh(golden["H"][key])[0] < 1e-6 and max(golden["density"][key]) == 0
    with pytest.warns(ConvergenceWarning, match="'lscv' has no optimum"):
        H = select("lscv", X, np.ones(len(X)), structure=structure)
    H = np.diag(H**2) if structure == "diag" else H
    share = np.linalg.eigvals(np.linalg.solve(golden["H"]["Hns"], H)).real
    assert share.min() > 0.039**2


# Many rows.


def shapes(n):
    rng = np.random.default_rng(2)
    return {
        "normal": rng.normal(size=n),
        "cauchy": rng.standard_cauchy(size=n),
        "far apart": np.where(rng.random(n) < 0.5, rng.normal(size=n), rng.normal(1000, 0.1, size=n)),
        "one-sided": rng.exponential(size=n),
    }


@pytest.mark.parametrize("shape", shapes(1))
@pytest.mark.parametrize("rule", [*LINE, "isj", "sheather_jones", "sheather_jones_dpi"])
def test_bins_move_a_bandwidth_little(rule, shape, monkeypatch):
    X = shapes(700)[shape][:, None]
    w = np.random.default_rng(0).uniform(0.2, 1, len(X))  # heavier rows would be ties
    binned = quietly(rule, X, w)
    monkeypatch.setattr("skgen.nonparametric._bandwidth._lags.EXACT", 1000)
    monkeypatch.setattr("skgen.nonparametric._bandwidth._likelihood.EXACT", 1000)
    np.testing.assert_allclose(binned, quietly(rule, X, w), rtol=1e-3 if rule == "mlcv" else 1e-6)


@pytest.mark.parametrize("rule", ["plug_in", "plug_in_1", "isj", "sheather_jones", "sheather_jones_dpi", "scv"])
def test_many_rows_of_a_normal_law(rule):
    h = select(rule, shapes(100_000)["normal"][:, None], np.ones(100_000))
    assert h[0] == pytest.approx((4 / 3 / 100_000) ** 0.2, rel=0.02)


@pytest.mark.parametrize("rule", ["plug_in", "scv", "mlcv"])
@pytest.mark.parametrize("structure", ["diag", "full"])
def test_many_rows_in_several_dimensions_are_thinned(rule, structure, monkeypatch):
    X = rows(2, n=1500)
    exact = quietly(rule, X, structure=structure)
    monkeypatch.setattr("skgen.nonparametric._bandwidth.MOST_ROWS", 500)
    few = quietly(rule, X, structure=structure)
    ratio = few / exact if structure == "diag" else (np.linalg.det(few) / np.linalg.det(exact)) ** 0.25
    np.testing.assert_allclose(ratio, 1, atol=0.2)
    np.testing.assert_allclose(few, quietly(rule, X[::-1], structure=structure), rtol=1e-9)


@pytest.mark.parametrize("rule", ["plug_in", "scv", "mlcv", "lscv"])
@pytest.mark.parametrize("structure", ["diag", "full"])
def test_ten_features_have_a_bandwidth(rule, structure):
    """A full matrix by least squares runs away to a singular one: the best multiple of the reference is left."""
    X = np.random.default_rng(0).normal(size=(300, 10))
    h = quietly(rule, X, structure=structure)
    h = h if structure == "diag" else np.sqrt(np.linalg.eigvalsh(h))
    assert h.min() > 0.1 and h.max() < 3


def test_thinned_keeps_the_asked_number_of_observations():
    X = rows(2, n=400)
    w = np.random.default_rng(0).uniform(0.1, 20, 400)
    few = thinned(merged(X, w), 100)
    assert few.n == 100 and (few.weight == np.round(few.weight)).all()
    assert thinned(merged(X, w), 400).n == pytest.approx(w.sum())


# The search for callers with kernels of their own.


def test_the_search_finds_what_the_rule_finds():
    X = rows(2)
    negative = _criteria.likelihood(sample_of(X))
    h0 = select("silverman", X, np.ones(len(X)))
    h = maximise_leave_one_out(lambda log_h: -negative(np.diag(np.exp(2 * log_h)))[0], h0)
    np.testing.assert_allclose(h, select("mlcv", X, np.ones(len(X))), rtol=1e-3)
    one = _criteria.likelihood(sample_of(X[:, :1]))
    h = maximise_leave_one_out(lambda log_h: -one(np.diag(np.exp(2 * log_h)))[0], h0[:1])
    np.testing.assert_allclose(h, select("mlcv", X[:, :1], np.ones(len(X))), rtol=1e-6)


def test_the_search_guards_against_scores_without_a_maximum():
    with pytest.warns(ConvergenceWarning, match="lower end"):
        h = maximise_leave_one_out(lambda log_h: -log_h.sum(), np.array([2.0, 3.0]))
    np.testing.assert_allclose(h, [0.04, 0.06])
    with pytest.warns(ConvergenceWarning, match="multiples of the normal reference"):
        h = maximise_leave_one_out(lambda log_h: -((log_h - 1) ** 2).sum() - 9 * (log_h[0] - log_h[1]), np.ones(2))
    assert h[0] == h[1] == pytest.approx(np.e, rel=1e-6)


@pytest.mark.parametrize("structure", ["diag", "full"])
@pytest.mark.parametrize("rule", ["mlcv", "lscv"])
def test_clumps_far_apart_have_bandwidths_of_their_own(rule, structure):
    """The bracket reaches down to what the rows of one clump need, as it does in one dimension."""
    near = np.random.default_rng(0).normal(size=(100, 2))
    found = [select(rule, np.vstack([near, near + apart]), np.ones(200), structure=structure) for apart in (300.0, 1e5)]
    np.testing.assert_allclose(*found, rtol=0.01)
    assert np.max(found) < 1.0
