"""Figure 7 of Gu et al. 2025: the five models on the test stars of data set 2 (Section 3.2)."""

import pandas as pd
from matplotlib.figure import Figure

from ..comparison import draw_page


def draw(inputs: dict, cfg: dict, simulated: bool) -> tuple[Figure, pd.DataFrame]:
    """Spectroscopic against predicted values; inputs `summary`, `density`, `histogram` of the test set."""
    return draw_page(inputs, simulated)
