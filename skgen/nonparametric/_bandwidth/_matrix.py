r"""The search over bandwidth matrices, full or diagonal, that all criteria in several dimensions share.

A criterion is a function of the matrix H, a covariance, that gives a number and its derivative by H. The search goes
over :math:`H = R L L^T R^T` with :math:`R R^T` the normal reference and L lower triangular (diagonal for one bandwidth
per feature), its diagonal in logarithms.
"""

import numpy as np
from scipy.optimize import minimize
from scipy.special import gammaln

from skgen.base import UnboundedLikelihood
from skgen.nonparametric._bandwidth._lags import clump_scale
from skgen.nonparametric._bandwidth._rules import silverman_factor
from skgen.nonparametric._bandwidth._search import first_valley, largest_minimum, warn_of_end

RATIO = 1.25  # of neighbours on the grid that looks for the first valley
LOW, HIGH = 0.04, 4.0  # the bracket, as multiples of the normal reference
SINGULAR = 1e-10  # of correlations: the smallest eigenvalue


def search(criterion, sample, structure, rule):
    """The bandwidth matrix at a local minimum of a criterion that has no other one, from the normal reference.

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

    Returns
    -------
    ndarray of shape (n_features, n_features)

    Warns
    -----
    ConvergenceWarning
        If there is none inside the bracket; the best multiple of the normal reference is then the answer.
    """
    root = reference_root(sample, structure) * silverman_factor(sample.n, sample.X.shape[1])
    H = _descend(criterion, root, structure, 1.0)
    return _best_multiple(criterion, root, (LOW, HIGH), rule) if H is None else H


def guarded_search(criterion, sample, structure, rule, high=HIGH):
    """The bandwidth matrix at the first local minimum below the smooth end, where ties make a spurious one near zero.

    The criterion is followed down the multiples of the normal reference to its first valley, and from there over all
    matrices. If that descent leaves the bracket, the bottom of the valley is the answer.

    Parameters
    ----------
    criterion, sample, structure, rule
        As in `search`.
    high : float, default=4
        Where the multiples begin.

    Returns
    -------
    ndarray of shape (n_features, n_features)

    Warns
    -----
    ConvergenceWarning
        If there is no minimum inside the bracket: of the matrices, or even of the multiples.
    """
    root = reference_root(sample, structure) * silverman_factor(sample.n, sample.X.shape[1])
    low = LOW * clumping(sample)
    left, right = first_valley(lambda c: criterion(c**2 * root @ root.T)[0], low, high, RATIO)
    if left == right:
        if not (rule == "bcv" and left == high):  # the oversmoothed matrix
            warn_of_end(rule, "lower" if left == low else "upper")
        return left**2 * root @ root.T
    H = _descend(criterion, root, structure, np.sqrt(left * right), low)
    return _best_multiple(criterion, root, (left, right), rule) if H is None else H


def _best_multiple(criterion, root, bracket, rule):
    """The multiple of the reference with the largest local minimum, where a descent over matrices finds none."""
    warn_of_end(rule, "matrix")
    reference = root @ root.T
    return largest_minimum(lambda c: criterion(c**2 * reference)[0], *bracket, rule) ** 2 * reference


def clumping(sample):
    """How much narrower than the rows clumps of them are, at most 1: so much further down reaches a bracket.

    Parameters
    ----------
    sample : Sample
        Of some features.

    Returns
    -------
    float
    """
    columns = [sample.column(j) for j in range(sample.X.shape[1])]
    pairs = [(column, scale) for column, scale in zip(columns, sample.scale, strict=True)]
    narrow = [clump_scale(column, parts) / scale for column, scale in pairs for parts in (4, 16)]
    return min([1.0, *(share for share in narrow if share > 0)])


def _descend(criterion, root, structure, start, least=LOW):
    """The minimum from a multiple of the reference, or None if the descent leaves the bracket."""
    d = len(root)
    rows, columns = np.tril_indices(d) if structure == "full" else np.diag_indices(d)
    diagonal = rows == columns
    unit = abs(criterion(start**2 * root @ root.T)[0])

    def matrix(theta):
        L = np.zeros((d, d))
        L[diagonal_of] = np.exp(theta[diagonal])
        L[rows[~diagonal], columns[~diagonal]] = theta[~diagonal]
        return L

    def objective(theta):
        L = matrix(theta)
        A = root @ L
        value, slope = criterion(A @ A.T)
        by_theta = (2 * root.T @ slope @ A)[rows, columns]
        by_theta[diagonal] *= np.diag(L)
        return value / unit, by_theta / unit

    diagonal_of = np.diag_indices(d)
    low, high = np.log(0.5 * least), np.log(2 * HIGH)  # wider than the multiples, which may be at their end
    try:
        found = minimize(
            objective,
            np.where(diagonal, np.log(start), 0.0),
            jac=True,
            method="L-BFGS-B",
            bounds=[(low, high) if on else (-2 * HIGH, 2 * HIGH) for on in diagonal],
            options={"ftol": 1e-15, "gtol": 1e-9, "maxiter": 500, "maxcor": 30},
        )
    except np.linalg.LinAlgError:  # on its way to a singular matrix
        return None
    if found.x[diagonal].min() < low + 1e-4 or found.x[diagonal].max() > high - 1e-4:
        return None
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
    UnboundedLikelihood
        If a full matrix is wanted and the columns are linearly dependent.
    """
    if structure == "diag":
        return np.diag(sample.scale)
    covariance = sample.covariance
    if np.linalg.eigvalsh(covariance)[0] < SINGULAR:
        raise UnboundedLikelihood(
            "No full bandwidth matrix can be learned from columns that depend linearly on each other. "
            "Take one bandwidth per feature, or leave a column out."
        )
    return np.linalg.cholesky(covariance)
