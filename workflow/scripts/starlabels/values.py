"""Native values in, numbers out: units, sentinels, text, and ids that must keep every digit."""

import logging
import warnings
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from astropy import units as u

from .errors import InputError

log = logging.getLogger(__name__)

EXACT = 2**53                 # beyond this a float64 no longer holds every integer


@lru_cache(maxsize=256)
def parse_unit(text: str) -> u.UnitBase | None:
    """A unit from what archives write, in any of astropy's notations; None when none of them knows it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", u.UnitsWarning)
        for notation in (None, "fits", "vounit", "cds"):
            try:
                return u.Unit(text, format=notation)
            except (ValueError, TypeError):
                continue
    return None


def _logarithmic(unit) -> u.UnitBase | None:
    """mag of mag(AB), dex of dex(cm/s2); None for a linear unit."""
    unit = getattr(unit, "function_unit", unit)
    return unit if unit in (u.mag, u.dex, u.dB) else None


@lru_cache(maxsize=256)
def unit_factor(stated: str, wanted: str, where: str) -> float:
    """What to multiply by to come from the unit that a file states to the canonical one.

    Raises
    ------
    InputError
        When the two cannot be converted into each other.
    """
    target, source = parse_unit(wanted), parse_unit(stated)
    if target is None:
        raise InputError(where, f"has the canonical unit {wanted!r}, which is not a unit", "Correct `unit` in config/datasets.yaml")
    if source is None:
        log.warning("%s: unit %r is not understood; taken as %s", where, stated, wanted)
        return 1.0
    if _logarithmic(source) is not None or _logarithmic(target) is not None:
        # logarithmic quantities are often written without a unit ([Fe/H], log g); mag and dex do not mix
        if _logarithmic(source) == _logarithmic(target) or (_logarithmic(target) == u.dex and source == u.dimensionless_unscaled):
            return 1.0
    else:
        try:
            return float(source.to(target))
        except u.UnitConversionError:
            pass
    raise InputError(where, f"is in {stated}, which cannot become {wanted}", "Give the right column, or correct its unit")


def to_float(series: pd.Series, where: str) -> np.ndarray:
    """Float64 values, NaN where missing.

    Raises
    ------
    InputError
        When a text is not a number.
    """
    if isinstance(series.dtype, pd.StringDtype) or series.dtype == object:
        return _from_text(series, pa.float64(), where).to_numpy(zero_copy_only=False).astype(np.float64)
    return series.to_numpy(dtype=np.float64, na_value=np.nan) if series.hasnans else series.to_numpy(dtype=np.float64)


def to_int(series: pd.Series, where: str) -> pd.arrays.IntegerArray:
    """Exact 64-bit integers, NA where missing.

    Raises
    ------
    InputError
        When a value is no whole number, or is a float beyond 2^53 (its last digits are lost).
    """
    if isinstance(series.dtype, pd.StringDtype) or series.dtype == object:
        found = _from_text(series, pa.int64(), where)
        return pd.arrays.IntegerArray(np.asarray(found.fill_null(0)), np.asarray(found.is_null()))
    if pd.api.types.is_float_dtype(series.dtype):
        values = series.to_numpy(dtype=np.float64, na_value=np.nan)
        missing = np.isnan(values)
        filled = np.where(missing, 0.0, values)
        large = np.flatnonzero(np.abs(filled) >= EXACT)
        if len(large):
            raise lost_precision(where, f"is stored as a float; {filled[large[0]]:.17g} cannot be exact")
        broken = np.flatnonzero(filled != np.floor(filled))
        if len(broken):
            raise InputError(where, f"holds {filled[broken[0]]!r} where a whole number is expected", "Check the column's name and type")
        return pd.arrays.IntegerArray(filled.astype(np.int64), missing)
    missing = series.isna().to_numpy()
    filled = series.to_numpy(dtype=np.int64, na_value=0) if missing.any() else series.to_numpy(dtype=np.int64)
    return pd.arrays.IntegerArray(filled, missing)


def to_text(series: pd.Series) -> pd.api.extensions.ExtensionArray:
    """Stripped text, missing where empty."""
    if not isinstance(series.dtype, pd.StringDtype):
        series = series.astype("str")
    stripped = series.str.strip()
    return stripped.where(stripped != "").array


def lost_precision(where: str, found: str) -> InputError:
    """The error of an id that went through a float."""
    return InputError(where, f"{found}: the id went through a float and lost digits", "Fetch the table again with ids as int64 or text")


def rounded_ids(values: np.ndarray) -> tuple[int, int, int, int]:
    """Count what tells of ids that were rounded by a float on their way here.

    An id above 2^60 that was a float64 is a multiple of its spacing there (256 or more).  Gaia ids are multiples of smaller
    powers of two anyway (they end in a coarse running number), so only ids above 2^60 count, and only many of them together tell.
    Ids printed with 15 or 16 digits are multiples of 1000.

    Returns
    -------
    large, binary, big, decimal : int
        Ids above 2^60 and how many are multiples of their float64 spacing; ids above 2^53 and how many are multiples of 1000.
    """
    values = np.abs(values[np.abs(values) > EXACT])
    large = values[values >= 2**60]
    spacing = np.int64(1) << np.maximum(np.frexp(large.astype(np.float64))[1] - 53, 0).astype(np.int64)
    return len(large), int((large % spacing == 0).sum()), len(values), int((values % 1000 == 0).sum())


def is_sentinel(values: np.ndarray, sentinel) -> np.ndarray:
    """Which values mean missing: close to one of a list of numbers, or (`{max: x}`) at most x."""
    if isinstance(sentinel, dict):
        return values <= sentinel["max"]
    numbers: Sequence = sentinel if isinstance(sentinel, (list, tuple)) else [sentinel]
    if values.dtype.kind in "iu":
        return np.isin(values, np.asarray(numbers, dtype=np.int64))
    found = np.zeros(len(values), bool)
    for number in numbers:
        found |= np.isclose(values, number, rtol=1e-6, atol=1e-9)
    return found


def _from_text(series: pd.Series, kind: pa.DataType, where: str) -> pa.Array:
    text = pc.utf8_trim_whitespace(pa.array(series.astype("str"), type=pa.string(), from_pandas=True))
    text = pc.if_else(pc.is_in(text, value_set=pa.array(["", "nan", "NaN", "null"])), None, text)
    try:
        return pc.cast(text, kind)
    except pa.ArrowInvalid:
        pass
    numbers = pd.to_numeric(pd.Series(text.to_pandas()), errors="coerce")
    bad = np.flatnonzero(numbers.isna().to_numpy() & np.asarray(text.is_valid()))
    if len(bad):
        value = text[int(bad[0])].as_py()
        raise InputError(where, f"holds {value!r}, which is not a number", "Correct it, or name it in `null` if it means missing")
    if pa.types.is_integer(kind):
        as_text = text.to_pandas()
        first = next(v for v in as_text if isinstance(v, str) and not v.lstrip("+-").isdigit())
        raise lost_precision(where, f"holds {first!r} where a whole number is expected")
    return pa.array(numbers.to_numpy(np.float64), from_pandas=True)
