"""Figure 1: dwarfs, giants, hot subdwarfs and white dwarfs.

The paper prints no borders; those of the configuration are choice A-10 of docs/choices.md. A survey without parallaxes or
without the two bands of the colour may divide its labelled stars by spectroscopic log g instead.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from ..errors import InputError
from ..photometry import column

CLASSES = ("dwarf", "giant", "hot_subdwarf", "white_dwarf", "unclassified")


def giant_limit(cfg: Mapping, colour: np.ndarray) -> np.ndarray:
    """Absolute magnitude of the giant border: giants are brighter (c0 + c1 colour + c2 colour^2)."""
    return np.polynomial.polynomial.polyval(np.asarray(colour, dtype=np.float64), cfg["classes"]["giant"])


def white_dwarf_limit(cfg: Mapping, colour: np.ndarray) -> np.ndarray:
    """Absolute magnitude of the white-dwarf border: white dwarfs are fainter."""
    border = cfg["classes"]["white_dwarf"]
    return np.maximum(border["intercept"] + border["slope"] * np.asarray(colour, dtype=np.float64), border["faint"])


def hot_subdwarf_limit(cfg: Mapping, colour: np.ndarray) -> np.ndarray:
    """Bright border of the hot subdwarfs."""
    border = cfg["classes"]["hot_subdwarf"]
    return border["intercept"] + border["slope"] * np.asarray(colour, dtype=np.float64)


def classify_cmd(colour: np.ndarray, abs_magnitude: np.ndarray, cfg: Mapping) -> np.ndarray:
    """Classes from the corrected colour and absolute magnitude; "unclassified" where either is not finite.

    Parameters
    ----------
    colour, abs_magnitude : ndarray (n,)
        (BP-RP)_0 and M_G0 in the paper.
    """
    colour, magnitude = np.asarray(colour, dtype=np.float64), np.asarray(abs_magnitude, dtype=np.float64)
    hot = cfg["classes"]["hot_subdwarf"]
    known = np.isfinite(colour) & np.isfinite(magnitude)
    is_white = magnitude > white_dwarf_limit(cfg, colour)
    is_hot = (colour < hot["colour_max"]) & (magnitude <= hot["faint"]) & (magnitude > hot_subdwarf_limit(cfg, colour))
    is_giant = magnitude < giant_limit(cfg, colour)
    return np.select([~known, is_white, is_hot, is_giant], ["unclassified", "white_dwarf", "hot_subdwarf", "giant"], "dwarf").astype(object)


def classify_logg(logg: np.ndarray, cfg: Mapping) -> np.ndarray:
    """Giants below `logg_giant`, dwarfs at or above it, "unclassified" without a log g."""
    logg = np.asarray(logg, dtype=np.float64)
    return np.select([~np.isfinite(logg), logg < cfg["classes"]["logg_giant"]], ["unclassified", "giant"], "dwarf").astype(object)


def classify(frame: pd.DataFrame, cfg: Mapping) -> np.ndarray:
    """Class of every star.

    Parameters
    ----------
    frame : DataFrame (n rows)
        Rule cmd: `<band>_0` of the two bands of the colour and `abs_<band>_0`; rule logg: `logg`, NaN for stars without
        a label (they become "unclassified").

    Returns
    -------
    ndarray (n,) of str

    Raises
    ------
    InputError
        When a column is absent or the rule is unknown.
    """
    rules = cfg["classes"]
    if rules["rule"] == "logg":
        return classify_logg(column(frame, "logg"), cfg)
    if rules["rule"] != "cmd":
        raise InputError("sages.classes.rule", f"is {rules['rule']!r}", "Use cmd or logg")
    band1, band2 = rules["colour"]
    colour = column(frame, f"{band1}_0") - column(frame, f"{band2}_0")
    return classify_cmd(colour, column(frame, f"abs_{rules['abs_magnitude']}_0"), cfg)


def borders(cfg: Mapping, colour: np.ndarray) -> pd.DataFrame:
    """Polylines of the borders, for drawing.

    Parameters
    ----------
    colour : ndarray
        Rising grid of colours.

    Returns
    -------
    DataFrame
        `border` (giant, white_dwarf, hot_subdwarf), `colour`, `abs_magnitude`; empty for rule logg, which draws none.
    """
    if cfg["classes"]["rule"] == "logg":
        return pd.DataFrame({"border": pd.Series(dtype="str"), "colour": np.empty(0), "abs_magnitude": np.empty(0)})
    colour = np.asarray(colour, dtype=np.float64)
    hot = cfg["classes"]["hot_subdwarf"]
    # the hot subdwarfs end at colour_max, or where their bright border meets the faint one
    end = min(hot["colour_max"], (hot["faint"] - hot["intercept"]) / hot["slope"]) if hot["slope"] > 0 else hot["colour_max"]
    blue = np.append(colour[colour < end], [end, end])
    lines = {
        "giant": (colour, giant_limit(cfg, colour)),
        "white_dwarf": (colour, white_dwarf_limit(cfg, colour)),
        "hot_subdwarf": (blue, np.append(hot_subdwarf_limit(cfg, blue[:-1]), hot["faint"])),
    }
    return pd.concat(
        [pd.DataFrame({"border": name, "colour": x, "abs_magnitude": y}) for name, (x, y) in lines.items()], ignore_index=True
    )
