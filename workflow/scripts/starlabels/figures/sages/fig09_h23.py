"""Figure 9 of Gu et al. 2025: this work against the H23 catalogue (Section 3.4)."""

import pandas as pd
from matplotlib.figure import Figure

from .. import style
from ..comparison import draw_page


def draw(inputs: dict, cfg: dict, simulated: bool) -> tuple[Figure, pd.DataFrame]:
    """H23 against this work, red dashed lines; inputs `summary`, `density`, `histogram` of the comparison."""
    return draw_page(inputs, simulated, style.RED)
