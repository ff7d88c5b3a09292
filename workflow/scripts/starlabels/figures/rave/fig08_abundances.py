"""Figure 8 of Guiglion et al. 2020: abundance patterns of the labels and of what the networks give back (Section 3.4)."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ...io import read_table
from .. import panels, style
from ..panels import Numbers
from . import labels, networks
from .one_to_one import LOOK, NAME, key_mark

PAIRS = {"alpha_m": "mh", "mg_fe": "feh", "si_fe": "feh", "al_fe": "feh", "ni_fe": "feh"}      # abundance: its metallicity
SOURCE = {"": "APOGEE DR16 labels", "_cnn": "CNN labels"}


def draw(inputs: dict, cfg: dict, simulated: bool) -> tuple[Figure, pd.DataFrame]:
    """A row an abundance, labels at the left, networks at the right; input `points`."""
    names = [p for p in PAIRS if p in cfg["labels"]]
    wanted = list(dict.fromkeys([*names, *(PAIRS[p] for p in names)]))
    table = read_table(inputs["points"], ["role", *(f"{p}{s}" for s in SOURCE for p in wanted)])
    figure, numbers = style.new_figure(style.PAGE, 42 * len(names) + 12, simulated), Numbers()
    axes = figure.subplots(len(names), 2, squeeze=False, sharex="row", sharey="row")
    for row, name in zip(axes, names, strict=True):
        for ax, suffix in zip(row, SOURCE, strict=True):
            _panel(ax, table, name, suffix, numbers)
            ax.set_xlabel(labels.axis_label(PAIRS[name]), labelpad=1.0)
        row[0].set_ylabel(labels.axis_label(name))
        panels.headroom(row[0], 0.12)
    for ax, source in zip(axes[0], SOURCE.values(), strict=True):
        ax.set_title(source, pad=3)
    counts = table["role"].value_counts()
    handles = [key_mark(r, f"{NAME[r]} ({style.count(counts.get(r, 0))})") for r in LOOK]
    figure.legend(handles=handles, loc="outside lower center", ncols=2)
    return figure, numbers.frame()


def notes(inputs: dict, cfg: dict, simulated: bool) -> str:
    """What the caption adds: the number of networks."""
    return networks.sentence(inputs, "CNN labels: mean over")


def _panel(ax: Axes, table: pd.DataFrame, name: str, suffix: str, numbers: Numbers) -> None:
    panel, drawn = f"{name}{suffix}", 0
    for role, look in LOOK.items():
        part = table.loc[table["role"] == role, [f"{PAIRS[name]}{suffix}", panel]].dropna()
        ax.plot(part.iloc[:, 0], part.iloc[:, 1], linestyle="", rasterized=True, **look)
        numbers.add(panel, "point", role, x=part.iloc[:, 0], y=part.iloc[:, 1])
        drawn += len(part)
    ax.axhline(0, color="black", linewidth=0.7, linestyle="--", zorder=3)
    ax.axvline(0, color="black", linewidth=0.7, linestyle="--", zorder=3)
    panels.corner_text(ax, f"N = {style.count(drawn)}", "upper right")
    numbers.add(panel, "line", ["zero x", "zero y"], value=[0.0, 0.0])
    numbers.add(panel, "value", "n", value=drawn)
