"""Rows with the labels of both networks: with photometry (<label>_cnn) and from spectra alone (<label>_spectra)."""

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import pandas as pd

from ...io import read_table
from ..rows import ID, iter_observed, training_rows


def alone(column: str) -> str:
    """Name of a predicted column where the spectra-alone network gives it: teff_cnn_err -> teff_spectra_err."""
    return column.replace("_cnn", "_spectra", 1)


def observed_both(
    stars: Iterable, photometry: Iterable, spectra: Iterable, star_columns: Sequence[str], predicted: Sequence[str]
) -> Iterator[pd.DataFrame]:
    """Yield the observed stars, a slice at a time, with the predictions of both networks.

    Parameters
    ----------
    stars, photometry, spectra : iterable of path
        `rave/stars/{slice}.parquet` and the predictions of the two networks for the same slices. `spectra` may be empty: its
        columns are NaN then.
    star_columns, predicted : sequence of str
        Columns of the stars, and columns of the predictions (`teff_cnn`, `teff_cnn_err` ...) wanted of both networks.

    Raises
    ------
    InputError
        When slices do not pair, or a column is absent.
    """
    stars, spectra = list(stars), list(spectra)
    first = iter_observed(stars, photometry, star_columns, predicted)
    if not spectra:
        yield from (_missing(frame, predicted) for frame in first)
        return
    second = iter_observed(stars, spectra, [], predicted)
    for with_photometry, spectra_alone in zip(first, second, strict=True):
        yield with_photometry.merge(spectra_alone.rename(columns=alone), on=ID, how="left", sort=False)


def training_both(training, photometry, spectra=None) -> pd.DataFrame:
    """Training and test rows with the predictions of both networks; NaN where there is no spectra-alone network (None)."""
    rows = training_rows(training, photometry)
    predicted = [c for c in rows.columns if c.endswith("_cnn")]
    if not spectra:
        return _missing(rows, predicted)
    return rows.merge(read_table(spectra, [ID, *predicted]).rename(columns=alone), on=ID, how="left", sort=False)


def _missing(frame: pd.DataFrame, predicted: Sequence[str]) -> pd.DataFrame:
    return frame.assign(**{alone(c): np.full(len(frame), np.nan, np.float32) for c in predicted})
