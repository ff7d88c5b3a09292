"""Figure 4 of Guiglion et al. 2020: apparent magnitudes and extinction of the three samples (Section 3.2)."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ...io import read_json, read_table
from .. import panels, style
from ..panels import Numbers
from . import labels

SERIES = {
    "train": ("training", {"color": style.ROLE["train"], "linestyle": "-"}),
    "test": ("test", {"color": style.ROLE["test"], "linestyle": ":"}),
    "observed": ("observed", {"color": style.ROLE["observed"], "linestyle": "--"}),
}
GROUND = {"facecolor": "white", "alpha": 0.75, "edgecolor": "none", "pad": 0.6}
SHOWN = 0.998                # share of every sample within the axes


def draw(inputs: dict, cfg: dict, simulated: bool) -> tuple[Figure, pd.DataFrame]:
    """Nine panels, eight bands and the extinction, each sample normalised to itself; inputs `histograms`, `summary`."""
    table = read_table(inputs["histograms"], ["quantity", "sample", "lo", "hi", "count", "share"])
    found = read_json(inputs["summary"])["samples"]
    figure, numbers = style.new_figure(style.PAGE, 150, simulated), Numbers()
    axes = figure.subplots(3, 3)
    for ax, quantity in zip(axes.ravel(), (*labels.BANDS, "av_starhorse"), strict=True):
        _panel(ax, table[table["quantity"] == quantity], quantity, {k: v["quantities"][quantity] for k, v in found.items()}, numbers)
        ax.set_xlabel(labels.band_label(quantity))
    for ax in axes[:, 0]:
        ax.set_ylabel("Normalised count")
    figure.align_ylabels(axes[:, 0])
    handles = axes[0, 0].get_legend_handles_labels()
    figure.legend(*handles, loc="outside lower center", ncols=3, handlelength=3.0)
    return figure, numbers.frame()


def _panel(ax: Axes, table: pd.DataFrame, quantity: str, found: dict, numbers: Numbers) -> None:
    limits = []
    for name, (label, look) in SERIES.items():
        own = table[table["sample"] == name]
        bars = own.drop(columns="count").rename(columns={"share": "count"})
        panels.step_histogram(ax, bars, numbers, quantity, name, label=label, linewidth=1.1, **look)
        numbers.add(quantity, "value", [f"n {name}", f"median {name}"], value=[found[name]["n"], found[name]["median"]])
        if own["count"].sum():
            limits.append(panels.extent(own.rename(columns={"lo": "x_lo", "hi": "x_hi"}), "x", SHOWN, 0.0))
    if limits:
        ax.set_xlim(min(low for low, _ in limits), max(high for _, high in limits))
    ax.set_ylim(0, 1.4 * (table["share"].max() if len(table) else 1))
    right = quantity == "av_starhorse"                # its outlines fall from the left
    for i, (name, (_, look)) in enumerate(SERIES.items()):
        ax.text(0.965 if right else 0.035, 0.955 - 0.09 * i, f"N = {style.count(found[name]['n'])}", transform=ax.transAxes, va="top",
                ha="right" if right else "left", fontsize=7, color=look["color"], bbox=GROUND)
