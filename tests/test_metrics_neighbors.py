"""Entropy and divergence by nearest neighbours: numbers of FNN, known distributions, frequencies, refusals."""

import json
from pathlib import Path

import numpy as np
import pytest
from scipy.special import digamma
from sklearn.datasets import load_iris

from skgen.datasets import load_faithful
from skgen.metrics import nearest_neighbors_entropy, nearest_neighbors_kl_divergence

GOLDEN = json.loads((Path(__file__).parent / "golden" / "neighbors.json").read_text())
IRIS = load_iris().data
ROWS = {"faithful": load_faithful().data, "iris": IRIS[:, [0, 2, 3]]}


@pytest.mark.parametrize("name", ROWS)
def test_entropy_of_fnn(name):
    """Theirs is that of the distinct rows."""
    X = np.unique(ROWS[name], axis=0)
    ours = [nearest_neighbors_entropy(X, k) for k in range(1, 11)]
    np.testing.assert_allclose(ours, GOLDEN[name]["entropy"], rtol=1e-12)


def test_divergence_of_fnn():
    """Theirs divides by the number of rows, where a row has one other less."""
    ours = [nearest_neighbors_kl_divergence(IRIS[:50], IRIS[50:100], k) for k in range(1, 11)]
    np.testing.assert_allclose(ours, GOLDEN["kl_setosa_versicolor"] + np.log(50 / 49), rtol=1e-12)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"metric": "manhattan"},
        {"metric": "chebyshev"},
        {"metric": "mahalanobis"},
        {"metric": "seuclidean", "metric_params": {"V": [4.0, 0.25]}},
        {"p": 3, "metric_params": {"w": [1.0, 9.0]}},
        {"algorithm": "brute", "n_jobs": 2},
        {"algorithm": "kd_tree", "leaf_size": 5},
        {"algorithm": "ball_tree"},
    ],
    ids=str,
)
def test_known_distributions(options):
    rng = np.random.default_rng(0)
    factor = np.array([[1.0, 0.0], [0.8, 0.5]])
    X, Y = rng.normal(size=(4000, 2)) @ factor.T, rng.normal(size=(5000, 2))
    covariance = factor @ factor.T
    entropy = 1 + np.log(2 * np.pi) + 0.5 * np.linalg.slogdet(covariance)[1]
    divergence = 0.5 * (np.trace(covariance) - 2 - np.linalg.slogdet(covariance)[1])
    assert abs(nearest_neighbors_entropy(X, **options) - entropy) < 0.06
    assert abs(nearest_neighbors_kl_divergence(X, Y, **options) - divergence) < 0.08


def test_places_on_the_globe():
    rng = np.random.default_rng(0)
    X = np.column_stack([np.arcsin(rng.uniform(-1, 1, 3000)), rng.uniform(-np.pi, np.pi, 3000)])
    assert abs(nearest_neighbors_entropy(X, metric="haversine") - np.log(4 * np.pi)) < 0.05


def test_weights_are_frequencies():
    rng = np.random.default_rng(0)
    X, Y = rng.normal(size=(60, 2)), rng.normal(size=(50, 2))
    v, w = rng.integers(0, 4, 60), rng.integers(0, 4, 50)
    repeated = np.repeat(X, v, axis=0), np.repeat(Y, w, axis=0)
    assert nearest_neighbors_entropy(X, sample_weight=v) == pytest.approx(nearest_neighbors_entropy(repeated[0]))
    weighted = nearest_neighbors_kl_divergence(X, Y, sample_weight=v, sample_weight_Y=w)
    assert weighted == pytest.approx(nearest_neighbors_kl_divergence(*repeated))


@pytest.mark.parametrize("scale", [1e-200, 1e200])
def test_units_shift_the_entropy(scale):
    X = np.random.default_rng(0).normal(size=(50, 3))
    assert nearest_neighbors_entropy(scale * X) == pytest.approx(nearest_neighbors_entropy(X) + 3 * np.log(scale))
    divergence = nearest_neighbors_kl_divergence(X[:25], X[25:])
    assert nearest_neighbors_kl_divergence(scale * X[:25], scale * X[25:]) == pytest.approx(divergence)


def test_frames_are_read_by_name():
    pd = pytest.importorskip("pandas")
    X = pd.DataFrame(np.random.default_rng(0).normal(size=(40, 2)), columns=["a", "b"])
    assert nearest_neighbors_entropy(X) == nearest_neighbors_entropy(X.to_numpy())
    with pytest.raises(ValueError, match="Y has the columns .'b', 'a'., and X .'a', 'b'.: order them alike"):
        nearest_neighbors_kl_divergence(X, X[["b", "a"]])
    with pytest.raises(ValueError, match="column 'b'"):
        nearest_neighbors_entropy(X.assign(b="high"))
    with pytest.raises((ValueError, TypeError), match="date"):
        nearest_neighbors_entropy(X.assign(b=pd.Timestamp("2020-01-01")))


def test_fractions_of_rows_count_as_such():
    """Weights of one half, with half the neighbours: distances stay, only numbers of rows change."""
    X = np.random.default_rng(0).normal(size=(60, 2))
    half = np.full(60, 0.5)
    gap = digamma(60) - digamma(4) - (digamma(30) - digamma(2))
    assert nearest_neighbors_entropy(X, 2, sample_weight=half) + gap == pytest.approx(nearest_neighbors_entropy(X, 4))


def test_ties_take_the_next_number_of_neighbours():
    X = np.array([[0.0], [0.0], [1.0], [3.0]])  # the twins' second neighbours are at 1
    radius, reached = np.array([1, 1, 1, 2]), np.array([2, 2, 1, 1])
    expected = np.mean(digamma(4) - digamma(reached) + np.log(2 * radius))
    assert nearest_neighbors_entropy(X, 1) == pytest.approx(expected)
    Y = np.array([[0.0], [2.0], [5.0]])  # the first lies on the twins
    theirs, reached_theirs = np.array([2, 2, 1, 1]), np.array([2, 2, 1, 1])
    ratio = np.log(theirs / radius) + digamma(reached) - digamma(reached_theirs) + np.log(3 / 3)
    assert nearest_neighbors_kl_divergence(X, Y, 1) == pytest.approx(ratio.mean())


def test_what_cannot_be_is_refused():
    X = np.random.default_rng(0).normal(size=(10, 2))
    for call, message in [
        (lambda: nearest_neighbors_entropy(X, 10), "a row of X has 9 others"),
        (lambda: nearest_neighbors_entropy(X, 0), "whole number of 1 or more"),
        (lambda: nearest_neighbors_entropy(X * [1, 0]), r"X\[:, 1\] is constant"),
        (lambda: nearest_neighbors_entropy(X, metric="cosine"), "volume of its balls"),
        (lambda: nearest_neighbors_entropy(X, metric="none"), "is none of euclidean"),
        (lambda: nearest_neighbors_entropy(np.hstack([X, X]), metric="haversine"), "2 dimensions"),
        (lambda: nearest_neighbors_kl_divergence(X, X[:, :1]), "Y has 1 columns and X 2"),
        (lambda: nearest_neighbors_kl_divergence(X, X[:2]), "Y has 2 rows: take fewer"),
        (lambda: nearest_neighbors_kl_divergence(X, X[:1], 1), r"Y\[:, 0\] is constant"),
        (lambda: nearest_neighbors_kl_divergence(X * [1, 0], X), r"X\[:, 1\] is constant"),
        (lambda: nearest_neighbors_entropy(X, p=0.5), "p must be at least 1"),
        (lambda: nearest_neighbors_entropy(100 * X, metric="haversine"), "wants radians"),
    ]:
        with pytest.raises(ValueError, match=message):
            call()
