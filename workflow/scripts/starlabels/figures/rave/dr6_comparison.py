"""Figures 15 and 16 of Guiglion et al. 2020: a label against another pipeline of RAVE DR6 (Sections 6.2 and 6.3)."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter, MaxNLocator

from ...io import read_json, read_table
from .. import panels, style
from ..panels import Numbers
from . import pairs
from .labels import axis_label

COLUMNS = {"labels": ("APOGEE label", "training"), "trained": ("Trained", "training"), "predicted": ("Predicted", "observed")}
PART_NAME = {"dwarf": "dwarfs", "giant": "giants", "hot": "hot", "cool": "cool"}
PART_COLOUR = {"dwarf": style.ROLE["dwarf"], "giant": "#B87700", "hot": style.BLUE, "cool": "#AA4499"}
LEFT, WIDTH, GAP = 14.5, 42.5, 15.5                       # mm
TOP, MIDDLE, LOW, BETWEEN, BAR = 42.5, 18.0, 27.0, 9.5, 22.0
SHOWN = 0.999                                             # share of the stars that the axes hold


def draw(inputs: dict, cfg: dict, simulated: bool) -> tuple[Figure, pd.DataFrame]:
    """Three columns (label, trained, predicted): densities one-to-one and of the residual, histogram of the difference.

    Inputs `summary`, `density` (panel, kind, cells, count), `histogram` (panel, part, lo, hi, count).
    """
    summary, numbers = read_json(inputs["summary"]), Numbers()
    cells = read_table(inputs["density"], ["panel", "kind", *panels.EDGES, "count"])
    bars = read_table(inputs["histogram"], ["panel", "part", "lo", "hi", "count"])
    height = BAR + LOW + BETWEEN + MIDDLE + 2 + TOP + 6 + (4 if simulated else 0)
    figure = style.new_figure(style.PAGE, height, simulated, layout=None)
    one, residual = (cells[cells["kind"] == kind] for kind in ("one_to_one", "residual"))
    norm, limits = panels.log_norm([cells]), _limits(one)
    reach = _reach(residual)
    for i, name in enumerate(COLUMNS):
        left = LEFT + i * (WIDTH + GAP)
        upper = style.axes_mm(figure, left, BAR + LOW + BETWEEN + MIDDLE + 2, WIDTH, TOP)
        middle = style.axes_mm(figure, left, BAR + LOW + BETWEEN, WIDTH, MIDDLE)
        lower = style.axes_mm(figure, left, BAR, WIDTH, LOW)
        _plane(upper, middle, name, summary, one, residual, norm, limits, reach, numbers)
        _histogram(lower, name, summary, bars[bars["panel"] == name], reach, numbers)
        if i == 0:
            lower.set_ylabel("Spectra", labelpad=1.5)
    panels.colour_bar(figure, style.axes_mm(figure, 0.3 * style.PAGE, 10.0, 0.4 * style.PAGE, 1.6), norm, "Spectra per cell", "horizontal")
    return figure, numbers.frame()


def _limits(one: pd.DataFrame) -> tuple[float, float]:
    """One range for all columns and both axes, with room for the statistics in the upper left corner."""
    parts = [panels.extent(group, axis, share=SHOWN, pad=0.02) for _, group in one.groupby("panel") for axis in "xy"]
    if not parts:
        return 0.0, 1.0
    low, high = min(p[0] for p in parts), max(p[1] for p in parts)
    inside = one[(one["x_lo"] >= low) & (one["y_hi"] <= high)]
    return pairs.with_room((low, high), inside["x_lo"], inside["y_hi"], WIDTH, TOP, 3)


def _reach(residual: pd.DataFrame) -> float:
    """Half the range of the differences, alike for all columns."""
    parts = [panels.extent(group, "y", share=SHOWN - 0.004, pad=0.05) for _, group in residual.groupby("panel")]
    return max((abs(v) for p in parts for v in p), default=1.0)


def _plane(upper: Axes, middle: Axes, name: str, summary: dict, one: pd.DataFrame, residual: pd.DataFrame, norm, limits, reach: float,
           numbers: Numbers) -> None:
    (origin, sample), label, found = COLUMNS[name], summary["parameter"], summary["panels"][name]["all"]
    upper.set_title(f"{origin}, {sample} sample", pad=3)
    if found["n"]:
        panels.density(upper, one[one["panel"] == name], norm, numbers, f"{name}/one_to_one")
        panels.density(middle, residual[residual["panel"] == name], norm, numbers, f"{name}/residual")
        panels.corner_text(upper, pairs.statistics_text(found, label), bbox=None)
        pairs.note(numbers, f"{name}/one_to_one", found)
    else:
        panels.corner_text(upper, "N = 0\nno star in common", bbox=None)
        numbers.add(f"{name}/one_to_one", "value", "n", value=0.0)
    pairs.one_to_one(upper, limits, numbers, f"{name}/one_to_one", over=True)
    pairs.zero_line(middle, numbers, f"{name}/residual", over=True)
    middle.set(xlim=limits, ylim=(-reach, reach))
    middle.xaxis.set_major_locator(MaxNLocator(5, steps=pairs.STEPS))
    middle.yaxis.set_major_locator(MaxNLocator(3, steps=pairs.STEPS, symmetric=True))
    upper.tick_params(labelbottom=False)
    upper.set_ylabel(axis_label(label, origin), labelpad=1.5)
    middle.set_ylabel(axis_label(label, delta=True), labelpad=1.5)
    middle.set_xlabel(axis_label(label, summary["reference"]), labelpad=1.5)


def _histogram(ax: Axes, name: str, summary: dict, bars: pd.DataFrame, reach: float, numbers: Numbers) -> None:
    label, found = summary["parameter"], summary["panels"][name]
    ax.set_xlabel(axis_label(label, delta=True), labelpad=1.5)
    ax.set_xlim(-reach, reach)
    ax.xaxis.set_major_locator(MaxNLocator(5, steps=pairs.STEPS, symmetric=True))
    if not found["all"]["n"]:
        pairs.empty(ax, "no star in common")
        return
    whole = bars[bars["part"] == "all"]
    ax.stairs(whole["count"], np.append(whole["lo"], whole["hi"].iloc[-1:]), fill=True, color=style.LIGHT, linewidth=0)
    numbers.add(f"{name}/histogram", "bar", "all", x_lo=whole["lo"], x_hi=whole["hi"], value=whole["count"])
    for part, corner in ((summary["split"]["above"], "upper left"), (summary["split"]["below"], "upper right")):
        table = bars[bars["part"] == part]
        if len(table):
            panels.step_histogram(ax, table, numbers, f"{name}/histogram", part, color=PART_COLOUR[part], linewidth=0.9)
        panels.corner_text(ax, _part_text(found[part], label, PART_NAME[part]), corner, color=PART_COLOUR[part], bbox=None)
        pairs.note(numbers, f"{name}/histogram", found[part], part)
    ax.axvline(0, ymax=0.52, color=style.ROLE["fit"], linestyle="--", linewidth=0.9)
    numbers.add(f"{name}/histogram", "line", "zero", x=0.0)
    ax.set_ylim(0, 2.0 * whole["count"].max())
    ax.yaxis.set_major_locator(MaxNLocator(4, steps=pairs.STEPS, integer=True))
    ax.yaxis.set_major_formatter(EngFormatter(sep=""))


def _part_text(found: dict, label: str, name: str) -> str:
    lines = pairs.statistics_text(found, label).replace("no star in common", "N = 0").replace("N = ", f"{name}: ").split("\n")
    return "\n".join(line.replace("mean = ", "mean ") for line in lines)
