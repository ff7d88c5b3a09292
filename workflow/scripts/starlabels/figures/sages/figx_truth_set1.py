"""Companion of Figure 6: the predictions for the test stars of data set 1 against the simulated truth."""

import pandas as pd
from matplotlib.figure import Figure

from ..comparison import draw_page


def draw(inputs: dict, cfg: dict, simulated: bool) -> tuple[Figure, pd.DataFrame]:
    """True against predicted values; inputs `summary`, `density`, `histogram` of the truth comparison."""
    return draw_page(inputs, simulated)
