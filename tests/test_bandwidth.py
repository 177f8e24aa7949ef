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
from scipy.optimize import brentq
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
    return root @ search(error, sample, structure, "plug_in", follow=False) @ root


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
    H = root @ search(_matrix_plug_in.asymptotic_error(psi, n), sphered, "full", "scv", follow=False) @ root
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
    H = search(criterion, sample, structure, "scv", follow=False)
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
