r"""Plug-in and smoothed cross-validation for bandwidth matrices, and the pilot bandwidth that both stand on.

The asymptotic error of the matrix H is

.. math:: \frac{(4 \pi)^{-d/2}}{n |H|^{1/2}} + \frac14 \Psi_4[H, H]

(Wand and Jones, 1994, "Multivariate plug-in bandwidth selection"). The fourth derivatives :math:`\Psi_4` are estimated
on rows of covariance I with one pilot bandwidth, that which annihilates the leading bias of their estimate,

.. math:: g = \left(\frac{2 d (d + 2)}{(2 \pi)^{d/2}\, |\eta_6|\, n}\right)^{1 / (d + 6)}, \qquad
    \eta_6 = \int \Delta^3 f(x)\, f(x)\, dx

(Chacon and Duong, 2010, "Multivariate plug-in bandwidth selection with unconstrained pilot bandwidth matrices"). After
one stage :math:`\eta_6` is that of a normal law; after two it is estimated, and the normal law answers for the eighth
derivatives.

R's ks 1.14 takes other pilots by default: a constant of its "dscalar" one has :math:`2^{-d/2 + 2}` where the derivation
has :math:`2^{-d/2 - 4}`, and its "samse" one reads three of seven functionals from wrong places, so that the matrix
depends on the order of the columns. From the same pilot the same matrices follow. With the pilot here bandwidths are
10 % smaller on Old Faithful and a third larger on iris; over five bivariate normal mixtures the mean integrated squared
error (n = 200, full matrices) is 0.65 to 1.00 of that with "dscalar" and 0.90 to 1.03 of that with "samse".
"""

import numpy as np

from skgen.nonparametric._bandwidth._criteria import smoothed
from skgen.nonparametric._bandwidth._matrix import reference_root, search
from skgen.nonparametric._bandwidth._pairs import curvature, pair_sums

FLOOR = 0.01  # of the eigenvalues of correlations, for bandwidths per feature of columns that depend on each other


def pilot_bandwidth(sample, stages):
    """The bandwidth for estimates of fourth derivatives on rows whose covariance is the identity.

    Parameters
    ----------
    sample : Sample
        Rows of covariance I.
    stages : {1, 2}
        After how many estimates the normal law answers.

    Returns
    -------
    float
    """
    n, d = sample.n, sample.X.shape[1]
    if stages == 1:
        return np.sqrt(2) * (2 / ((d + 4) * n)) ** (1 / (d + 6))
    g = np.sqrt(2) * (2 / ((d + 6) * n)) ** (1 / (d + 8))
    eta6 = iterated_laplacian(sample, g)
    return (2 * d * (d + 2) / ((2 * np.pi) ** (d / 2) * -eta6 * n)) ** (1 / (d + 6))


def iterated_laplacian(sample, g):
    r"""Estimate of :math:`\eta_6 = \int \Delta^3 f(x)\, f(x)\, dx` with the kernel of covariance g² I; it is negative.

    Parameters
    ----------
    sample : Sample
        The rows.
    g : float
        Bandwidth.

    Returns
    -------
    float
    """
    d = sample.X.shape[1]

    def profile(q):
        e = np.exp(-0.5 * q)
        return e * (((q - 3 * (d + 4)) * q + 3 * (d + 2) * (d + 4)) * q - d * (d + 2) * (d + 4)), e

    total = pair_sums(sample.X / g, sample.weight, profile)[0]
    return total / (sample.n**2 * (2 * np.pi) ** (d / 2) * g ** (d + 6))


def asymptotic_error(psi, n):
    """The asymptotic integrated squared error as a function of H, with its derivative.

    Parameters
    ----------
    psi : ndarray of shape (n_features, n_features, n_features, n_features)
        Fourth derivatives.
    n : float
        Observations.

    Returns
    -------
    callable
    """
    d = len(psi)
    flat = psi.reshape(d * d, d * d)

    def criterion(H):
        variance = (4 * np.pi) ** (-d / 2) / n / np.sqrt(np.linalg.det(H))
        bent = (flat @ H.ravel()).reshape(d, d)
        return variance + 0.25 * (bent * H).sum(), -0.5 * variance * np.linalg.inv(H) + 0.5 * bent

    return criterion


def plug_in(sample, structure, stages):
    """The matrix that minimises the estimated asymptotic error.

    Parameters
    ----------
    sample : Sample
        Rows of unit scale.
    structure : {"diag", "full"}
        Whether it is diagonal.
    stages : {1, 2}
        Of the pilot.

    Returns
    -------
    ndarray of shape (n_features, n_features)
    """
    root, whitened = _whitened(sample, structure)
    psi = curvature(whitened, pilot_bandwidth(whitened, stages))
    inverse = np.linalg.inv(root)
    psi = np.einsum("abcd,ai,bj,ck,dl->ijkl", psi, *[inverse] * 4, optimize=True) * np.linalg.det(inverse)
    return search(asymptotic_error(psi, sample.n), sample, structure, "plug_in")


def scv(sample, structure):
    r"""The matrix that minimises smoothed cross-validation.

    Its pilot kernel meets itself in the sums, so that its bandwidth is that of `plug_in` over :math:`\sqrt 2`.

    Parameters
    ----------
    sample : Sample
        Rows of unit scale.
    structure : {"diag", "full"}
        Whether it is diagonal.

    Returns
    -------
    ndarray of shape (n_features, n_features)
    """
    root, whitened = _whitened(sample, structure)
    g = pilot_bandwidth(whitened, 2) / np.sqrt(2)
    return search(smoothed(sample, g**2 * root @ root.T), sample, structure, "scv")


def _whitened(sample, structure):
    """A symmetric root of the covariance, and the rows without it."""
    value, vector = np.linalg.eigh(sample.covariance)
    if structure == "full":
        reference_root(sample, structure)  # which refuses such columns
    else:
        value = np.maximum(value, FLOOR)
    root = (vector * np.sqrt(value)) @ vector.T
    return root, sample.times((vector / np.sqrt(value)) @ vector.T)
