"""Figures 6 and 7 of Gu et al. 2025 and their companions: the models of a data set on its test stars or against the truth (Section 3.1)."""

import pandas as pd
from matplotlib.figure import Figure

from ..comparison import draw_page


def draw(inputs: dict, cfg: dict, simulated: bool) -> tuple[Figure, pd.DataFrame]:
    """Spectroscopic or true against predicted values; inputs `summary`, `density`, `histogram`."""
    return draw_page(inputs, simulated)
