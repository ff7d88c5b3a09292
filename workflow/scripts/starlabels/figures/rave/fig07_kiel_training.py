"""Figure 7 of Guiglion et al. 2020: Kiel diagrams of training and test spectra, APOGEE's labels and the networks' (Section 3.4)."""

import pandas as pd
from matplotlib.figure import Figure

from ...errors import InputError
from ...io import read_table
from .. import panels, style
from ..panels import Numbers
from . import kiel, networks

NAME = {"train": "Training sample", "test": "Test sample"}
SOURCE = {"": "APOGEE DR16 labels", "_cnn": "CNN labels"}
AREA = 75.0 * 60.0                      # of a panel, mm2


def draw(inputs: dict, cfg: dict, simulated: bool) -> tuple[Figure, pd.DataFrame]:
    """Labels at the left, networks at the right; training above, test below; input `points`."""
    table = read_table(inputs["points"], ["role", *(f"{p}{s}" for s in SOURCE for p in ("teff", "logg", "mh"))])
    figure, numbers = style.new_figure(style.PAGE, 148, simulated), Numbers()
    axes = figure.subplots(2, 2, sharex=True, sharey=True)
    for row, (role, name) in zip(axes, NAME.items(), strict=True):
        part = table[table["role"] == role]
        if part.empty:
            raise InputError(f"{inputs['points']}, column role", f"has no {role} row", "Check rave.training and rave.split")
        for ax, (suffix, source) in zip(row, SOURCE.items(), strict=True):
            panel = f"{role}{suffix}"
            kiel.marks(ax, part[f"teff{suffix}"], part[f"logg{suffix}"], part[f"mh{suffix}"], kiel.METALLICITY, kiel.METALLICITY_MAP,
                       numbers, panel, AREA)
            kiel.kiel_axes(ax, x_label=role == "test", y_label=suffix == "")
            panels.corner_text(ax, f"{name}\n{source}\nN = {style.count(len(part))}", "upper left")
            numbers.add(panel, "value", "n", value=len(part))
    kiel.bar(figure, axes, kiel.METALLICITY, kiel.METALLICITY_MAP, "[M/H] (dex)", extend="both", pad=0.01, aspect=45)
    return figure, numbers.frame()


def notes(inputs: dict, cfg: dict, simulated: bool) -> str:
    """What the caption adds: the number of networks."""
    return networks.sentence(inputs, "CNN labels: mean over")
