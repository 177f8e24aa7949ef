r"""The search over bandwidth matrices, full or diagonal, that all criteria in several dimensions share.

A criterion is a function of the matrix H, a covariance, that gives a number and its derivative by H. The search goes
over :math:`H = R L L^T R^T` with :math:`R R^T` the normal reference and L lower triangular (diagonal for one bandwidth
per feature), its diagonal in logarithms.
"""

import numpy as np
from scipy.optimize import minimize
from scipy.special import gammaln

from skgen.nonparametric._bandwidth._rules import silverman_factor
from skgen.nonparametric._bandwidth._search import first_valley, warn_at_bounds

RATIO = 1.25  # of neighbours on the grid that looks for the first valley
LOW, HIGH = 0.04, 4.0  # the bracket, as multiples of the normal reference
SINGULAR = 1e-10  # of correlations: the smallest eigenvalue


def search(criterion, sample, structure, rule, *, follow=True, high=HIGH):
    """The bandwidth matrix at a local minimum of a criterion.

    Parameters
    ----------
    criterion : callable
        From H of shape (n_features, n_features) to the value and its derivative by H, of the same shape.
    sample : Sample
        Rows of unit scale.
    structure : {"diag", "full"}
        Whether H is diagonal.
    rule : str
        Who asks, for warnings.
    follow : bool, default=True
        Whether the criterion is first followed down the multiples of the normal reference to its first minimum, as a
        criterion with a spurious minimum near zero needs it.
    high : float, default=4
        The upper end of the bracket, as a multiple of the normal reference.

    Returns
    -------
    ndarray of shape (n_features, n_features)

    Warns
    -----
    ConvergenceWarning
        If the search ends at an end of its bracket.
    """
    d = sample.X.shape[1]
    root = reference_root(sample, structure) * silverman_factor(sample.n, d)
    start = 1.0
    if follow:
        start = np.sqrt(np.prod(first_valley(lambda c: criterion(c**2 * root @ root.T)[0], LOW, high, RATIO)))
    rows, columns = np.tril_indices(d) if structure == "full" else np.diag_indices(d)
    diagonal = rows == columns
    unit = abs(criterion(start**2 * root @ root.T)[0])

    def matrix(theta):
        L = np.zeros((d, d))
        L[rows, columns] = np.where(diagonal, np.exp(theta), theta)
        return L

    def objective(theta):
        L = matrix(theta)
        A = root @ L
        value, slope = criterion(A @ A.T)
        by_L = (2 * root.T @ slope @ A)[rows, columns]
        return value / unit, np.where(diagonal, by_L * np.exp(np.where(diagonal, theta, 0)), by_L) / unit

    log_low, log_high = np.log(LOW), np.log(high)
    found = minimize(
        objective,
        np.where(diagonal, np.log(np.clip(start, LOW * 1.01, high / 1.01)), 0.0),
        jac=True,
        method="L-BFGS-B",
        bounds=[(log_low, log_high) if on else (-high, high) for on in diagonal],
        options={"ftol": 1e-15, "gtol": 1e-9, "maxiter": 500, "maxcor": 30},
    )
    warn_at_bounds(found.x[diagonal], log_low, log_high, rule)
    A = root @ matrix(found.x)
    return A @ A.T


def oversmoothed(d):
    """The oversmoothed bandwidth of Terrell (1990, "The maximal smoothing principle") over that of the normal law."""
    log_n = ((d + 6) / 2) * np.log(d + 8) - d * np.log(2) - np.log(16 * (d + 2)) - gammaln(d / 2 + 4)
    return np.exp(log_n / (d + 4)) / silverman_factor(1.0, d)


def reference_root(sample, structure):
    """A square root R of the covariance, lower triangular, or of its diagonal.

    Parameters
    ----------
    sample : Sample
        Rows of unit scale.
    structure : {"diag", "full"}
        Which of the two.

    Returns
    -------
    ndarray of shape (n_features, n_features)

    Raises
    ------
    ValueError
        If a full matrix is wanted and the columns are linearly dependent.
    """
    if structure == "diag":
        return np.diag(sample.scale)
    covariance = sample.covariance
    if np.linalg.eigvalsh(covariance)[0] < SINGULAR:
        raise ValueError(
            "No full bandwidth matrix can be learned from columns that depend linearly on each other. "
            "Take one bandwidth per feature, or leave a column out."
        )
    return np.linalg.cholesky(covariance)
