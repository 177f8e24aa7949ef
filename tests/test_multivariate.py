"""Multivariate families: densities of other software, score equations, standard errors, refusals."""

import numpy as np
import pytest
from scipy import stats
from scipy.special import digamma

from skgen import supports
from skgen.base import UnboundedLikelihood
from skgen.parametric import Dirichlet, DirichletMultinomial, Normal, PointMass, Poisson, VonMisesFisher, Wishart
from skgen.parametric._bessel import bessel_ratio, inverse_bessel_ratio, log_bessel_ie
from skgen.parametric._compositions import log_multichoose
from skgen.parametric._directions import axial_gaps
from skgen.parametric._maximum import differences
from skgen.parametric._simplex import dirichlet_precision, dirichlet_rows, inverse_digamma

WIDTHS = [(cls, d) for cls in (Dirichlet, VonMisesFisher, Wishart, DirichletMultinomial) for d in (1, 2, 5)]
MODELS = sorted({(cls, cls.support.width(d)) for cls, d in WIDTHS}, key=str)


def drawn(cls, d, n=300, seed=0):
    return cls.support.draw(np.random.default_rng(seed), n, d)


@pytest.fixture(params=MODELS, ids=lambda pair: f"{pair[0].__name__}-{pair[1]}")
def fitted(request):
    cls, d = request.param
    X = drawn(cls, d)
    return cls().fit(X), X


# Densities


def reference(model, X):
    """The log-densities by scipy."""
    if isinstance(model, Dirichlet):
        return stats.dirichlet.logpdf((X / X.sum(axis=1, keepdims=True)).T, model.concentration_)
    if isinstance(model, VonMisesFisher):
        return stats.vonmises_fisher.logpdf(X, model.mean_direction_, model.concentration_)
    if isinstance(model, Wishart):
        return stats.wishart.logpdf(np.moveaxis(supports.matrices(X), 0, -1), model.df_, model.scale_)
    totals = X.sum(axis=1)
    given_total = [
        stats.dirichlet_multinomial.logpmf(x, model.concentration_, n) if n else 0.0  # which scipy 1.13 refuses
        for x, n in zip(X, totals, strict=True)
    ]
    return np.array(given_total) + model.total_.score_samples(totals[:, None])


def test_the_density_is_that_of_scipy(fitted):
    model, X = fitted
    np.testing.assert_allclose(model.score_samples(X[:40]), reference(model, X[:40]), rtol=1e-10, atol=1e-10)


def test_moments_and_entropy_are_those_of_the_draws(fitted):
    model, _ = fitted
    rows = model.sample(200_000, random_state=0)
    spread = np.sqrt(model.var() / len(rows))
    assert np.abs((rows.mean(axis=0) - model.mean()) / spread).max() < 4.5
    np.testing.assert_allclose(rows.var(axis=0), model.var(), rtol=0.06)
    if hasattr(model, "_entropy"):
        scores = model.score_samples(rows)
        assert abs(scores.mean() + model.entropy()) < 4.5 * scores.std() / np.sqrt(len(rows))


@pytest.mark.parametrize("cls, d", [(Dirichlet, 3), (VonMisesFisher, 4), (Wishart, 6)])
def test_no_draw_is_denser_than_the_mode(cls, d):
    model = cls().fit(drawn(cls, d))
    assert model.score_samples(model.mode()[None]) >= model.score_samples(model.sample(5000, random_state=0)).max()


def test_modes_that_are_none():
    model = Dirichlet().fit(dirichlet_rows(np.array([0.5, 2.0, 3.0]), 2000, np.random.default_rng(0)))
    assert np.isnan(model.mode()).all()
    assert np.isnan(Wishart(df=2.5).fit(drawn(Wishart, 3)).mode()).all()


# Fits


def log_likelihood(model, X, **parameters):
    for name, value in parameters.items():
        setattr(model, name, value)
    return model._log_prob(X, None).sum()


def free(model):
    """The parameters as numbers u around the fit, and the way back."""
    if isinstance(model, Dirichlet | DirichletMultinomial):
        alpha = model.concentration_
        return len(alpha), lambda u: {"concentration_": alpha * np.exp(u)}
    if isinstance(model, Wishart):
        df, V, k = model.df_, model.scale_, model.n_features_in_
        return k + 1, lambda u: {
            "df_": df * np.exp(u[0]),
            "scale_": V + supports.matrices(u[None, 1:])[0] * np.sqrt(np.outer(np.diag(V), np.diag(V))),
        }
    kappa, mu = model.concentration_, model.mean_direction_
    tangent = np.linalg.qr(np.column_stack([mu, np.eye(len(mu))]))[0][:, 1:]

    def back(u):
        turned = mu + tangent @ u[1:]
        return {"concentration_": kappa * np.exp(u[0]), "mean_direction_": turned / np.linalg.norm(turned)}

    return len(mu), back


def curvature(model, X):
    size, back = free(model)
    value, gradient, hessian = differences(lambda u: log_likelihood(model, X, **back(u)), np.zeros(size))
    log_likelihood(model, X, **back(np.zeros(size)))
    return gradient / len(X), hessian, back


def test_the_score_is_zero_at_the_fit(fitted):
    model, X = fitted
    assert np.abs(curvature(model, X)[0]).max() < 1e-9


def test_standard_errors_are_those_of_the_curvature(fitted):
    """The delta method carries the inverse Hessian to the parameters."""
    model, X = fitted
    errors = model.standard_errors(X)
    _, hessian, back = curvature(model, X)
    covariance = np.linalg.inv(-hessian)
    for name, error in errors.items():
        steps = 1e-5 * np.eye(len(covariance))
        slopes = np.array([(np.ravel(back(s)[name]) - np.ravel(back(-s)[name])) / 2e-5 for s in steps])
        expected = np.sqrt(np.einsum("ij,ik,kj->j", slopes, covariance, slopes)).reshape(error.shape)
        np.testing.assert_allclose(error, expected, rtol=2e-4, atol=1e-9)


@pytest.mark.parametrize("cls, d", [(Dirichlet, 3), (VonMisesFisher, 3), (Wishart, 3), (DirichletMultinomial, 3)])
def test_estimates_scatter_as_their_standard_errors_say(cls, d):
    truth = cls().fit(drawn(cls, d))
    z = []
    for seed in range(60):
        X = truth.sample(400, random_state=seed)
        again = cls().fit(X)
        errors = again.standard_errors(X)
        z.append(np.concatenate([np.ravel((getattr(again, k) - getattr(truth, k)) / errors[k]) for k in errors]))
    spread = np.sqrt(np.mean(np.square(z), axis=0))
    assert ((spread > 0.7) & (spread < 1.35)).all()


def test_a_fixed_df_is_kept_without_error():
    X = drawn(Wishart, 3)
    model = Wishart(df=7).fit(X)
    assert model.df_ == 7 and model._n_parameters() == Wishart().fit(X)._n_parameters() - 1
    np.testing.assert_allclose(model.mean(), X.mean(axis=0))
    assert model.standard_errors(X)["df_"] == 0
    with pytest.raises(ValueError, match="df is more than 1"):
        Wishart(df=0.5).fit(X)


def test_wishart_of_one_column_is_gamma():
    X = np.random.default_rng(0).gamma(3, 2, size=(500, 1))
    model = Wishart().fit(X)
    shape, _, scale = stats.gamma.fit(X, floc=0)
    np.testing.assert_allclose([model.df_ / 2, 2 * model.scale_[0, 0]], [shape, scale], rtol=1e-5)


def test_uniform_directions_have_next_to_no_concentration():
    X = np.eye(3)[[0, 0, 1, 1, 2, 2]] * np.array([1, -1] * 3)[:, None]
    model = VonMisesFisher().fit(X)
    assert model.concentration_ == 0
    np.testing.assert_allclose(model.score_samples(X), -np.log(4 * np.pi))
    assert np.isfinite(model.sample(5, random_state=0)).all()


@pytest.mark.parametrize("kappa", [1e-6, 3.0, 1e3, 1e9])
@pytest.mark.parametrize("d", [2, 3, 1000])
def test_draws_lie_as_far_from_the_mean_direction_as_they_should(d, kappa):
    """The mean of 1 - mu'x is one minus the ratio of Bessel functions."""
    gap = axial_gaps(kappa, d, 100_000, np.random.default_rng(0))
    expected = 1 - bessel_ratio(d / 2, kappa) if kappa < 1e6 else (d - 1) / (2 * kappa)
    assert abs(gap.mean() - expected) < 4.5 * gap.std() / np.sqrt(len(gap))


@pytest.mark.parametrize("d, spread", [(2, 1e-5), (500, 1e-3)])
def test_narrow_directions_keep_their_digits(d, spread):
    """Far from the uniform distribution it is a normal one in the tangent plane."""
    rng = np.random.default_rng(0)
    Z = np.column_stack([np.ones(2000), spread * rng.standard_normal((2000, d - 1))])
    model = VonMisesFisher().fit(Z / np.linalg.norm(Z, axis=1, keepdims=True))
    assert model.concentration_ * spread**2 == pytest.approx(1, rel=0.1)
    assert model.score(Z / np.linalg.norm(Z, axis=1, keepdims=True)) == pytest.approx(-model.entropy(), rel=1e-6)


def test_what_varies_no_more_than_multinomial_counts_is_at_the_end_of_the_range():
    X = np.random.default_rng(0).permuted(np.tile([3, 4, 5], (200, 1)), axis=1)
    model = DirichletMultinomial().fit(X)
    assert model.concentration_.sum() == pytest.approx(12e6)
    multinomial = stats.multinomial(12, X.mean(axis=0) / 12).logpmf(X)
    np.testing.assert_allclose(model.score_samples(X), multinomial, atol=1e-4)
    assert np.isnan(model.standard_errors(X)["concentration_"]).all()
    assert isinstance(model.total_, PointMass) and model.score_samples([[4, 4, 5]]) == -np.inf


def test_totals_have_the_density_that_was_given():
    X = drawn(DirichletMultinomial, 3)
    model = DirichletMultinomial(Poisson()).fit(X)
    assert model.total_.rate_ == pytest.approx(X.sum(axis=1).mean())
    assert model._n_parameters() == 4


# Extremes


def test_zero_parts_score_neither_nan_nor_infinity():
    model = Dirichlet().fit(dirichlet_rows(np.array([0.5, 2.0, 1.0]), 2000, np.random.default_rng(0)))
    scores = model.score_samples([[0.0, 0.5, 0.5], [0.5, 0.0, 0.5], [0.0, 0.0, 1.0]])
    assert np.isfinite(scores[0]) and (scores[1:] == -np.inf).all()


def test_counts_beyond_all_measure():
    model = DirichletMultinomial().fit(drawn(DirichletMultinomial, 3))
    scores = model.score_samples([[1e308, 1e308, 1e308], [1e300, 0, 1], [0, 0, 0]])
    assert (scores[:2] < -1e9).all() and np.isfinite(scores[2])


@pytest.mark.parametrize("concentration", [[1e-3, 1e-3], [1e-2, 5.0, 300.0], [1e8, 2e8, 1e7]])
def test_concentrations_of_any_size_are_found_again(concentration):
    concentration = np.array(concentration)
    mean_log = digamma(concentration) - digamma(concentration.sum())
    found = inverse_digamma(digamma(dirichlet_precision(mean_log)) + mean_log)
    np.testing.assert_allclose(found, concentration, rtol=1e-6)


def test_rising_factorials_do_not_cancel():
    assert log_multichoose(1e12, 1.0) == pytest.approx(0, abs=1e-12)
    assert log_multichoose(1.0, 1e12) == pytest.approx(np.log(1e12), rel=1e-15)
    assert log_multichoose(3.0, 2.5) == pytest.approx(np.log(2.5 * 3.5 * 4.5 / 6), rel=1e-14)


# Bessel functions: log(e^-x I) and the ratio to the order below, by mpmath 1.3 with 60 digits

MPMATH = [
    (0.5, 0.3, -1.1128224993880242, 0.2913126124515909),
    (1, 1e-08, -19.11382793451231, 5e-09),
    (1, 3.0, -1.6254315652763005, 0.8099852939565045),
    (2, 50.0, -2.912827787291878, 0.9701530815756276),
    (1.5, 10000.0, -5.524208724193097, 0.9999),
    (25, 0.1, -132.99681590815536, 0.0019999923077492873),
    (49.5, 60.0, -22.539556012816792, 0.4724898980425483),
    (500, 1e-08, -12168.24442072631, 1.0000000000000001e-11),
    (500, 1000.0, -127.0004513048602, 0.6181868129101049),
    (500, 100000.0, -7.925403661525984, 0.9950174500844984),
    (1, 100000000.0, -10.129278908930855, 0.999999995),
]


@pytest.mark.parametrize("order, x, log_ie, ratio", MPMATH)
def test_bessel_functions(order, x, log_ie, ratio):
    assert log_bessel_ie(order, x) == pytest.approx(log_ie, rel=2e-14, abs=2e-14)
    assert bessel_ratio(order, x) == pytest.approx(ratio, rel=1e-15)
    if ratio < 0.999:
        assert inverse_bessel_ratio(order, ratio) == pytest.approx(x, rel=1e-12)


def test_bessel_functions_at_the_ends():
    assert log_bessel_ie(0, 0.0) == pytest.approx(0, abs=1e-14) and log_bessel_ie(2, 0.0) == -np.inf
    assert np.isfinite(log_bessel_ie(1.5, [1e-300, 1e300])).all()
    assert bessel_ratio(1, [0.0, 1e300]).tolist() == [0, 1]
    assert inverse_bessel_ratio(1, [0.0, 1.0]).tolist() == [0, np.inf]


# Refusals


@pytest.mark.parametrize("cls, d", [(cls, d) for cls, d in MODELS if cls is not DirichletMultinomial])
def test_equal_rows_are_refused(cls, d):
    with pytest.raises(UnboundedLikelihood, match="PointMass"):
        cls().fit(np.tile(drawn(cls, d)[:1], (5, 1)))


@pytest.mark.parametrize(
    "model, X, reason",
    [
        (Dirichlet(), [[0.5, 0.5], [0.0, 1.0]], r"X\[1, 0\] = 0. Replace zeros"),
        (Dirichlet(), [[0.5, 0.5], [0.5, 0.6]], "Divide each row by its sum"),
        (Dirichlet(), [[1.0], [1.0]], "all rows are equal"),
        (VonMisesFisher(), [[1.0], [-1.0]], "two columns or more"),
        (VonMisesFisher(), [[3.0, 4.0], [1.0, 0.0]], "Divide each row by its length"),
        (Wishart(), [[1.0, 0.0], [2.0, 0.0]], "lower triangle .* got 2 columns"),
        (Wishart(), [[1.0, 2.0, 1.0], [2.0, 0.0, 1.0]], "positive definite"),
        (DirichletMultinomial(), [[1], [2]], "NegativeBinomial"),
        (DirichletMultinomial(), [[1, 0], [0, 1]], "no row counts more than one"),
        (DirichletMultinomial(Normal()), [[1, 2], [3, 2]], "Normal is one of real numbers"),
        (DirichletMultinomial(), [[1, 0, 3], [2, 0, 1]], r"X\[:, 1\] is always zero"),
    ],
    ids=str,
)
def test_what_has_no_fit_is_refused(model, X, reason):
    with pytest.raises(ValueError, match=reason):
        model.fit(X)


@pytest.mark.parametrize("support", [supports.sphere, supports.simplex, supports.positive_definite, supports.counts])
def test_supports_of_whole_rows(support):
    for d in {support.width(k) for k in range(1, 8)}:
        rows = support.draw(np.random.default_rng(0), 50, d)
        assert rows.shape == (50, d) and support.contains(rows).all() and support.width(d) == d
    assert not support.contains(np.full((1, 3), -2.0)).any()


def test_cholesky_factors_of_many_matrices():
    S = supports.matrices(supports.positive_definite.draw(np.random.default_rng(0), 20, 10))
    np.testing.assert_allclose(supports.cholesky(S), np.linalg.cholesky(S), rtol=1e-12, atol=1e-12)
    singular = np.ones((1, 2, 2))
    assert np.isnan(supports.cholesky(np.concatenate([singular, -np.eye(2)[None], 0 * singular]))[:, -1, -1]).all()
