"""How far a prediction may be from the truth, star by star.

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
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.optimize import nnls

from .errors import InputError

ONE_SIGMA = 0.6827  # share of a Gaussian within one sigma
MIN_BIN = 50  # stars in a calibration bin, at least
FLOOR = 0.3  # smallest share of the scatter that is left to the prediction when the label errors claim more than all of it


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
    from sklearn.isotonic import IsotonicRegression  # here: the predictions need only what is found

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
