"""A comparison of our parameters with others: densities, residual histograms and fits, panel by panel (Figures 6, 7, 9, 10)."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from ...io import write_json, write_table
from ...metrics import Density2D
from .panels import UNITS, edges, in_class, panels_for, residual_edges, split_panel, stack
from .residuals import Residuals

DENSITY = {"panel": "str", "kind": "str", "x_lo": "float64", "x_hi": "float64", "y_lo": "float64", "y_hi": "float64", "count": "int64"}


class Panel:
    """One panel: reference on x, this work on y, residual = y - x."""

    def __init__(self, parameter: str, cfg: Mapping):
        self.residuals = Residuals(parameter, cfg)
        self.one_to_one = Density2D(edges(parameter), edges(parameter))
        self.trend = Density2D(edges(parameter), residual_edges(parameter))

    def add(self, x: np.ndarray, y: np.ndarray) -> None:
        """Take in the stars that have both values."""
        good = np.isfinite(x) & np.isfinite(y)
        x, y = x[good], y[good]
        self.residuals.add(y - x)
        self.one_to_one.add(x, y)
        self.trend.add(x, y - x)


class Comparison:
    """The panels of a comparison, filled piece by piece.

    Parameters
    ----------
    cfg : mapping
        The `sages` configuration; its `models` are the panels.
    parameters : iterable of str
        Parameters that the reference has (H23 has no log g).
    """

    def __init__(self, cfg: Mapping, parameters):
        self.cfg = cfg
        self.panels = {name: Panel(split_panel(name)[0], cfg) for name in panels_for(cfg, parameters)}

    def add(self, frame: pd.DataFrame, reference: Mapping[str, np.ndarray], ours: Mapping[str, np.ndarray]) -> None:
        """Take in some stars: `star_class` from `frame`, and for each parameter arrays of the same length."""
        for name, panel in self.panels.items():
            parameter, star_class = split_panel(name)
            mask = in_class(frame, star_class)
            panel.add(reference[parameter][mask], ours[parameter][mask])

    def statistics(self, bootstrap: int | None = None, seed: int = 0) -> dict:
        """Statistics of each panel; `bootstrap` resamples for the errors (configuration: validation.bootstrap)."""
        resamples = self.cfg["validation"]["bootstrap"] if bootstrap is None else bootstrap
        found = {}
        for name, panel in self.panels.items():
            found[name] = panel.residuals.statistics(resamples, seed)
            found[name] |= {"unit": UNITS[split_panel(name)[0]], "outside_plot": panel.one_to_one.outside}
        return found

    def density(self) -> pd.DataFrame:
        """Counts in the planes of all panels: panel, kind (one_to_one, residual), x_lo, x_hi, y_lo, y_hi, count."""
        parts = [
            plane.table().assign(panel=name, kind=kind)
            for name, panel in self.panels.items()
            for kind, plane in (("one_to_one", panel.one_to_one), ("residual", panel.trend))
        ]
        return stack(parts, DENSITY)

    def histograms(self, statistics: Mapping) -> pd.DataFrame:
        """Residual histograms of all panels in the bins of the fits: panel, lo, hi, count."""
        parts = [p.residuals.table(statistics[name]["bin_width"]).assign(panel=name) for name, p in self.panels.items()]
        return stack(parts, {"panel": "str", "lo": "float64", "hi": "float64", "count": "int64"})


def write_comparison(
    comparison: Comparison, x: str, y: str, simulated: bool, out_json, out_density, out_hist, seed: int = 0, extra: Mapping | None = None
) -> dict:
    """Write the three files of a comparison and return what the JSON holds.

    JSON: `panels` {panel: n, mean, sigma, amplitude, median, robust_sigma, bias, std, rmse, mean_error, sigma_error,
    bin_width, fit, unit, outside_plot}, `x`, `y`, `simulated`, and the items of `extra`.
    """
    panels = comparison.statistics(seed=seed)
    content = {"panels": panels, "x": x, "y": y, "simulated": bool(simulated), **dict(extra or {})}
    meta = {"x": x, "y": y, "simulated": bool(simulated)}
    write_table(out_density, comparison.density(), meta=meta)
    write_table(out_hist, comparison.histograms(panels), meta=meta)
    write_json(out_json, content)
    return content
