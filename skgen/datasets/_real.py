"""Real data, small enough to ship."""

import numpy as np


def load_faithful(*, as_frame=False):
    """Eruptions of the Old Faithful geyser in Yellowstone National Park.

    A row is one of 272 eruptions: its duration (`eruptions`) and the waiting time to the next one (`waiting`), both in
    minutes.

    Parameters
    ----------
    as_frame : bool, default=False
        Whether `data` is a pandas DataFrame.

    Returns
    -------
    sklearn.utils.Bunch
        `data` : ndarray or DataFrame of shape (272, 2); `feature_names` : list of str; `frame` : DataFrame, or None
        where `as_frame` is False.

    References
    ----------
    The table is `faithful` of R's package datasets, there from Haerdle, W. (1991), Smoothing Techniques with
    Implementation in S, Springer. See also Azzalini, A. and Bowman, A. W. (1990), A look at some data on the Old
    Faithful geyser, Applied Statistics 39, 357-365, whose own record has 299 eruptions.

    Examples
    --------
    >>> load_faithful().data[0]
    array([ 3.6, 79. ])
    """
    return _load("faithful", as_frame)


def load_galaxies(*, as_frame=False):
    """Velocities of galaxies in the Corona Borealis region.

    A row is one of 82 galaxies from six well-separated conic sections of an unfilled survey: its velocity (`galaxies`)
    in km/s, as an integer, in increasing order.

    Parameters
    ----------
    as_frame : bool, default=False
        Whether `data` is a pandas DataFrame.

    Returns
    -------
    sklearn.utils.Bunch
        `data` : ndarray or DataFrame of shape (82, 1); `feature_names` : list of str; `frame` : DataFrame, or None
        where `as_frame` is False.

    Notes
    -----
    This is the table that the literature uses, `galaxies` of R's package MASS, with its known flaws: the 78th value is
    26690 and should be 26960, and the 83rd measurement of Postman et al., 5607 km/s, is left out, as in Roeder.

    References
    ----------
    Roeder, K. (1990), Density estimation with confidence sets exemplified by superclusters and voids in the galaxies,
    Journal of the American Statistical Association 85, 617-624.

    Postman, M., Huchra, J. P. and Geller, M. J. (1986), Probes of large-scale structures in the Corona Borealis
    region, Astronomical Journal 92, 1238-1247.

    Examples
    --------
    >>> load_galaxies().data[77]
    array([26690])
    """
    return _load("galaxies", as_frame)


def load_earthquakes(*, as_frame=False):
    """Major earthquakes in the world, year by year.

    A row is one of the 107 years 1900 to 2006: the `year` and the number (`count`) of earthquakes of magnitude 7 or
    more. The counts are overdispersed (mean 19.4, variance 51.6) and depend on those of the years before.

    Parameters
    ----------
    as_frame : bool, default=False
        Whether `data` is a pandas DataFrame.

    Returns
    -------
    sklearn.utils.Bunch
        `data` : ndarray or DataFrame of shape (107, 2), integers; `feature_names` : list of str; `frame` : DataFrame,
        or None where `as_frame` is False.

    References
    ----------
    Zucchini, W., MacDonald, I. L. and Langrock, R. (2016), Hidden Markov Models for Time Series: An Introduction Using
    R, second edition, CRC Press, Table 1.1.

    Examples
    --------
    >>> load_earthquakes().data[0]
    array([1900,   13])
    """
    return _load("earthquakes", as_frame)


def _load(name, as_frame):
    from importlib.resources import files

    from sklearn.utils import Bunch

    text = files("skgen").joinpath("data", f"{name}.csv").read_text(encoding="utf-8")
    table = np.genfromtxt(text.splitlines(), delimiter=",", names=True, dtype=None)
    columns = {feature: table[feature] for feature in table.dtype.names}
    frame = _frame(columns) if as_frame else None
    data = frame if as_frame else np.column_stack(list(columns.values()))
    return Bunch(data=data, feature_names=list(columns), frame=frame)


def _frame(columns):
    try:
        from pandas import DataFrame
    except ImportError as error:
        raise ImportError(
            "as_frame=True needs pandas, which is not installed. Run `pip install pandas`, or use as_frame=False."
        ) from error
    return DataFrame(columns)
