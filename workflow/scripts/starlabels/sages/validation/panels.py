"""The panels of Figures 6, 7, 9 and 10: which parameter and class each shows, and the grids that stars are counted on."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from ...errors import InputError

PARAMETERS = ("feh", "teff", "logg")
CLASSES = ("dwarf", "giant", "all")
UNITS = {"feh": "dex", "teff": "K", "logg": "dex"}
# range and step of a parameter, reach and step of its residuals: wide enough for [Fe/H] = -4 stars and for hot stars
GRID = {
    "feh": {"lo": -4.5, "hi": 1.0, "step": 0.05, "reach": 3.0, "residual_step": 0.04},
    "teff": {"lo": 3000.0, "hi": 10000.0, "step": 50.0, "reach": 3000.0, "residual_step": 20.0},
    "logg": {"lo": -0.5, "hi": 6.0, "step": 0.05, "reach": 3.0, "residual_step": 0.04},
}


def split_panel(panel: str) -> tuple[str, str]:
    """Parameter and class of a panel or model name, `feh_dwarf` -> (`feh`, `dwarf`).

    Raises
    ------
    InputError
        When the name is not `<parameter>_<class>`.
    """
    parameter, _, star_class = panel.rpartition("_")
    if parameter not in PARAMETERS or star_class not in CLASSES:
        raise InputError("sages.models", f"names {panel!r}", f"Use one of {', '.join(PARAMETERS)} and one of {', '.join(CLASSES)}")
    return parameter, star_class


def panels_for(cfg: Mapping, parameters) -> list[str]:
    """Panels (in the order of `models`) whose parameter is among `parameters`."""
    return [p for p in cfg["models"] if split_panel(p)[0] in set(parameters)]


def in_class(frame: pd.DataFrame, star_class: str) -> np.ndarray:
    """Mask of the rows of a class; `all` means dwarfs and giants."""
    values = frame["star_class"]
    return (values.isin(["dwarf", "giant"]) if star_class == "all" else values == star_class).to_numpy(bool)


def edges(parameter: str) -> np.ndarray:
    """Edges of the grid that a parameter is counted on."""
    grid = GRID[parameter]
    return _edges(grid["lo"], grid["hi"], grid["step"])


def residual_edges(parameter: str) -> np.ndarray:
    """Edges of the grid that residuals of a parameter are counted on."""
    grid = GRID[parameter]
    return _edges(-grid["reach"], grid["reach"], grid["residual_step"])


def _edges(lo: float, hi: float, step: float) -> np.ndarray:
    # rounded, so that 0.15 is 0.15 and not 0.15000000000000002 in the tables
    return np.round(lo + step * np.arange(round((hi - lo) / step) + 1), 9)


def stack(parts: list[pd.DataFrame], kinds: Mapping[str, str]) -> pd.DataFrame:
    """Tables one under the other with the columns and types of `kinds`; empty with these columns when there is none."""
    joined = pd.concat(parts, ignore_index=True)[list(kinds)] if parts else pd.DataFrame(columns=list(kinds))
    return joined.astype(dict(kinds))


def numbers(frame: pd.DataFrame, name: str) -> np.ndarray:
    """A column as float64; NaN where it is missing."""
    if name not in frame.columns:
        raise InputError(f"validation, column {name}", "is absent", f"The table has: {', '.join(frame.columns)}")
    return frame[name].to_numpy(dtype=np.float64, na_value=np.nan)


def masked(frame: pd.DataFrame) -> np.ndarray:
    """Stars whose parameters the final catalogue does not give (`cool_mask`)."""
    return frame["cool_mask"].to_numpy(bool) if "cool_mask" in frame.columns else np.zeros(len(frame), bool)
