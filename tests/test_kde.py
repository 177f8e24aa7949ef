"""Facts of the kernel density estimator: formulas, other programs' numbers, bounds, circles, labels, leaving out."""

import json
import pickle
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.integrate import quad
from scipy.special import logsumexp
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV, LeaveOneOut, cross_val_score
from sklearn.neighbors import KernelDensity as Theirs

from skgen import KernelDensity, check_density_estimator
from skgen.checks import LAWS
from skgen.datasets import load_faithful, load_galaxies
from skgen.nonparametric import StudentTKernel
from skgen.nonparametric._kernels import KERNELS
from skgen.nonparametric._space import Mapped

GOLDEN = json.loads(Path(__file__).parent.joinpath("golden", "kde.json").read_text())
FAITHFUL = load_faithful().data
ERUPTIONS = FAITHFUL[:, :1]


def rows(seed=0, n=80, d=2):
    return np.random.default_rng(seed).standard_normal((n, d))


def mass_between(model, low, high, n_cells=8000):
    """The integral of a density of one feature, by Gauss-Legendre in many cells."""
    nodes, weights = np.polynomial.legendre.leggauss(5)
    half = (high - low) / n_cells / 2
    x = low + half * (2 * np.arange(n_cells)[:, None] + 1 + nodes)
    return half * (np.exp(model.score_samples(x.reshape(-1, 1))).reshape(x.shape) @ weights).sum()


# Other programs' numbers


def test_density_of_r():
    golden = GOLDEN["eruptions"]
    model = KernelDensity(bandwidth=golden["nrd0"]).fit(ERUPTIONS)
    found = np.exp(model.score_samples(np.array(golden["grid"])[:, None]))
    np.testing.assert_allclose(found, golden["exact_gaussian_nrd0"], rtol=1e-9)
    assert KernelDensity(bandwidth="nrd0").fit(ERUPTIONS).bandwidth_ == pytest.approx(golden["nrd0"])


@pytest.mark.parametrize("name", ["Hns", "Hpi", "Hpi_diag"])
def test_densities_of_ks(name):
    golden = GOLDEN["faithful"]
    model = KernelDensity(bandwidth=golden["H"][name]).fit(FAITHFUL)
    np.testing.assert_allclose(np.exp(model.score_samples(golden["eval_points"])), golden["kde"][name], rtol=1e-6)


def test_normal_reference_matrix_of_ks():
    """Hns is the "silverman" matrix, with divisor n - 1."""
    model = KernelDensity(bandwidth="silverman", bandwidth_structure="full").fit(FAITHFUL)
    np.testing.assert_allclose(model.bandwidth_, GOLDEN["faithful"]["H"]["Hns"], rtol=1e-9)


def test_leaving_one_out_as_ks_does():
    model = KernelDensity(bandwidth=GOLDEN["faithful"]["H"]["Hpi"]).fit(FAITHFUL)
    assert model.leave_one_out_score_samples().sum() == pytest.approx(GOLDEN["faithful"]["loo_loglik_Hpi"], rel=1e-6)


def test_gradients_of_ks():
    golden = GOLDEN["faithful"]
    model = KernelDensity(bandwidth=golden["H"]["Hns_deriv1"]).fit(FAITHFUL)
    points = np.array(golden["eval_points"])
    slope = np.exp(model.score_samples(points))[:, None] * model.gradient(points)
    np.testing.assert_allclose(slope, golden["kdde1"], rtol=1e-5, atol=1e-9)


def test_mean_shift_of_ks():
    golden = GOLDEN["faithful"]["mean_shift"]
    modes = KernelDensity(bandwidth=GOLDEN["faithful"]["H"]["Hns_deriv1"]).fit(FAITHFUL).modes()
    np.testing.assert_allclose(modes.rows, golden["modes"], atol=0.05)  # ks stops at a step of .001 of the data's range
    assert np.bincount(modes.labels).tolist() == golden["sizes"]
    assert (modes.last_step < 1e-9).all() and modes.shares.sum() == pytest.approx(1)


def test_densities_of_np():
    for rule in ("cv.ml", "normal-reference"):
        golden = GOLDEN["np_faithful"][f"npudens_faithful_{rule}"]
        model = KernelDensity(bandwidth=golden["bw"]).fit(FAITHFUL)
        np.testing.assert_allclose(np.exp(model.score_samples(FAITHFUL[:10])), golden["dens_first10"], rtol=1e-7)
        assert model.score(FAITHFUL) * 272 == pytest.approx(golden["loglik"], rel=1e-8)
    golden = GOLDEN["np_faithful"]["npudens_faithful_cv.ml"]
    assert KernelDensity(bandwidth="mlcv").fit(FAITHFUL).bandwidth_ == pytest.approx(golden["bw"], rel=1e-3)


def test_conditionals_of_np():
    density, distribution = (GOLDEN["np_faithful"][k] for k in ("npcdens_faithful_fixed", "npcdist_faithful_fixed"))
    model = KernelDensity(bandwidth=[density["xbw"], density["ybw"]]).fit(FAITHFUL)
    new = pd.DataFrame(density["newdata"])[["eruptions", "waiting"]].to_numpy()
    marginal = KernelDensity(bandwidth=density["xbw"]).fit(ERUPTIONS)
    found = model.score_samples(new) - marginal.score_samples(new[:, :1])
    np.testing.assert_allclose(np.exp(found), density["condens"], rtol=1e-6)
    np.testing.assert_allclose(model.conditional_cdf(new)[:, 1], distribution["condist"], rtol=1e-6)


# Formulas


@pytest.mark.parametrize("kernel", ["gaussian", "tophat", "epanechnikov", "exponential", "linear"])
@pytest.mark.parametrize("d", [1, 2, 3])
def test_as_scikit_learn_where_it_is_right(kernel, d):
    X, Y = rows(0, 100, d), rows(1, 30, d)
    theirs = Theirs(kernel=kernel, bandwidth=0.7).fit(X).score_samples(Y)
    ours = KernelDensity(kernel=kernel, bandwidth=0.7).fit(X).score_samples(Y)
    reached = np.isfinite(ours)  # where nothing reaches, theirs is the log of a rounding error
    np.testing.assert_allclose(ours[reached], theirs[reached], atol=1e-9)


@pytest.mark.parametrize("metric", ["manhattan", "chebyshev", "minkowski"])
@pytest.mark.parametrize("kernel", ["cosine", "gaussian", "tricube"])
def test_metrics_are_normalised(kernel, metric):
    params = {"metric_params": {"p": 3, "w": [1.0, 2.0]}} if metric == "minkowski" else {}
    model = KernelDensity(kernel=kernel, metric=metric, bandwidth=1.0, **params).fit([[0.0, 0.0]])
    grid = np.linspace(-6, 6, 1201)
    cells = np.stack(np.meshgrid(grid, grid), -1).reshape(-1, 2)
    assert np.exp(model.score_samples(cells)).sum() * 1e-4 == pytest.approx(1, abs=1e-4)


def test_exact_where_a_tree_was_wrong():
    """20 columns, ordinary rows: scikit-learn is off by tens of nats there."""
    X, Y = rows(0, 2000, 20), rows(1, 50, 20)
    s = ((Y[:, None].astype(np.longdouble) - X) ** 2).sum(axis=2) / (2 * 0.3**2)
    low = s.min(axis=1, keepdims=True)
    wanted = np.log(np.exp(low - s).sum(axis=1)) - low[:, 0] - np.log(2000) - 20 * np.log(0.3) - 10 * np.log(2 * np.pi)
    found = KernelDensity(bandwidth=0.3).fit(X).score_samples(Y)
    np.testing.assert_allclose(found, wanted.astype(float), atol=1e-10)


@settings(max_examples=30, deadline=None)
@given(
    st.sampled_from(["gaussian", "logistic", "exponential"]), st.floats(-300, 300), st.floats(-8, 8), st.integers(1, 4)
)
def test_units_and_offsets_cost_nothing(kernel, shift, log_scale, d):
    X, Y, scale = rows(0, 40, d), 3 * rows(1, 10, d), 10.0**log_scale
    X, Y = np.round(X, 6), np.round(Y, 6)
    model = KernelDensity(kernel=kernel, bandwidth=0.5).fit(X)
    moved = KernelDensity(kernel=kernel, bandwidth=0.5 * scale).fit(scale * (X + shift))
    np.testing.assert_allclose(
        moved.score_samples(scale * (Y + shift)) + d * np.log(scale), model.score_samples(Y), rtol=1e-10, atol=1e-9
    )


def test_bandwidth_forms_agree():
    X = rows()
    scores = [KernelDensity(bandwidth=h).fit(X).score(X) for h in (0.5, [0.5, 0.5], [[0.25, 0.0], [0.0, 0.25]])]
    np.testing.assert_allclose(scores, scores[0], rtol=1e-12)
    H = np.array([[0.3, 0.1], [0.1, 0.2]])
    normal = np.mean([stats.multivariate_normal(x, H).pdf(X[:5]) for x in X], axis=0)
    np.testing.assert_allclose(KernelDensity(bandwidth=H).fit(X).score_samples(X[:5]), np.log(normal), rtol=1e-10)


def test_canonical_bandwidths():
    """The ratio of Epanechnikov's to the gaussian bandwidth in one dimension: 2.214 (Marron and Nolan 1988)."""
    X = rows(d=1)
    ratio = (
        KernelDensity(bandwidth="scott", kernel="epanechnikov").fit(X).bandwidth_
        / KernelDensity(bandwidth="scott").fit(X).bandwidth_
    )
    assert ratio == pytest.approx(15**0.2 / (1 / (2 * np.sqrt(np.pi))) ** 0.2)


def test_kish():
    X, w = rows(d=1), np.random.default_rng(0).uniform(0.1, 5, 80)
    n = w.sum() ** 2 / (w**2).sum()
    sd = np.sqrt(np.cov(X[:, 0], aweights=w, ddof=0) * n / (n - 1))
    model = KernelDensity(bandwidth="scott", weights="importance").fit(X, sample_weight=w)
    assert model.bandwidth_ == pytest.approx(sd * n**-0.2, rel=1e-9)
    again = KernelDensity(bandwidth="scott", weights="importance").fit(X, sample_weight=7 * w)
    assert again.bandwidth_ == pytest.approx(model.bandwidth_)


# Adaptive


def test_abramson_by_its_formula():
    X = rows(d=1)
    pilot = np.exp(KernelDensity(bandwidth=0.4).fit(X).score_samples(X))
    scales = (pilot / np.exp(np.log(pilot).mean())) ** -0.5
    model = KernelDensity(bandwidth=0.3, adaptive="abramson", pilot=0.4).fit(X)
    np.testing.assert_allclose(model.scales_, scales, rtol=1e-10)
    wanted = stats.norm.pdf(0.2, X[:, 0], 0.3 * scales).mean()
    assert model.score_samples([[0.2]]) == pytest.approx(np.log(wanted))


def test_nearest_neighbour_bandwidths():
    X = rows()
    distance = np.sort(np.linalg.norm(X[:, None] - X, axis=2), axis=1)[:, 5]
    model = KernelDensity(bandwidth=0.3, adaptive="k_nearest", n_neighbors=5).fit(X)
    np.testing.assert_allclose(model.scales_, distance / np.exp(np.log(distance).mean()), rtol=1e-10)
    weighted = KernelDensity(bandwidth=0.3, adaptive="k_nearest", n_neighbors=5)
    w = np.random.default_rng(0).integers(1, 4, len(X))
    weighted.fit(X, sample_weight=w)
    repeated = KernelDensity(bandwidth=0.3, adaptive="k_nearest", n_neighbors=5).fit(np.repeat(X, w, axis=0))
    np.testing.assert_allclose(np.repeat(weighted.scales_, w), repeated.scales_, rtol=1e-10)
    with pytest.raises(ValueError, match="take fewer neighbours"):
        KernelDensity(adaptive="k_nearest", n_neighbors=80).fit(X)


# Ends and circles


@pytest.mark.parametrize("boundary", ["reflect", "renormalize", "transform"])
@pytest.mark.parametrize("bounds", [(0, np.inf), (-np.inf, 3), (0, 3)])
@pytest.mark.parametrize("kernel", ["gaussian", "epanechnikov", "logistic"])
def test_ends_lose_no_mass(boundary, bounds, kernel):
    X = np.random.default_rng(0).beta(1, 2, (60, 1)) * 3
    model = KernelDensity(kernel=kernel, bandwidth=0.5, bounds=bounds, boundary=boundary).fit(X)
    if boundary == "transform":  # on the line, where narrow kernels are as wide as others
        line = Mapped(*bounds)
        t = np.linspace(-18, 18, 20_001)
        x = line.from_line(t)
        density = np.exp(model.score_samples(x[:, None]) - line.to_line(x)[1])
        assert np.trapezoid(density, t) == pytest.approx(1, abs=1e-6)
    else:
        assert mass_between(model, max(bounds[0], -40), min(bounds[1], 60)) == pytest.approx(1, abs=1e-6)
    outside = np.array([[b] for b in (bounds[0] - 1, bounds[1] + 1) if np.isfinite(b)])
    assert np.isneginf(model.score_samples(outside)).all()
    drawn = model.sample(2000, random_state=0)
    assert (drawn >= bounds[0]).all() and (drawn <= bounds[1]).all()
    assert stats.kstest(drawn[:, 0], lambda x: model.cdf(x[:, None])[:, 0]).pvalue > 1e-6


def test_reflection_by_its_formula():
    X, x = np.array([[0.2], [1.0]]), np.array([[0.1]])
    model = KernelDensity(bandwidth=0.5, bounds=(0, np.inf)).fit(X)
    wanted = (stats.norm.pdf(x - X, scale=0.5) + stats.norm.pdf(x + X, scale=0.5)).mean()
    assert model.score_samples(x) == pytest.approx(np.log(wanted))


def test_two_ends_far_from_narrow():
    """A bandwidth wider than the range: the density is flat, and images are many."""
    model = KernelDensity(bandwidth=30.0, bounds=(0, 2)).fit([[0.3]])
    np.testing.assert_allclose(model.score_samples([[0.0], [1.0], [2.0]]), -np.log(2), atol=1e-10)
    model = KernelDensity(bandwidth=30.0, periodic=2.0).fit([[0.3]])
    np.testing.assert_allclose(model.score_samples([[0.0], [1.0], [1.9]]), -np.log(2), atol=1e-10)


def test_images_and_folded_columns_agree(monkeypatch):
    from skgen.nonparametric import _mixture

    X = np.random.default_rng(0).random((50, 3))
    scores = {}
    for limit in (0, 1000):
        monkeypatch.setattr(_mixture, "MANY_IMAGES", limit)
        model = KernelDensity(bandwidth=0.2, bounds=(0, 1)).fit(X)
        scores[limit] = model.score_samples(X), model.leave_one_out_score_samples()
    np.testing.assert_allclose(scores[0], scores[1000], rtol=1e-11)


def test_wide_tables_with_ends():
    X = np.random.default_rng(0).random((50, 12))
    model = KernelDensity(bandwidth=0.2, bounds=(0, 1)).fit(X)
    assert np.isfinite(model.score_samples(X)).all() and (model.sample(500, random_state=0) <= 1).all()


@pytest.mark.parametrize("kernel", ["gaussian", "exponential", "triweight"])
def test_circles_close(kernel):
    X = np.random.default_rng(0).vonmises(2, 3, (60, 1))
    model = KernelDensity(kernel=kernel, bandwidth=0.4, periodic=2 * np.pi).fit(X)
    turns = model.score_samples(X + 2 * np.pi * np.array([[-3], [0], [1], [5]] * 15))
    np.testing.assert_allclose(turns, model.score_samples(X), atol=1e-9)
    assert mass_between(model, -np.pi, np.pi) == pytest.approx(1, abs=1e-6)
    wanted = sum(
        np.exp(KernelDensity(kernel=kernel, bandwidth=0.4).fit(X).score_samples(X + 2 * np.pi * k))
        for k in range(-9, 10)
    )
    np.testing.assert_allclose(np.exp(model.score_samples(X)), wanted, rtol=1e-9)
    drawn = model.sample(500, random_state=0)
    assert (np.abs(drawn) <= np.pi).all()


def test_rules_see_the_circle():
    """Angles around the cut have a small spread, not one of a whole turn."""
    x = np.mod(0.1 * rows(d=1), 2 * np.pi)
    circle, line = (KernelDensity(bandwidth="scott", periodic=p).fit(x).bandwidth_ for p in (2 * np.pi, None))
    assert (
        circle == pytest.approx(KernelDensity(bandwidth="scott").fit(0.1 * rows(d=1)).bandwidth_) and circle < line / 5
    )


# The sphere


@pytest.mark.parametrize("kernel", ["gaussian", "tophat", "exponential", "student_t"])
@pytest.mark.parametrize("bandwidth", [0.05, 0.5, 3.0])
def test_sphere_is_covered(kernel, bandwidth):
    model = KernelDensity(kernel=kernel, metric="haversine", bandwidth=bandwidth).fit([[0.5, 0.5]])
    height = lambda angle: np.exp(model.score_samples([[0.5 + angle, 0.5]])[0]) * np.sin(angle)  # noqa: E731
    pieces = np.append(np.geomspace(1e-4, 1, 30) * min(np.pi, 40 * bandwidth), np.pi)
    reach = bandwidth if kernel == "tophat" else None
    mass = quad(height, 0, np.pi, limit=500, points=[p for p in np.append(pieces, reach or 1) if p < np.pi])[0]
    assert 2 * np.pi * mass == pytest.approx(1, abs=1e-6)
    drawn = model.sample(3000, random_state=0)
    cosine = np.sin(0.5) * np.sin(drawn[:, 0]) + np.cos(0.5) * np.cos(drawn[:, 0]) * np.cos(drawn[:, 1] - 0.5)
    wanted = 2 * np.pi * quad(lambda t: np.cos(t) * height(t), 0, np.pi, limit=500, points=list(pieces[:-1]))[0]
    assert cosine.mean() == pytest.approx(wanted, abs=5 * cosine.std() / np.sqrt(3000) + 1e-6)


def test_von_mises_fisher_of_two_places():
    X, x = np.array([[0.3, 0.1], [-0.4, 2.0]]), np.array([0.2, 0.5])
    kappa = 1 / 0.6**2
    to_point = lambda t: np.array([np.cos(t[0]) * np.cos(t[1]), np.cos(t[0]) * np.sin(t[1]), np.sin(t[0])])  # noqa: E731
    wanted = np.mean([stats.vonmises_fisher(to_point(c), kappa).pdf(to_point(x)) for c in X])
    model = KernelDensity(metric="haversine", bandwidth=0.6).fit(X)
    assert model.score_samples([x]) == pytest.approx(np.log(wanted))


# Labels and whole numbers


def table(n=120):
    rng = np.random.default_rng(0)
    colour = rng.choice(["red", "green", "blue"], n, p=[0.5, 0.3, 0.2])
    return pd.DataFrame(
        {
            "size": rng.normal(0, 1, n) + (colour == "red"),
            "colour": colour,
            "count": rng.poisson(3, n),
            "sold": rng.random(n) < 0.3,
        }
    )


def test_laws_on_a_mixed_table():
    model = KernelDensity(
        discrete={"colour": "unordered", "count": "ordered"}, bounds={"count": (0, np.inf)}, bandwidth=0.6
    )
    for part, options in [
        (["size", "colour"], {"discrete": "auto"}),
        (["count", "sold"], {"discrete": {"count": "ordered"}, "bounds": {"count": (0, np.inf)}}),
    ]:
        verdicts = check_density_estimator(KernelDensity(bandwidth=0.6, **options), table()[part], laws=LAWS)
        assert {v.status for v in verdicts} <= {"kept", "not applicable"}
    drawn = model.fit(table()).sample(200, random_state=0)
    assert drawn.dtypes.equals(table().dtypes) and drawn["count"].min() >= 0


def test_discrete_kernels_by_their_formulas():
    X = table(30)
    model = KernelDensity(bandwidth=0.5, discrete={"count": "ordered"}, smoothing=[0.2, 0.3, 0.1]).fit(X)
    at = pd.DataFrame({"size": [0.1], "colour": ["red"], "count": [2], "sold": [True]})
    size = stats.norm.pdf(0.1, X["size"], 0.5)
    colour = np.where(X["colour"] == "red", 0.8, 0.1)
    steps = np.abs(X["count"] - 2)
    count = np.where(steps == 0, 0.7, 0.5 * 0.7 * 0.3**steps)
    sold = np.where(X["sold"], 0.9, 0.1)
    assert model.score_samples(at) == pytest.approx(np.log((size * colour * count * sold).mean()))
    unseen = at.assign(colour="mauve")
    assert np.isneginf(model.score_samples(unseen)).all()


def test_all_columns_discrete():
    X = table()[["colour", "sold"]]
    model = KernelDensity(discrete="auto").fit(X)
    cells = pd.DataFrame([(c, s) for c in ("red", "green", "blue") for s in (True, False)], columns=["colour", "sold"])
    assert np.exp(model.score_samples(cells)).sum() == pytest.approx(1)


def test_what_is_discrete_is_said():
    with pytest.raises(ValueError, match="give it as labels"):
        KernelDensity(discrete={"size": "unordered"}).fit(table())
    with pytest.raises(ValueError, match="give it as whole numbers"):
        KernelDensity(discrete={"colour": "ordered"}).fit(table())
    with pytest.raises(ValueError, match="no such feature"):
        KernelDensity(discrete={"price": "ordered"}).fit(table())
    with pytest.raises(ValueError, match="wants whole numbers"):
        KernelDensity(discrete={"size": "ordered"}).fit(table())


# Leaving out, conditionals, slopes, modes


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"kernel": "epanechnikov"},
        {"kernel": "logistic", "multivariate": "product"},
        {"bounds": {0: (-4.0, np.inf)}},
        {"periodic": {1: 7.0}},
        {"metric": "manhattan"},
        {"bandwidth": [[0.5, 0.1], [0.1, 0.3]]},
        {"metric": "haversine"},
        {"device": "cpu"},
    ],
    ids=str,
)
def test_leaving_out_is_fitting_without(options):
    X = rows()
    model = KernelDensity(**{"bandwidth": 0.8, **options}).fit(X)
    by_fits = cross_val_score(KernelDensity(**{"bandwidth": 0.8, **options}), X, cv=LeaveOneOut())
    np.testing.assert_allclose(model.leave_one_out_score_samples(), by_fits, atol=1e-9)


def test_leaving_out_of_weighted_rows():
    X, w = rows(), np.random.default_rng(0).integers(1, 4, 80)
    whole = KernelDensity().fit(np.repeat(X, w, axis=0)).leave_one_out_score_samples()
    np.testing.assert_allclose(
        np.repeat(KernelDensity().fit(X, sample_weight=w).leave_one_out_score_samples(), w), whole, atol=1e-10
    )
    model = KernelDensity(weights="importance").fit(X, sample_weight=w)
    first = KernelDensity().fit(X[1:], sample_weight=w[1:]).score_samples(X[:1])
    np.testing.assert_allclose(model.leave_one_out_score_samples()[:1], first, atol=1e-10)
    with pytest.raises(ValueError, match="nothing is left"):
        KernelDensity().fit(X[:1]).leave_one_out_score_samples()


@pytest.mark.parametrize(
    "options",
    [
        {"multivariate": "product", "kernel": "biweight"},
        {"bandwidth": [[0.5, 0.2, 0.0], [0.2, 0.4, 0.1], [0.0, 0.1, 0.3]]},
        {"bounds": {0: (-3.0, 3.0)}},
        {"bounds": {1: (-3.0, np.inf)}, "boundary": "renormalize"},
        {"bounds": {1: (-3.5, np.inf)}, "boundary": "transform"},
        {"periodic": {2: 8.0}},
        {"adaptive": "abramson"},
    ],
    ids=str,
)
def test_conditionals(options):
    """Distribution functions by differences of the density, their inverse, and draws that they make uniform."""
    X = np.clip(rows(d=3), -2.9, 2.9)
    model = KernelDensity(**{"bandwidth": 0.5, **options}).fit(X)
    drawn = model.sample(3000, random_state=0)
    U = model.conditional_cdf(drawn)
    for u in U.T:
        assert stats.kstest(u, "uniform").pvalue > 1e-5
    assert np.abs(np.corrcoef(U.T) - np.eye(3)).max() < 0.1
    np.testing.assert_allclose(model.conditional_ppf(U[:50]), drawn[:50], atol=1e-6)
    step = 1e-5
    up, down = drawn[:20].copy(), drawn[:20].copy()
    up[:, 2] += step
    down[:, 2] -= step
    slope = (model.conditional_cdf(up) - model.conditional_cdf(down))[:, 2] / (2 * step)
    last = np.log(slope)
    grid = np.linspace(-9, 9, 3001) if 2 not in model.setting_["periodic"] else np.linspace(-4, 4, 3001)
    for k in range(3):  # p(x) / p(x_1, x_2), the marginal by quadrature
        column = np.tile(drawn[k], (len(grid), 1))
        column[:, 2] = grid
        marginal = np.trapezoid(np.exp(model.score_samples(column)), grid)
        assert model.score_samples(drawn[[k]])[0] - np.log(marginal) == pytest.approx(last[k], abs=1e-3)


@pytest.mark.parametrize(
    "options", [{}, {"bandwidth": [[0.5, 0.3], [0.3, 0.4]]}, {"kernel": "triweight", "multivariate": "product"}]
)
def test_gaps_are_filled_by_the_conditional(options):
    X = rows(n=60) @ np.array([[1.0, 0.8], [0.0, 0.6]])
    model = KernelDensity(**{"bandwidth": 0.5, **options}).fit(X)
    gappy = np.tile([[np.nan, 0.7]], (4000, 1))
    filled = model.sample_conditional(gappy, random_state=0)
    assert (filled[:, 1] == 0.7).all()
    grid = np.linspace(-8, 8, 4001)
    density = np.exp(model.score_samples(np.column_stack([grid, np.full(4001, 0.7)])))
    cdf = np.cumsum(density) / density.sum()
    assert stats.kstest(filled[:, 0], lambda x: np.interp(x, grid, cdf)).pvalue > 1e-5


def test_labels_are_filled_too():
    X = table()
    model = KernelDensity(bandwidth=0.5, discrete="auto").fit(X)
    gappy = X.head(20).copy()
    gappy["colour"] = None
    gappy.loc[3, "size"] = np.nan
    filled = model.sample_conditional(gappy, random_state=0)
    assert not filled.isna().any().any() and set(filled["colour"]) <= {"red", "green", "blue"}


def test_distribution_function_and_quantiles():
    model = KernelDensity(bandwidth=0.3).fit(ERUPTIONS)
    x = np.array([[-30.0], [2.0], [4.0], [60.0]])
    np.testing.assert_allclose(
        model.cdf(x)[:, 0], [stats.norm.cdf(v, ERUPTIONS, 0.3).mean() for v in x[:, 0]], rtol=1e-10
    )
    u = np.array([[1e-200], [0.1], [0.5], [1 - 1e-12]])
    np.testing.assert_allclose(model.cdf(model.ppf(u)), u, rtol=1e-6)
    with pytest.raises(ValueError, match="conditional_cdf"):
        KernelDensity().fit(FAITHFUL).cdf(FAITHFUL)


@pytest.mark.parametrize("kernel", [k for k in KERNELS if k != "tophat"])
@pytest.mark.parametrize(
    "options", [{}, {"multivariate": "product"}, {"bandwidth": [[0.9, 0.3], [0.3, 0.8]]}, {"bounds": {0: (-3, 9)}}]
)
def test_gradient_is_the_slope(kernel, options):
    X, x, step = rows(), rows(1, 8), 1e-6
    if kernel == "student_t" and "bounds" in options:
        options = {"bounds": {0: (-3, np.inf)}}
    model = KernelDensity(**{"bandwidth": 1.1, "kernel": kernel, **options}).fit(X)
    x = np.maximum(x, -2.9)
    numeric = np.column_stack(
        [(model.score_samples(x + e) - model.score_samples(x - e)) / (2 * step) for e in step * np.eye(2)]
    )
    np.testing.assert_allclose(model.gradient(x), numeric, atol=2e-5)


def test_modes_are_where_the_slope_vanishes():
    for kernel in ("gaussian", "biweight", "logistic"):
        model = KernelDensity(kernel=kernel, bandwidth="silverman").fit(load_galaxies().data[:, :1])
        modes = model.modes()
        np.testing.assert_allclose(model.gradient(modes.rows) * model.bandwidth_, 0, atol=1e-6)
        assert (np.diff(modes.log_density) <= 0).all()
        for step in (-1e-3, 1e-3):
            assert (model.score_samples(modes.rows + step * model.bandwidth_) < modes.log_density).all()


@pytest.mark.parametrize("kernel", ["gaussian", "exponential", "triweight", "logistic", "student_t"])
def test_modes_are_all_local_maxima(kernel):
    """No top is missing, none is made up, and on smooth slopes each row has the top that it leads to."""
    X = np.random.default_rng(3).normal(size=(300, 1))
    model = KernelDensity(kernel=kernel, bandwidth=0.1).fit(X)
    x = np.linspace(-4, 4, 200_001)
    y = model.score_samples(x[:, None])
    tops = x[1:-1][(y[1:-1] > y[:-2]) & (y[1:-1] >= y[2:])]
    valleys = x[1:-1][(y[1:-1] < y[:-2]) & (y[1:-1] <= y[2:])]
    modes = model.modes()
    found = modes.rows[:, 0]
    np.testing.assert_allclose(np.sort(found), tops, atol=1e-4)
    if kernel == "exponential":  # steps go from cusp to cusp
        return
    between = np.searchsorted(valleys, X[:, 0])
    clear = np.abs(X - valleys).min(axis=1) > 0.01
    np.testing.assert_array_equal(np.searchsorted(np.sort(found), found[modes.labels])[clear], between[clear])


def test_tops_close_together_are_two():
    X = np.append(np.zeros(3), np.full(3, 0.25))[:, None]
    modes = KernelDensity(kernel="exponential").fit(X).modes()
    np.testing.assert_allclose(np.sort(modes.rows[:, 0]), [0, 0.25], atol=1e-7)
    np.testing.assert_allclose(modes.rows[modes.labels], X, atol=1e-7)
    np.testing.assert_allclose(modes.shares, 0.5)


@pytest.mark.parametrize(
    "kernel, bandwidth", [("gaussian", 0.08), ("triweight", 0.3), ("biweight", 0.25), ("logistic", 0.04)]
)
def test_labels_cross_no_valley(kernel, bandwidth):
    x = np.linspace(-4.5, 4.5, 100_001)
    for seed in range(4):
        X = np.random.default_rng(seed).normal(size=(200, 1))
        model = KernelDensity(kernel=kernel, bandwidth=bandwidth).fit(X)
        y, modes = model.score_samples(x[:, None]), model.modes()
        valleys = x[1:-1][(y[1:-1] < y[:-2]) & (y[1:-1] <= y[2:])]
        crossed = np.searchsorted(valleys, modes.rows[modes.labels, 0]) != np.searchsorted(valleys, X[:, 0])
        assert not crossed[np.abs(X - valleys).min(axis=1) > 0.02 * bandwidth].any()


@pytest.mark.parametrize("n", [100, 200, 1000])
def test_a_plateau_is_one_top(n):
    modes = KernelDensity(bandwidth=0.05).fit(np.linspace(0, 1, n)[:, None]).modes()
    assert len(modes.rows) == 1 and 0.3 < modes.rows[0, 0] < 0.7
    lattice = np.stack(np.meshgrid(np.arange(15.0), np.arange(15.0)), axis=-1).reshape(-1, 2)
    assert len(KernelDensity(bandwidth=2.0).fit(lattice).modes().rows) == 1


def test_climbs_that_do_not_end_are_told(monkeypatch):
    monkeypatch.setattr("skgen.nonparametric._ascent.MOST_STEPS", 10)
    x = np.linspace(-4, 4, 300)[:, None]
    model = KernelDensity(bandwidth=0.05).fit(x, sample_weight=1000 * np.exp(-(x[:, 0] ** 2) / 2))
    with pytest.warns(ConvergenceWarning, match="were still on their way") as caught:
        assert model.modes().last_step.max() > 1e-5
    assert caught[0].filename == __file__


def test_rows_on_a_lattice_have_tops_of_their_own():
    """Between equally spaced cusps there are valleys, however shallow."""
    X = np.linspace(0, 1, 50)[:, None]
    model = KernelDensity(kernel="exponential", bandwidth=0.1).fit(X)
    y = model.score_samples(X)
    tops = (y > model.score_samples(X - 1e-6)) & (y > model.score_samples(X + 1e-6))
    assert tops.sum() > 20
    np.testing.assert_allclose(np.sort(model.modes().rows[:, 0]), X[tops, 0], atol=1e-6)


def test_wide_hills_are_climbed_in_leaps():
    x = np.linspace(-4, 9, 1000)[:, None]
    weight = np.exp(-(x[:, 0] ** 2) / 2) + 0.5 * np.exp(-((x[:, 0] - 5) ** 2))
    model = KernelDensity(bandwidth=0.05).fit(x, sample_weight=1000 * weight)
    modes = model.modes()
    np.testing.assert_allclose(modes.rows, [[0], [5]], atol=1e-3)
    np.testing.assert_allclose(model.gradient(modes.rows), 0, atol=1e-6)
    assert modes.last_step.max() < 1e-9 and modes.n_iter.max() < 1000  # 4800 without leaps


def test_where_mean_shift_does_not_climb():
    X = rows()
    for options, sentence in [
        ({"kernel": "tophat"}, "flat"),
        ({"metric": "manhattan"}, "Euclidean"),
        ({"multivariate": "product", "kernel": "linear"}, "Euclidean"),
        ({"bounds": (-9, np.inf), "boundary": "transform"}, "transform"),
        ({"metric": "haversine"}, "sphere"),
    ]:
        with pytest.raises(ValueError, match=sentence):
            KernelDensity(**options).fit(X).modes()


def test_region_of_half_the_mass():
    model = KernelDensity(bandwidth=0.5).fit(rows())
    level = model.highest_density_threshold(0.5, random_state=0)
    grid = np.linspace(-5, 5, 801)
    scores = model.score_samples(np.stack(np.meshgrid(grid, grid), -1).reshape(-1, 2))
    mass = np.exp(scores[scores >= level]).sum() * (grid[1] - grid[0]) ** 2
    assert mass == pytest.approx(0.5, abs=0.01)


# Streams


def test_blocks_and_compression():
    X = np.vstack([rows(k, 500) + [4 * (k % 2), 0] for k in range(4)])
    whole, stream = KernelDensity(bandwidth=0.7).fit(X), KernelDensity(bandwidth=0.7, n_centers=100)
    for block in np.split(X, 4):
        stream.partial_fit(block)
    assert len(stream.centers_) == 100 and stream.weights_.sum() == 2000
    peak = 1 / (2 * np.pi * 0.7**2)
    error = np.abs(np.exp(stream.score_samples(X)) - np.exp(whole.score_samples(X))).max() / peak
    assert 0 < error <= stream.compression_error_ < 0.2
    with pytest.raises(ValueError, match="merged"):
        stream.leave_one_out_score_samples()


def test_few_distinct_rows_are_kept_exactly():
    X = np.repeat(rows(n=20), 30, axis=0)
    model = KernelDensity(n_centers=20).fit(X)
    assert len(model.centers_) == 20 and model.compression_error_ == pytest.approx(0, abs=1e-12)
    np.testing.assert_allclose(model.score_samples(X[:30]), KernelDensity().fit(X).score_samples(X[:30]), rtol=1e-12)


def test_tolerance_allows_the_grid():
    X = rows(0, 30_000)
    exact, near = (KernelDensity(bandwidth=0.1, rtol=rtol).fit(X).score_samples(X[:20_000]) for rtol in (0, 1e-3))
    assert 0 < np.abs(np.expm1(near - exact)).max() < 1e-3  # by another grid
    by_tree = KernelDensity(bandwidth=0.1, algorithm="kd_tree", leaf_size=200).fit(X).score_samples(X[:2000])
    np.testing.assert_allclose(exact[:2000], by_tree, rtol=0, atol=1e-10)


def test_rows_all_of_which_are_far():
    """No row is near the grid, and none inside the bounds."""
    model = KernelDensity(bandwidth=0.1).fit(rows(0, 30_000))
    assert np.isfinite(model.score_samples(np.full((5000, 2), 12.0) + rows(1, 5000))).all()
    bounded = KernelDensity(bounds=(-9, 9)).fit(rows())
    assert (bounded.gradient([[10.0, 0.0]]) == 0).all()


# Refusals and objects


@pytest.mark.parametrize(
    "options, sentence",
    [
        ({"metric": "hamming"}, "no densities. Take one of euclidean, l2"),
        ({"metric": "mahalanobis"}, "turned axes are a bandwidth"),
        ({"metric": max}, "volume of its balls"),
        ({"metric": "manhatan"}, "'metric' parameter"),
        ({"bandwidth": [0.0, 1.0]}, r"entries \[0.0, 1.0\]"),
        ({"bandwidth": [[1.0, 0.5], [0.0, 1.0]]}, "not symmetric"),
        ({"bandwidth": [1.0, 2.0, 3.0]}, "one for each continuous feature"),
        ({"bandwidth": [[1.0, 2.0], [2.0, 1.0]]}, "no positive definite"),
        ({"bandwidth": "plugin"}, "'bandwidth' parameter"),
        ({"bandwidth": -1.0}, "'bandwidth' parameter"),
        ({"bounds": (2, 1)}, "low < high"),
        ({"bounds": {5: (0, 1)}}, "no such feature"),
        ({"bounds": (0, np.inf)}, "wants numbers from 0"),
        ({"bounds": {0: (-9, 9)}, "periodic": {0: 3.0}}, "a circle has no ends"),
        ({"kernel": "student_t", "periodic": 3.0}, "have no end"),
        ({"boundary": "renormalize", "bounds": (-9, 9), "kernel": "linear"}, "multivariate='product'"),
        ({"metric": "haversine", "bandwidth": "scott"}, "knows no sphere"),
        ({"metric": "haversine", "algorithm": "kd_tree"}, "invalid metric"),
        ({"metric": "haversine", "bounds": (-9, 9)}, "does not go with bounds"),
        ({"bandwidth": "isj", "bandwidth_structure": "full"}, "no full matrix"),
        ({"kernel": StudentTKernel(1.5), "bandwidth": "scott"}, "variance"),
        ({"kernel": "tophat", "n_centers": 5}, "tophat"),
    ],
    ids=str,
)
def test_refusals(options, sentence):
    with pytest.raises(ValueError, match=sentence):
        KernelDensity(**options).fit(rows())


def test_constant_columns_have_names():
    X = pd.DataFrame({"a": [1.0, 2.0, 3.0], "b": [5.0, 5.0, 5.0]})
    with pytest.raises(ValueError, match="'b' is constant"):
        KernelDensity(bandwidth="scott").fit(X)
    assert np.isfinite(KernelDensity(bandwidth=1.0).fit(X).score(X))


def test_pickle_scores_alike():
    model = KernelDensity(bandwidth="scott", bounds=(-9, 9), adaptive="abramson").fit(rows())
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(again.score_samples(rows(1)), model.score_samples(rows(1)))


def test_one_row_and_many_columns():
    model = KernelDensity(bandwidth=2.0).fit(np.zeros((1, 1000)))
    assert model.score_samples(np.zeros((1, 1000)))[0] == pytest.approx(-500 * np.log(2 * np.pi * 4))


def test_search_over_bandwidth_and_kernel():
    grid = {"bandwidth": [500, 1000, 2000], "kernel": ["gaussian", "exponential", "logistic"]}
    X = load_galaxies().data[:, :1]
    search = GridSearchCV(KernelDensity(), grid, cv=3).fit(X)
    scores = {}
    for h in grid["bandwidth"]:
        for kernel in grid["kernel"]:
            log_k = {"gaussian": stats.norm, "exponential": stats.laplace, "logistic": stats.logistic}[kernel].logpdf
            folds = []
            for test in np.array_split(np.arange(len(X)), 3):
                rest = np.delete(X, test, axis=0)
                folds.append((logsumexp(log_k((X[test] - rest.T) / h), axis=1) - np.log(len(rest) * h)).mean())
            scores[h, kernel] = np.mean(folds)
    best = max(scores, key=scores.get)
    assert (search.best_params_["bandwidth"], search.best_params_["kernel"]) == best
    assert search.best_score_ == pytest.approx(scores[best], rel=1e-12)


# What a strict reader found


@pytest.mark.parametrize(
    "options",
    [{"bounds": (0, 10)}, {"bounds": (0, None)}, {"periodic": 10.0}, {"bounds": (0, 10), "boundary": "renormalize"}],
)
def test_quantiles_far_from_the_ends(options):
    model = KernelDensity(bandwidth=0.1, **options).fit([[5.0]])
    u = np.array([[1e-12], [1e-6], [1e-3], [0.5], [1 - 1e-6]])
    np.testing.assert_allclose(model.ppf(u)[:, 0], stats.norm.ppf(u[:, 0], 5, 0.1), rtol=1e-9)


def test_a_matrix_has_no_cut_kernels():
    options = {"bandwidth_structure": "full", "bounds": (0, np.inf), "boundary": "renormalize"}
    with pytest.raises(ValueError, match="does not allow"):
        KernelDensity(bandwidth="silverman", **options).fit(np.abs(rows()))


@pytest.mark.parametrize("options", [{"multivariate": "product"}, {"metric": "chebyshev"}])
def test_images_of_corners(options):
    """A compact kernel under a matrix reaches farther than its marginal bandwidth."""
    H, X = [[1, 0.9], [0.9, 1]], rows(n=5)
    model = KernelDensity(kernel="epanechnikov", bandwidth=H, periodic=1.02, **options).fit(X)
    plane = KernelDensity(kernel="epanechnikov", bandwidth=H, **options).fit(X)
    Y = rows(1, 20)
    turns = 1.02 * np.stack(np.meshgrid(np.arange(-9, 10), np.arange(-9, 10)), -1).reshape(-1, 2)
    wanted = sum(np.exp(plane.score_samples(Y + turn)) for turn in turns)
    np.testing.assert_allclose(np.exp(model.score_samples(Y)), wanted, rtol=1e-9)


def test_rules_see_what_the_metric_does():
    X = rows()
    plain = KernelDensity(bandwidth="silverman").fit(X)
    weighted = KernelDensity(bandwidth="silverman", metric="minkowski", metric_params={"p": 2, "w": [1.0, 100.0]}).fit(
        X
    )
    np.testing.assert_allclose(weighted.score_samples(X), plain.score_samples(X), rtol=1e-10)


def test_refusals_of_rules_reach_partial_fit():
    with pytest.raises(ValueError, match="no full matrix"):
        KernelDensity(bandwidth="isj", bandwidth_structure="full").partial_fit(rows())
    model = KernelDensity(bandwidth="scott").partial_fit([[1.0]])  # one row is only too few yet
    assert np.isfinite(model.partial_fit([[2.0], [4.0]]).score([[1.0]]))


def test_likelihood_rule_sees_the_ends():
    X = np.random.default_rng(0).exponential(size=(200, 1))
    chosen = KernelDensity(bandwidth="mlcv", bounds=(0, np.inf)).fit(X)
    for factor in (0.8, 1.25):
        other = KernelDensity(bandwidth=factor * chosen.bandwidth_[0], bounds=(0, np.inf)).fit(X)
        assert other.leave_one_out_score_samples().mean() < chosen.leave_one_out_score_samples().mean()


def test_adaptive_bandwidths_of_transformed_rows():
    """The logarithms have the pilot density: a log-normal sample is a normal one."""
    Z = rows(d=1)
    line = KernelDensity(bandwidth=0.5, adaptive="abramson").fit(Z)
    curve = KernelDensity(bandwidth=0.5, adaptive="abramson", bounds=(0, np.inf), boundary="transform").fit(np.exp(Z))
    np.testing.assert_allclose(curve.scales_, line.scales_, rtol=1e-9)


def test_compression_bound_follows_the_bandwidth():
    stream = KernelDensity(bandwidth="silverman", n_centers=50).partial_fit(100 * rows(0, 300, 1))
    whole = [100 * rows(0, 300, 1)]
    for k in range(1, 5):
        block = 0.01 * rows(k, 1000, 1)
        stream.partial_fit(block)
        whole.append(block)
    exact = KernelDensity(bandwidth=stream.bandwidth_).fit(np.vstack(whole))
    x = np.linspace(-400, 400, 4001)[:, None]
    peak = np.exp(KernelDensity(bandwidth=stream.bandwidth_).fit([[0.0]]).score_samples([[0.0]]))
    error = np.abs(np.exp(stream.score_samples(x)) - np.exp(exact.score_samples(x))).max() / peak[0]
    assert error <= stream.compression_error_
    stated = stream.compression_error_
    stream.set_params(n_centers=1000).partial_fit(0.01 * rows(9, 10, 1))  # no row is merged now, but rows were
    assert stream.compression_error_ > 0.1 * stated > 0
    with pytest.raises(ValueError, match="transform"):
        KernelDensity(n_centers=5, bounds=(-9, 9), boundary="transform").fit(rows())


def test_leaving_out_of_wild_weights():
    X = rows(n=5, d=1)
    model = KernelDensity().fit(X, sample_weight=[1e10, 1, 1, 1, 1])
    wanted = KernelDensity().fit(X[:4], sample_weight=[1e10, 1, 1, 1]).score_samples(X[4:])
    np.testing.assert_allclose(model.leave_one_out_score_samples()[4:], wanted, rtol=1e-12)
    with pytest.raises(ValueError, match="nothing is left"):
        KernelDensity(weights="importance").fit(X[:1], sample_weight=[5.0]).leave_one_out_score_samples()
    with pytest.raises(ValueError, match="merged"):
        KernelDensity(n_centers=2).fit(np.repeat(X[:2], 3, axis=0)).leave_one_out_score_samples()


def test_weights_on_a_circle_are_frequencies():
    x, w = np.random.default_rng(0).uniform(0, 6, (40, 1)), np.random.default_rng(1).integers(1, 5, 40)
    circle = KernelDensity(bandwidth="silverman", periodic=2 * np.pi)
    repeated = circle.fit(np.repeat(x, w, axis=0)).bandwidth_
    assert circle.fit(x, sample_weight=w).bandwidth_ == pytest.approx(repeated)


def test_a_saddle_is_no_mode():
    model = KernelDensity().fit([[-2.0], [0.0], [2.0]], sample_weight=[100, 1, 100])
    assert np.abs(model.modes().rows).round(1).tolist() == [[2.0], [2.0]]
    circle = KernelDensity(bandwidth=0.3, periodic=2 * np.pi).fit([[np.pi - 0.1], [-np.pi + 0.1]])
    assert len(circle.modes().rows) == 1
    frame = pd.DataFrame({"a": [0.0, 5.0], "b": [1.0, 7.0]})
    assert list(KernelDensity().fit(frame).modes().rows.columns) == ["a", "b"]


def test_distribution_function_beyond_the_ends():
    X = np.random.default_rng(0).exponential(size=(20, 1))
    for boundary in ("reflect", "renormalize", "transform"):
        model = KernelDensity(bounds=(0, np.inf), boundary=boundary).fit(X)
        assert model.cdf([[-1.0], [0.0]])[:, 0] == pytest.approx([0, 0], abs=1e-12)


def test_draws_of_many_cut_columns():
    model = KernelDensity(bounds=(0, np.inf), boundary="renormalize").fit(np.zeros((1, 22)))
    assert (model.sample(50, random_state=0) >= 0).all()


@pytest.mark.parametrize("scale", [1e-200, 1e200])
def test_rules_at_any_scale(scale):
    X = rows(d=1)
    for rule in ("scott", "nrd0", "isj", "sheather_jones", "plug_in", "scv"):
        chosen = KernelDensity(bandwidth=rule).fit(X * scale).bandwidth_
        assert chosen == pytest.approx(scale * KernelDensity(bandwidth=rule).fit(X).bandwidth_, rel=1e-6)


def test_a_million_bandwidths_between_clusters():
    """Distances are taken before they are divided by the bandwidth."""
    X = np.array([[0.0], [0.013], [1e6], [1e6 + 0.017]])
    x = np.array([[0.31], [1e6 + 0.29]])
    wanted = np.log(np.mean(stats.norm.pdf((x - X.T) / 0.1), axis=1) / 0.1)
    np.testing.assert_allclose(KernelDensity(bandwidth=0.1).fit(X).score_samples(x), wanted, rtol=0, atol=1e-10)


@pytest.mark.parametrize("n", [40, 2000])  # by numpy, compiled
@pytest.mark.parametrize("bandwidth", [0.1, [0.1, 0.2], [[0.01, 0.005], [0.005, 0.04]]], ids=str)
@pytest.mark.parametrize("kernel", ["gaussian", "epanechnikov"])
def test_clusters_do_not_blur_each_other(kernel, bandwidth, n):
    """Between clusters that are a million bandwidths apart, each is scored as it would be alone."""
    rng = np.random.default_rng(0)
    near = np.round(rng.standard_normal((n, 2)) * 2**20) / 2**20  # so that a shift rounds nothing
    options = {"bandwidth": bandwidth, "kernel": kernel}
    both = KernelDensity(**options).fit(np.vstack([near, near + 2.0**17]))
    alone = KernelDensity(**options).fit(near)
    for shift in (0.0, 2.0**17):
        found, wanted = both.score_samples(near + shift), alone.score_samples(near) - np.log(2)
        np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-10)
        np.testing.assert_allclose(both.gradient(near + shift), alone.gradient(near), rtol=1e-10, atol=1e-9)
    left_out = both.leave_one_out_score_samples()
    np.testing.assert_allclose(left_out[:n], left_out[n:], rtol=0, atol=1e-10)


@pytest.mark.parametrize(
    "options, sentence",
    [
        ({"bounds": {0: 5}}, "give a pair"),
        ({"bounds": {0: ("a", "b")}}, "give a pair"),
        ({"periodic": {0: 0}}, "number above 0"),
        ({"periodic": {0: np.inf}}, "number above 0"),
        ({"smoothing": [0.1, 0.2]}, "0 discrete features"),
        ({"adaptive": "abramson", "pilot": [1.0, 2.0, 3.0]}, "pilot is a positive number"),
        ({"multivariate": "product", "metric": "manhattan"}, "measures no distance"),
        ({"metric": "minkowski", "metric_params": {"p": np.nan}}, "at least 1"),
    ],
    ids=str,
)
def test_more_refusals(options, sentence):
    with pytest.raises(ValueError, match=sentence):
        KernelDensity(**options).fit(rows())
    with pytest.raises(ValueError, match="radians"):
        KernelDensity(metric="haversine", bandwidth=0.1).fit([[48.1, 11.5]])


def test_a_model_of_another_machine_opens_here():
    model = KernelDensity(device="cpu").fit(rows())
    state = pickle.loads(pickle.dumps(model)).__getstate__()
    state["setting_"] = {**state["setting_"], "device": "cuda:77"}
    opened = KernelDensity()
    opened.__setstate__(state)
    np.testing.assert_allclose(opened.score_samples(rows()), model.score_samples(rows()), rtol=1e-10)
