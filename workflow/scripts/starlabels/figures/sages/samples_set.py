"""Figures 2 and 3 of Gu et al. 2025: training and test samples of a data set (Section 2.3)."""

import pandas as pd
from matplotlib.figure import Figure

from ..samples import draw_samples


def draw(inputs: dict, cfg: dict, simulated: bool) -> tuple[Figure, pd.DataFrame]:
    """Colour-magnitude density and [Fe/H] by survey; inputs `cmd`, `feh` of the samples."""
    return draw_samples(inputs, cfg, simulated)
