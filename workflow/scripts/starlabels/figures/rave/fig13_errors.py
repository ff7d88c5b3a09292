"""Figure 13 of Guiglion et al. 2020: errors of the labels, the dispersion over the networks (Section 5)."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from ...io import read_json, read_table
from .. import panels, style
from ..panels import Numbers
from . import labels, networks

GREEN = "#009E73"
# The paper's colours and dashes
SERIES = {
    "train": ("training", {"color": style.BLUE, "linestyle": ":"}),
    "test": ("test", {"color": GREEN, "linestyle": (0, (6, 2))}),
    "observed": ("observed", {"color": style.RED, "linestyle": "-"}),
}
DIGITS = {"teff": 0, "logg": 3}


def draw(inputs: dict, cfg: dict, simulated: bool) -> tuple[Figure, pd.DataFrame]:
    """A panel a label; inputs `histograms`, `summary`."""
    table = read_table(inputs["histograms"], ["label", "sample", "lo", "hi", "count", "share"])
    summary, names = read_json(inputs["summary"]), labels.of_configuration(cfg)
    rows = -(-len(names) // 3)
    figure, numbers = style.new_figure(style.PAGE, 46 * rows + 16, simulated), Numbers()
    axes = figure.subplots(rows, 3, squeeze=False)
    for ax, label in zip(axes.ravel(), names, strict=False):
        _panel(ax, table[table["label"] == label], label, summary["samples"], numbers)
    for ax in axes.ravel()[len(names):]:
        ax.remove()
    for ax in axes[:, 0]:
        ax.set_ylabel("Normalised count")
    handles = [Line2D([], [], linewidth=1.3, label=_name(key, label, summary), **look) for key, (label, look) in SERIES.items()]
    text = ensemble_text(summary["ensemble"], numbers)
    figure.legend(handles=handles, loc="outside lower center", ncols=3, title=text, title_fontsize=7, handlelength=3.2)
    return figure, numbers.frame()


def notes(inputs: dict, cfg: dict, simulated: bool) -> str:
    """What the caption adds: the number of networks."""
    return networks.sentence(inputs, "Dispersion over")


def ensemble_text(ensemble: dict, numbers: Numbers) -> str:
    """How many networks the dispersion is over, and how far it falls short of that of eighty."""
    kept, bias = ensemble.get("n_kept"), ensemble.get("dispersion_bias")
    numbers.add("errors", "value", ["n_kept", "dispersion_bias"], value=[kept, bias])
    text = f"dispersion over {kept} kept networks"
    if bias is not None and abs(bias - 1) >= 0.0005:
        text += f"; with so few it is on average {bias:.3f} times that of 80"
    return text


def _name(key: str, label: str, summary: dict) -> str:
    return f"{label}, S/N > {summary['snr_min']:g}" if key == "observed" else label


def _panel(ax: Axes, table: pd.DataFrame, label: str, samples: dict, numbers: Numbers) -> None:
    lines = []
    for key, (_, look) in SERIES.items():
        bars = table[table["sample"] == key].drop(columns="count").rename(columns={"share": "count"})
        panels.step_histogram(ax, bars, numbers, label, key, linewidth=1.2, **look)
        entry = samples[key]["labels"][label]
        lines.append((f"{labels.number(entry['median'], label, digits=DIGITS.get(label, 3))} ({style.count(entry['n'])})", look["color"]))
        numbers.add(label, "value", [f"median {key}", f"n {key}"], value=[entry["median"], entry["n"]])
    peak = float(table["share"].max()) if len(table) else 0.0
    ax.set_xlim(0, float(table["hi"].max()) if len(table) else 1.0)
    ax.set_ylim(0, 1.15 * (peak or 1.0))
    ax.set_xlabel(rf"Error of {labels.symbol(label)} ({labels.LABEL[label][1]})")
    ax.text(0.965, 0.95, "median (N)", transform=ax.transAxes, ha="right", va="top", fontsize=7, color=style.GREY)
    for i, (text, colour) in enumerate(lines):
        ax.text(0.965, 0.95 - 0.095 * (i + 1), text, transform=ax.transAxes, ha="right", va="top", fontsize=7, color=colour)
