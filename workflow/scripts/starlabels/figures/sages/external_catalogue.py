"""Figures 9 and 10 of Gu et al. 2025: this work against another catalogue (Section 3.4)."""

import pandas as pd
from matplotlib.figure import Figure

from .. import style
from ..comparison import draw_page


def draw(inputs: dict, cfg: dict, simulated: bool) -> tuple[Figure, pd.DataFrame]:
    """The other catalogue against this work, red dashed lines; inputs `summary`, `density`, `histogram`."""
    return draw_page(inputs, simulated, style.RED)
