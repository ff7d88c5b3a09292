"""How far a prediction may be from the truth, star by star, and whether the forest knows stars of this kind.

The paper gives no error of a single star; this is ours.

*Error.* For a training star the out-of-bag residual r = prediction - label has three parts: the error of the prediction
against the truth (wanted), the error of the label (known, e), and the noise of averaging few trees. A star is out of the bag
of some 37 % of the trees; its mean over m of T trees is noisier than a new star's over all T by s^2 (1/m - 1/T), where s is
the standard deviation over its trees. That same s, with m - 1 in the denominator, is comparable between training and new
stars: given the training sample the trees are independent draws, and neither star was seen by the trees that are counted.
(The spread over *all* trees of a training star is not: trees that saw it agree on its label.)

In quantile bins of s the error is the sigma for which 68.27 % of the stars have |r - median(r)| within
sqrt(sigma^2 + e^2 + s^2 (1/m - 1/T)); the median, a bias that varies slowly with s, is left out of the error and reported.
For Gaussian errors sigma^2 is then the variance of prediction minus truth; for others it is the half-width that covers labels
as often as it should. Stars of the same s differ in their photometric noise n (root of the summed squares of the magnitude
errors), which trees trained on brighter stars do not show fully; the sigma of s is multiplied by sqrt(a + b n^2), a and b
fitted to the same residuals in bins of n, so that it may be carried to noise beyond that of training. Errors of the reddening
are not in it. So `<p>_err` is to be compared with the truth, and sqrt(<p>_err^2 + label_err^2) with labels.

*Domain.* Forests cannot extrapolate, and do not tell. The density of the training stars in feature space is described by a
mixture of Gaussians (scikit-learn) in the principal components of the features; a star where the density is lower than at all
but a share 1 - q of the training stars is out of domain. This costs a few kilobytes a model and looks at one star at a time.
E(B-V) takes no part: training stops at 0.05 and prediction at 0.5 by design, and the catalogue carries E(B-V) itself; the
parallax takes part through the absolute magnitude where that is a feature.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import nnls
from sklearn.isotonic import IsotonicRegression
from sklearn.mixture import GaussianMixture
from threadpoolctl import threadpool_limits

from .errors import InputError

ONE_SIGMA = 0.6827  # share of a Gaussian within one sigma
MIN_BIN = 50  # stars in a calibration bin, at least
FLOOR = 0.3  # smallest share of the scatter that is left to the prediction when the label errors claim more than all of it
MAX_FIT = 20_000  # training stars that the mixture is fitted to
COMPONENTS = 8  # of the mixture, at most
STARS_A_COMPONENT = 100
RANK = 1e-8  # principal components below this share of the largest variance are rounding errors


@dataclass(frozen=True)
class Calibration:
    """Error of a prediction as a function of the spread over the trees.

    Attributes
    ----------
    spread, sigma : ndarray (k,)
        Median spread and error of each bin, both rising, in the label's unit.
    noise : ndarray (2,)
        a and b (mag^-2) of the factor sqrt(a + b n^2) for a star of photometric noise n.
    bias, scatter : ndarray (k,)
        Median and 68.27 % half-width of the out-of-bag residuals of each bin, for the report.
    count : ndarray (k,) of int64
    floored : ndarray (k,) of bool
        The label errors explain more than the whole scatter, and `FLOOR` of it was left to the prediction.
    """

    spread: np.ndarray
    sigma: np.ndarray
    bias: np.ndarray
    scatter: np.ndarray
    count: np.ndarray
    floored: np.ndarray
    noise: np.ndarray

    def error(self, spread: np.ndarray, noise: np.ndarray) -> np.ndarray:
        """Error (n,) for spreads (n,) and photometric noises (n,).

        Linear in the spread between the bins, constant below the first, proportional above the last.
        """
        return _interpolate(spread, self.spread, self.sigma) * _factor(noise, self.noise)

    def arrays(self, prefix: str = "calibration_") -> dict[str, np.ndarray]:
        """The fields as arrays for an .npz file."""
        return {prefix + name: getattr(self, name) for name in self.__dataclass_fields__}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray], prefix: str = "calibration_") -> "Calibration":
        """Inverse of `arrays`."""
        return cls(**{name: arrays[prefix + name] for name in cls.__dataclass_fields__})

    def summary(self) -> list[dict]:
        """One dict a bin, for the JSON beside a model."""
        names = ("spread", "sigma", "bias", "scatter", "count", "floored")
        return [{name: getattr(self, name)[k] for name in names} for k in range(len(self.spread))]


def _interpolate(spread: np.ndarray, knots: np.ndarray, sigma: np.ndarray) -> np.ndarray:
    spread = np.asarray(spread, dtype=np.float64)
    inside, top = np.interp(spread, knots, sigma), knots[-1]
    return inside * np.where(spread > top, spread / top, 1.0) if top > 0 else inside


def _factor(noise: np.ndarray, law: np.ndarray) -> np.ndarray:
    return np.sqrt(law[0] + law[1] * np.asarray(noise, dtype=np.float64) ** 2)


def calibrate(
    residual: np.ndarray, spread: np.ndarray, label_err: np.ndarray, count: np.ndarray, noise: np.ndarray, n_trees: int, bins: int
) -> Calibration:
    """Relate the spread over the trees to the error of a prediction against the truth (see the head of this module).

    Parameters
    ----------
    residual : ndarray (n,)
        Out-of-bag prediction minus label.
    spread : ndarray (n,)
        Standard deviation over the out-of-bag trees.
    label_err : ndarray (n,)
        Published one-sigma error of the label.
    count : ndarray (n,)
        Number of out-of-bag trees.
    noise : ndarray (n,)
        Photometric noise (mag).
    n_trees : int
        Trees of the forest.
    bins : int
        Quantile bins of the spread, and of the noise; fewer when a bin would hold less than 50 stars.

    Raises
    ------
    InputError
        When no star has a finite residual, spread and label error.
    """
    good = np.isfinite(residual) & np.isfinite(spread) & np.isfinite(label_err) & np.isfinite(noise)
    if not good.any():
        raise InputError("calibration of the errors", "no training star has residual, spread and label error", "Train with more trees")
    residual, spread, label_err, count, noise = (np.asarray(a, np.float64)[good] for a in (residual, spread, label_err, count, noise))
    known = label_err**2 + spread**2 * (1.0 / count - 1.0 / n_trees)
    bins = max(1, min(bins, len(residual) // MIN_BIN))
    by_spread = np.array_split(np.argsort(spread, kind="stable"), bins)
    by_noise = np.array_split(np.argsort(noise, kind="stable"), bins)
    middle = np.array([np.median(spread[part]) for part in by_spread])
    number = np.array([len(part) for part in by_spread], dtype=np.int64)
    bias = np.array([np.median(residual[part]) for part in by_spread])
    square = np.empty_like(residual)
    for part, centre in zip(by_spread, bias, strict=True):
        square[part] = (residual[part] - centre) ** 2
    scatter = np.array([np.sqrt(np.quantile(square[part], ONE_SIGMA)) for part in by_spread])
    least = (FLOOR * scatter) ** 2
    law = np.array([1.0, 0.0])
    for _ in range(3):  # the two dependences, one after the other, until they agree
        wanted = _covering((square - known) / _factor(noise, law) ** 2, by_spread)
        if bins > 1:
            wanted = IsotonicRegression().fit_transform(np.arange(bins), wanted, sample_weight=number)
        sigma = np.maximum.accumulate(np.sqrt(np.maximum(wanted, least)))
        if bins < 3:
            break
        law = _noise_law(_covering((square - known) / _interpolate(spread, middle, sigma) ** 2, by_noise), noise, by_noise)
    return Calibration(middle, sigma, bias, scatter, number, wanted < least, law)


def _covering(value: np.ndarray, parts: list[np.ndarray]) -> np.ndarray:
    """sigma^2 of each bin that covers the share wanted (negative when the label errors are too large).

    A star is covered when square <= sigma^2 + known, so that sigma^2 is a quantile of the difference.
    """
    return np.array([np.quantile(value[part], ONE_SIGMA) for part in parts])


def _noise_law(factor2: np.ndarray, noise: np.ndarray, parts: list[np.ndarray]) -> np.ndarray:
    """a and b, neither negative, of factor^2 = a + b n^2; one everywhere where the bins say nothing."""
    square = np.array([np.mean(noise[part] ** 2) for part in parts])
    scale = square.max() or 1.0
    law, _ = nnls(np.column_stack([np.ones_like(square), square / scale]), np.maximum(factor2, FLOOR**2))
    return law / [1.0, scale]


@dataclass(frozen=True)
class Domain:
    """Where in feature space the training stars are.

    Attributes
    ----------
    columns : ndarray (c,) of int64
        Features that take part.
    centre : ndarray (c,)
    projection : ndarray (c, r)
        (x - centre) @ projection has unit variance and no correlation.
    weights, means, cholesky : ndarray (k,), (k, r), (k, r, r)
        The mixture; `cholesky` are the Cholesky factors of the precisions, as in scikit-learn.
    limit : float
        A star is out of domain above this `distance`.
    """

    columns: np.ndarray
    centre: np.ndarray
    projection: np.ndarray
    weights: np.ndarray
    means: np.ndarray
    cholesky: np.ndarray
    limit: float

    def distance(self, x: np.ndarray) -> np.ndarray:
        """-log of the density of training stars (n,) at features (n, p)."""
        if not len(x):
            return np.empty(0)
        mixture = GaussianMixture(len(self.weights))
        mixture.weights_, mixture.means_, mixture.precisions_cholesky_ = self.weights, self.means, self.cholesky
        return -mixture.score_samples(self._project(x))

    def _project(self, x: np.ndarray) -> np.ndarray:
        return (x[:, self.columns].astype(np.float64) - self.centre) @ self.projection

    def outside(self, x: np.ndarray, rows: int = 100_000) -> np.ndarray:
        """Which rows (n,) of a feature matrix (n, p) are out of domain."""
        pieces = [self.distance(x[k : k + rows]) > self.limit for k in range(0, len(x), rows)]
        return np.concatenate(pieces) if pieces else np.empty(0, bool)

    def arrays(self, prefix: str = "domain_") -> dict[str, np.ndarray]:
        """The fields as arrays for an .npz file."""
        return {prefix + name: np.asarray(getattr(self, name)) for name in self.__dataclass_fields__}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray], prefix: str = "domain_") -> "Domain":
        """Inverse of `arrays`."""
        read = {name: arrays[prefix + name] for name in cls.__dataclass_fields__}
        return cls(**{**read, "limit": float(read["limit"])})


def domain_columns(names: Sequence[str], without: Sequence[str]) -> np.ndarray:
    """Features that decide the domain: all but `without`, and without the parallax where an absolute magnitude is there."""
    left_out = set(without)
    if any(name.startswith("abs_") for name in names):
        left_out.add("parallax")
    return np.array([k for k, name in enumerate(names) if name not in left_out], dtype=np.int64)


def fit_domain(x: np.ndarray, columns: np.ndarray, quantile: float, seed: int) -> Domain:
    """Describe where the training stars are.

    Parameters
    ----------
    x : ndarray (n, p)
        Features of the training stars, finite.
    columns : ndarray of int
        Features that take part (`domain_columns`).
    quantile : float
        Share of the training stars that are inside (`sages.uncertainty.domain_quantile`).
    seed : int
        Of the start of the mixture and of the draw of at most 20 000 stars that it is fitted to.

    Raises
    ------
    InputError
        When no feature varies.
    """
    rng = np.random.default_rng([seed, 0x0D0])
    part = x if len(x) <= MAX_FIT else x[np.sort(rng.choice(len(x), MAX_FIT, replace=False))]
    part = part[:, columns].astype(np.float64)
    # one thread: the order of BLAS's sums would otherwise depend on their number
    with threadpool_limits(1, user_api="blas"):
        centre, projection = _whitening(part)
        components = int(np.clip(len(part) // STARS_A_COMPONENT, 1, COMPONENTS))
        mixture = GaussianMixture(components, reg_covar=1e-4, max_iter=200, random_state=int(rng.integers(2**31)))
        mixture.fit((part - centre) @ projection)
        domain = Domain(columns, centre, projection, mixture.weights_, mixture.means_, mixture.precisions_cholesky_, np.inf)
        distance = np.concatenate([domain.distance(x[k : k + MAX_FIT]) for k in range(0, len(x), MAX_FIT)])
    return Domain(**{**domain.__dict__, "limit": float(np.quantile(distance, quantile))})


def _whitening(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Centre and matrix that turn features into uncorrelated numbers of unit variance; linear dependences fall away."""
    centre, scale = x.mean(axis=0), x.std(axis=0)
    varies = scale > 1e-6 * np.maximum(np.abs(centre), 1.0)
    if not varies.any():
        raise InputError("training features", "do not vary", "Check the training sample")
    inverse = np.where(varies, 1.0 / np.where(varies, scale, 1.0), 0.0)
    z = (x - centre) * inverse
    values, vectors = np.linalg.eigh(z.T @ z / len(z))
    keep = values > RANK * values[-1]
    return centre, inverse[:, None] * vectors[:, keep] / np.sqrt(values[keep])
