"""Companion: Teff against colour of the training stars, and the limit beyond which no parameter is given (Section 4)."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ...io import read_json, read_table
from .. import panels, style
from ..panels import Numbers

LINE_END = 0.66        # of the height: upright lines stop below the key


def draw(inputs: dict, cfg: dict, simulated: bool) -> tuple[Figure, pd.DataFrame]:
    """A panel a data set; inputs `curve`, `summary`."""
    curve = read_table(inputs["curve"], ["data_set", "colour", "teff_fit", "teff_median", "n"])
    summary = read_json(inputs["summary"])
    sets = list(summary["data_sets"])
    figure = style.new_figure(style.PAGE if len(sets) > 1 else style.COLUMN, 82, simulated)
    axes, numbers = figure.subplots(1, len(sets), squeeze=False, sharey=True)[0], Numbers()
    for ax, data_set in zip(axes, sets, strict=True):
        _panel(ax, curve[curve["data_set"] == int(data_set)], summary["data_sets"][data_set], f"set {data_set}", numbers)
        ax.set_title(f"Data set {data_set}", pad=3)
        ax.set_xlabel(style.colour_label(summary["colour"]))
    axes[0].set_ylabel(style.parameter_label("teff", "Spectroscopic"))
    return figure, numbers.frame()


def _panel(ax: Axes, curve: pd.DataFrame, result: dict, panel: str, numbers: Numbers) -> None:
    full = curve[curve["n"] > 0]
    size = np.clip(2 + 2.2 * np.log10(full["n"]), 2, 16)
    ax.scatter(full["colour"], full["teff_median"], s=size, color=style.ROLE["train"], linewidth=0, label="median in 0.02 mag")
    numbers.add(panel, "point", "median", x=full["colour"], y=full["teff_median"], value=full["n"])
    ax.plot(curve["colour"], curve["teff_fit"], color=style.ROLE["fit"], label=f"polynomial of degree {result['degree']}")
    numbers.add(panel, "line", "polynomial", x=curve["colour"], y=curve["teff_fit"])
    if result["colour_max"] is not None:
        label = f"limit in use {result['colour_max']:g} ({result['n_redder']} redder)"
        ax.axvline(result["colour_max"], ymax=LINE_END, color="black", linestyle="--", label=label)
        numbers.add(panel, "line", "limit in use", x=result["colour_max"])
    label = f"coolest {100 * result['teff_quantile']:g} %: {result['teff_limit']:.0f} K"
    ax.axhline(result["teff_limit"], color=style.GREY, linestyle=":", label=label)
    numbers.add(panel, "line", "coolest", y=result["teff_limit"])
    if result["colour_at_limit"] is not None:
        label = f"curve reaches it at {result['colour_at_limit']:.3f}"
        ax.axvline(result["colour_at_limit"], ymax=LINE_END, color=style.GREY, linestyle="-.", label=label)
        numbers.add(panel, "line", "curve at coolest", x=result["colour_at_limit"])
    numbers.add(panel, "value", "n", value=result["n"])
    low, high = ax.get_ylim()
    ax.set_ylim(low - 0.08 * (high - low), high + 0.06 * (high - low))        # the key stands above the cool end
    ax.legend(loc="upper right")
    panels.corner_text(ax, f"N = {style.count(result['n'])}", "lower left")
