"""Figures 6 and 7 of Gu et al. 2025 and their companions: the models of a data set on its test stars or against the truth (Section 3.1)."""

import pandas as pd
from matplotlib.figure import Figure

from ...io import read_json
from .. import style
from ..comparison import draw_page


def draw(inputs: dict, cfg: dict, simulated: bool) -> tuple[Figure, pd.DataFrame]:
    """Spectroscopic or true against predicted values; inputs `summary`, `density`, `histogram`."""
    return draw_page(inputs, simulated)


def notes(inputs: dict, cfg: dict, simulated: bool) -> str:
    """How many dwarfs come out far too poor, where the truth is known."""
    found = read_json(inputs["summary"]).get("too_poor") or {}
    if not found.get("n"):
        return ""
    above, below = (f"{found[k]:g}".replace("-", "\N{MINUS SIGN}") for k in ("true_above", "predicted_below"))
    lost = f"{style.count(found['count'])} ({100 * found['share']:.1f} %)"
    return (f"Of {style.count(found['n'])} dwarfs with true [Fe/H] above {above}, {lost} are predicted below {below} and too poor by "
            f"{found['by']:g} dex or more.")
