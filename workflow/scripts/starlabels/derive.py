"""Columns computed from others while a catalogue is read; named in config/datasets.yaml under `derive`."""

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd
from astropy import units as u
from astropy.coordinates import Angle

from .errors import InputError


def magnitude_error(frame: pd.DataFrame, flux: str, flux_err: str, floor: float = 0.0) -> np.ndarray:
    """sqrt((2.5 / ln 10 x flux error / flux)^2 + floor^2) in mag; `floor` is the zero point's error (Gaia EDR3 passbands)."""
    values = frame[flux].to_numpy(np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        photon = 2.5 / np.log(10.0) * frame[flux_err].to_numpy(np.float64) / np.where(values > 0, values, np.nan)
    return np.sqrt(photon**2 + floor**2)


def ratio(frame: pd.DataFrame, numerator: str, denominator: str) -> np.ndarray:
    """One column over another; missing where the denominator is not positive."""
    below = frame[denominator].to_numpy(np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        return frame[numerator].to_numpy(np.float64) / np.where(below > 0, below, np.nan)


def norm(frame: pd.DataFrame, of: list[str]) -> np.ndarray:
    """Root of the sum of squares."""
    return np.sqrt(sum(frame[c].to_numpy(np.float64) ** 2 for c in of))


def difference(frame: pd.DataFrame, of: list[str]) -> np.ndarray:
    """The first column minus the second ([X/Fe] from [X/H] and [Fe/H])."""
    first, second = (frame[c].to_numpy(np.float64, na_value=np.nan) for c in of)
    return first - second


def signal_to_noise(frame: pd.DataFrame, err: str) -> np.ndarray:
    """S/N of a magnitude error: 2.5 / ln 10 / error."""
    values = frame[err].to_numpy(np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        return 2.5 / np.log(10.0) / np.where(values > 0, values, np.nan)


def angle(frame: pd.DataFrame, text: str, native_unit: str) -> np.ndarray:
    """Degrees from sexagesimal text (`00 24 05.67`, `-72:04:52.6`); `native_unit` hourangle or deg."""
    return _degrees(frame[text], native_unit)


def sexagesimal(frame: pd.DataFrame, parts: list[str], native_unit: str, sign: str | None = None) -> np.ndarray:
    """Degrees from whole, minutes and seconds in columns of their own (CDS: RAh RAm RAs, DEd DEm DEs with the sign in DE-)."""
    values = sum(frame[c].to_numpy(np.float64, na_value=np.nan) / 60**i for i, c in enumerate(parts))
    turned = values if sign is None else np.where(frame[sign] == "-", -values, values)
    return turned * float(u.Unit(native_unit).to(u.deg))


def position_name(frame: pd.DataFrame, text: str, axis: str) -> np.ndarray:
    """Degrees from a name made of a position, `J000219.87+292851.8`; `axis` ra or dec."""
    found = frame[text].str.extract(r"(\d{2})(\d{2})(\d{2}(?:\.\d*)?)([-+])(\d{2})(\d{2})(\d{2}(?:\.\d*)?)")
    if axis == "ra":
        return _degrees(found[0] + " " + found[1] + " " + found[2], "hourangle")
    return _degrees(found[3] + found[4] + " " + found[5] + " " + found[6], "deg")


def _degrees(text: pd.Series, unit: str) -> np.ndarray:
    known = text.notna().to_numpy()
    values = np.full(len(text), np.nan)
    if known.any():
        try:
            values[known] = Angle([str(t) for t in text[known]], unit=u.Unit(unit)).to_value(u.deg)
        except (ValueError, u.UnitsError) as error:
            raise InputError(f"column {text.name}", f"holds a text that is not an angle ({error})", "Correct the text") from error
    return values


RECIPES: Mapping[str, Callable[..., np.ndarray]] = {
    "magnitude_error": magnitude_error, "ratio": ratio, "norm": norm, "difference": difference, "signal_to_noise": signal_to_noise,
    "angle": angle, "sexagesimal": sexagesimal, "position_name": position_name,
}
#: keys of a `derive` entry that describe the column and are no arguments of its recipe
DESCRIPTIVE = ("recipe", "unit", "type", "description", "missing", "keep", "trust")


def derive(frame: pd.DataFrame, entries: Mapping[str, Mapping]) -> pd.DataFrame:
    """Add the columns of `entries`, in order; a column that is there already is only filled where it is missing."""
    for name, entry in entries.items():
        arguments = {k: v for k, v in entry.items() if k not in DESCRIPTIVE}
        values = RECIPES[entry["recipe"]](frame, **arguments)
        if name in frame:
            given = frame[name].to_numpy(np.float64)
            values = np.where(np.isnan(given), values, given)
        frame[name] = values
    return frame
