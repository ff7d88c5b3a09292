"""Division of the selected spectra into training and test sample (Section 3.3; B-10)."""

import math
from collections.abc import Mapping

import numpy as np
import pandas as pd

from ..errors import InputError


def roles(stars: np.ndarray, split: Mapping) -> np.ndarray:
    """Role of each row, "train" or "test".

    `by: spectrum` is the published rule: the rows are shuffled with the seed, and the first ceil(fraction n) are the test
    sample. It is the rule of scikit-learn's `train_test_split(test_size=fraction, random_state=seed)`. Spectra of one star
    then fall on both sides. `by: star` shuffles the stars and takes whole stars until as many spectra are in the test sample.

    Parameters
    ----------
    stars : ndarray (n,)
        What identifies the star of each row.
    split : mapping
        Configuration, `rave.split`: test_fraction, by, seed.

    Returns
    -------
    ndarray (n,) of str

    Raises
    ------
    InputError
        When one of the two samples would be empty.
    """
    n = len(stars)
    n_test = math.ceil(split["test_fraction"] * n)
    test = np.zeros(n, dtype=bool)
    shuffled = np.random.RandomState(split["seed"])      # the generator of the published split; a newer one shuffles otherwise
    if split["by"] == "spectrum":
        test[shuffled.permutation(n)[:n_test]] = True
    elif split["by"] == "star":
        number = pd.factorize(np.asarray(stars))[0]
        order = shuffled.permutation(number.max(initial=-1) + 1)
        size = np.bincount(number, minlength=len(order))
        taken = order[:np.searchsorted(np.cumsum(size[order]), n_test) + 1]
        test = np.isin(number, taken)
    else:
        raise InputError("configuration key `rave.split.by`", f"is {split['by']!r}", "Use spectrum or star")
    if not test.any() or test.all():
        empty = "training" if test.any() else "test"
        raise InputError("configuration key `rave.split.test_fraction`", f"leaves no {empty} sample of {n} spectra",
                         "Change it, or loosen the cuts of rave.training")
    return np.where(test, "test", "train").astype("U5")


def twins(stars: np.ndarray, role: np.ndarray) -> np.ndarray:
    """Mask of the test rows whose star has a row in the training sample: there the test is not independent."""
    stars, test = np.asarray(stars), np.asarray(role) == "test"
    return test & np.isin(stars, stars[~test])
