"""CNN against a reference: statistics, the densities of a panel, and how a statement of the paper is answered.

Differences are CNN (or label) minus reference throughout; mean and population standard deviation, nothing clipped (B-17).
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from ...metrics import Density2D, Histogram1D, finite
from ..statistics import residual_statistics

LEAST = 2                                   # fewer stars have no statistics
UNIT = {"teff": "K"}                        # all other labels: dex
# parameter: (first edge, last edge, cell) of the values and (reach, bar) of the differences, whose cells are two bars high
VALUES = {"teff": (2500.0, 10000.0, 50.0), "logg": (-1.0, 6.0, 0.05), "mh": (-3.5, 1.5, 0.05)}
DIFFERENCES = {"teff": (3000.0, 25.0), "logg": (3.0, 0.02), "mh": (2.0, 0.02)}
PLANE = ["panel", "kind", "x_lo", "x_hi", "y_lo", "y_hi", "count"]
BARS = ["panel", "part", "lo", "hi", "count"]


def unit(parameter: str) -> str:
    """Unit of a label: K or dex."""
    return UNIT.get(parameter, "dex")


def measured(residual: np.ndarray, cfg: Mapping, seed: int = 0) -> dict:
    """Statistics of differences, as `residual_statistics`; everything but `n` is NaN for fewer than two stars.

    Parameters
    ----------
    residual : ndarray
        CNN minus reference; values that are not finite are left out.
    cfg : mapping
        The `rave` configuration (`validation.bootstrap`).
    """
    values = finite(residual)
    if len(values) >= LEAST:
        return residual_statistics(values, cfg["validation"]["bootstrap"], seed)
    return residual_statistics(np.empty(0), 0) | {"n": len(values)}


def claim(value, paper, n: int, what: str, unit: str = "", spread: Mapping | None = None, **more) -> dict:
    """What was found for a statement of the paper.

    Parameters
    ----------
    value : number or mapping
        What this run finds; a mapping has the keys of `paper`, and maybe more.
    n : int
        Number of spectra behind it.
    spread : mapping, optional
        Bootstrap interval of each value (`intervals`).
    """
    return {"value": value, "intervals": dict(spread or {}), "paper": paper, "unit": unit, "n": int(n), "what": what, **more}


def intervals(statistics: Mapping, **names: str) -> dict:
    """Bootstrap intervals under the names of a claim: intervals(found, sigma="teff_sigma") -> {"teff_sigma": [lo, hi]}."""
    return {name: statistics[f"{key}_interval"] for key, name in names.items()}


class Panel:
    """Reference against value, gridded: memory and files do not grow with the number of stars. The differences are kept.

    Parameters
    ----------
    parameter : str
        teff, logg or mh.
    parts : sequence of two str
        Names of the stars above and below the split, such as dwarf and giant; they get statistics and histograms of their own.
    """

    def __init__(self, parameter: str, parts: tuple[str, str]):
        first, last, cell = VALUES[parameter]
        reach, fine = DIFFERENCES[parameter]
        edges = np.linspace(first, last, round((last - first) / cell) + 1)
        self.parts = parts
        self.one_to_one = Density2D(edges, edges)
        self.trend = Density2D(edges, np.linspace(-reach, reach, round(reach / fine) + 1))
        self.bars = {part: Histogram1D(fine, -reach, reach) for part in ("all", *parts)}
        self._residuals: dict[str, list[np.ndarray]] = {part: [] for part in ("all", *parts)}

    def add(self, reference: np.ndarray, value: np.ndarray, above: np.ndarray) -> None:
        """Take in stars; `above` tells which lie above the split. Those without reference or value are left out."""
        reference, value = np.asarray(reference, np.float64), np.asarray(value, np.float64)
        good = np.isfinite(reference) & np.isfinite(value)
        x, y, above = reference[good], value[good], np.asarray(above, bool)[good]
        self.one_to_one.add(x, y)
        self.trend.add(x, y - x)
        for part, mask in zip(("all", *self.parts), (np.ones_like(above), above, ~above), strict=True):
            self.bars[part].add((y - x)[mask])
            self._residuals[part].append((y - x)[mask])

    def statistics(self, cfg: Mapping, seed: int = 0) -> dict:
        """{all or part: statistics}, and `outside_plot`: stars beyond the grid."""
        found = {part: measured(np.concatenate(pieces or [np.empty(0)]), cfg, seed) for part, pieces in self._residuals.items()}
        return found | {"outside_plot": self.one_to_one.outside}

    def density(self, name: str) -> pd.DataFrame:
        """Cells with stars: panel, kind (one_to_one, residual), x_lo, x_hi, y_lo, y_hi, count."""
        planes = {"one_to_one": self.one_to_one, "residual": self.trend}
        return pd.concat([plane.table().assign(panel=name, kind=kind) for kind, plane in planes.items()], ignore_index=True)[PLANE]

    def histogram(self, name: str) -> pd.DataFrame:
        """Bars of the differences: panel, part, lo, hi, count; from the first bin with a star to the last one."""
        found = []
        for part, bars in self.bars.items():
            table = bars.table().rename(columns={"x_lo": "lo", "x_hi": "hi"})
            full = np.flatnonzero(table["count"])
            there = slice(full[0], full[-1] + 1) if len(full) else slice(0)
            found.append(table.iloc[there].assign(panel=name, part=part))
        return pd.concat(found, ignore_index=True)[BARS].astype({"panel": "str", "part": "str", "count": "int64"})
