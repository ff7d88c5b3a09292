"""A page of comparisons, one block a model: one-to-one density, residual histogram, residuals against the reference.

Figures 6, 7, 9 and 10 of Gu et al. 2025 and their companions against the simulated truth are all such pages.
"""

import math
import os
from collections.abc import Sequence

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from ..errors import InputError
from ..io import read_json, read_table
from . import panels, style
from .panels import Numbers

ORDER = ("feh_dwarf", "feh_giant", "teff_dwarf", "teff_giant", "logg_all")
ORDER_OF_FIVE = ("feh_dwarf", "feh_giant", "logg_all", "teff_dwarf", "teff_giant")   # three columns: Teff below [Fe/H]
# a block in millimetres: outer size, and inside it the upper panel and the two lower ones
LEFT, RIGHT, TOP, BOTTOM, GAP = 12.5, 2.5, 5.0, 8.5, 8.5
LOWER, HISTOGRAM, BETWEEN = 18.0, 12.0, 1.2
STEPS = (1, 2, 5, 10)
METALLICITY = {"A23": "[M/H]"}       # what a catalogue gives in the place of [Fe/H]
LINE_MM, WORDS_MM = 3.8, 22.0     # height of a line of text and width of the texts in a panel, with some room
TRUTH = "true"            # what the axes call the truth of a simulated sky
MOST_ROOM = 0.1           # that an axis grows at most at an end, as a share of its length, for texts
SHOWN = 0.99              # share of the stars that the residual panels hold at least


def draw_page(inputs: dict[str, str | os.PathLike], simulated: bool, line: str = style.BLACK) -> tuple[Figure, pd.DataFrame]:
    """Draw every panel that the summary holds; a class without stars is left out.

    Parameters
    ----------
    inputs : dict
        `summary` (JSON: panels, x, y), `density` (panel, kind, x_lo, x_hi, y_lo, y_hi, count), `histogram` (panel, lo, hi, count).
    line : str
        Colour of the one-to-one and zero lines.

    Raises
    ------
    InputError
        When no panel has a star.
    """
    summary = read_json(inputs["summary"])
    cells = read_table(inputs["density"], ["panel", "kind", *panels.EDGES, "count"])
    bars = read_table(inputs["histogram"], ["panel", "lo", "hi", "count"])
    names = [p for p in (*ORDER, *sorted(set(summary["panels"]) - set(ORDER))) if (summary["panels"].get(p) or {}).get("n")]
    if not names:
        raise InputError(inputs["summary"], "holds no panel with stars", "Check the cuts and the cross-match: no star is in common")
    if set(names) == set(ORDER_OF_FIVE):
        names = list(ORDER_OF_FIVE)
    columns = 3 if len(names) > 4 else min(len(names), 2)
    rows = math.ceil(len(names) / columns)
    width = style.PAGE if columns > 1 else style.COLUMN
    block_w, bar_room = width / columns, 0.0
    upper = 42.0 if columns == 3 else 48.0
    block_h = TOP + upper + GAP + LOWER + BOTTOM
    spare = columns * rows - len(names)
    if not spare:
        bar_room = 12.0
    head = 3.0 if simulated else 0.0
    figure = style.new_figure(width, rows * block_h + bar_room + head, simulated, layout=None)
    norm = panels.log_norm([cells[cells["panel"].isin(names)]])
    numbers = Numbers()
    for i, name in enumerate(names):
        row, column = divmod(i, columns)
        place = (column * block_w, bar_room + (rows - 1 - row) * block_h, block_w, upper)
        part = cells[cells["panel"] == name]
        _block(figure, place, name, summary, part, bars[bars["panel"] == name], norm, line, numbers)
    if spare:
        bottom = 0.5 * block_h
        ax = style.axes_mm(figure, (columns - spare) * block_w + LEFT, bottom, block_w - LEFT - 4, 3.0)
    else:
        ax = style.axes_mm(figure, 0.25 * width, 8.5, 0.5 * width, 2.5)
    panels.colour_bar(figure, ax, norm, orientation="horizontal")
    return figure, numbers.frame()


def _block(figure: Figure, place: tuple[float, float, float, float], name: str, summary: dict, cells: pd.DataFrame, bars: pd.DataFrame,
           norm: LogNorm, line: str, numbers: Numbers) -> None:
    """One model: three axes at `place` = (left, bottom, width, height of the upper panel), all in mm."""
    left, bottom, block_w, upper = place
    parameter, _, star_class = name.rpartition("_")
    fit = summary["panels"][name]
    width = block_w - LEFT - RIGHT
    top_ax = style.axes_mm(figure, left + LEFT, bottom + BOTTOM + LOWER + GAP, width, upper)
    hist_ax = style.axes_mm(figure, left + LEFT, bottom + BOTTOM, HISTOGRAM, LOWER)
    low_ax = style.axes_mm(figure, left + LEFT + HISTOGRAM + BETWEEN, bottom + BOTTOM, width - HISTOGRAM - BETWEEN, LOWER)

    one = cells[cells["kind"] == "one_to_one"]
    panels.density(top_ax, one, norm, numbers, f"{name}/one_to_one")
    clean = (summary.get("splits", {}).get("leakage_free") or {}).get(name) or {}
    texts = [(f"N = {style.count(fit['n'])}\n{statistics(fit, parameter)}", "upper left"),
             (without_training(fit, clean, parameter), "lower right")]
    if summary["x"] == TRUTH and fit.get("std") is not None:      # the fitted Gaussian does not see the tails
        deviation = f"SD = {style.number(fit['std'], parameter)} {style.PARAMETER.get(parameter, ('', ''))[1]}"
        texts[0] = (f"{texts[0][0]}\n{deviation}", "upper left")
        numbers.add(f"{name}/one_to_one", "value", "std", value=float(fit["std"]))
    limits, clear = _common_limits(one, [len(words.splitlines()) * LINE_MM / upper for words, _ in texts], WORDS_MM / width)
    top_ax.plot(limits, limits, color=line, linestyle="--", linewidth=1.0, path_effects=panels.HALO, zorder=3)
    top_ax.set(xlim=limits, ylim=limits)
    top_ax.set_xlabel(_x_label(parameter, summary["x"]), labelpad=1.5)
    top_ax.set_ylabel(style.parameter_label(parameter, summary["y"]), labelpad=1.5)
    for axis in (top_ax.xaxis, top_ax.yaxis):
        axis.set_major_locator(MaxNLocator(5, steps=STEPS))
    top_ax.set_title(f"{style.PARAMETER.get(parameter, (parameter,))[0]}, {style.CLASS_NAME.get(star_class, star_class).lower()}", pad=2.5)
    for words, where in texts:
        panels.corner_text(top_ax, words, where, **({"bbox": None} if clear else {}))
    numbers.add(f"{name}/one_to_one", "line", "one-to-one", x=limits, y=limits)
    for key in ("n", "mean", "sigma"):
        if fit.get(key) is not None:
            numbers.add(f"{name}/one_to_one", "value", key, value=float(fit[key]))
        if clean.get(key) is not None:
            numbers.add(f"{name}/one_to_one", "value", f"{key} clean", value=float(clean[key]))

    _lower(hist_ax, low_ax, name, fit, cells[cells["kind"] == "residual"], bars, norm, line, numbers)
    low_ax.set_xlim(limits)
    panels.inner_ticks(low_ax, most=4 if block_w < 80 else 6)
    low_ax.set_xlabel(_x_label(parameter, summary["x"]), labelpad=1.5, fontsize=7)
    hist_ax.set_xlabel("Stars", labelpad=1.5, fontsize=7)
    hist_ax.set_ylabel(style.parameter_label(parameter, delta=True), labelpad=1.5)


def _lower(hist_ax: Axes, low_ax: Axes, name: str, fit: dict, residual: pd.DataFrame, bars: pd.DataFrame, norm: LogNorm, line: str,
           numbers: Numbers) -> None:
    panels.density(low_ax, residual, norm, numbers, f"{name}/residual")
    if len(bars):
        panels.residual_histogram(hist_ax, bars, fit, numbers, f"{name}/histogram", style.RED)
    low, high = panels.extent(residual, "y", share=SHOWN, pad=0.1)
    if panels.has_fit(fit):
        low, high = min(low, fit["mean"] - 5 * fit["sigma"]), max(high, fit["mean"] + 5 * fit["sigma"])
    for ax in (hist_ax, low_ax):
        ax.axhline(0, color=line, linestyle="--", linewidth=0.8, path_effects=panels.HALO, zorder=3)
        ax.set_ylim(low, high)
        ax.yaxis.set_major_locator(MaxNLocator(4, steps=STEPS))
    low_ax.tick_params(labelleft=False)
    numbers.add(f"{name}/residual", "line", "zero", y=0.0)


def _x_label(parameter: str, origin: str) -> str:
    label = style.parameter_label(parameter, origin)
    return label.replace(style.PARAMETER["feh"][0], METALLICITY.get(origin, style.PARAMETER["feh"][0]))


def _common_limits(one: pd.DataFrame, heights: Sequence[float], width: float) -> tuple[tuple[float, float], bool]:
    """The same range on both axes: wide enough for every star drawn, and for texts in the upper left and the lower right corner.

    The range grows, at most by `MOST_ROOM` at an end, until no cell lies below a text (`heights` and `width` are shares of the
    panel); the second value says whether that was enough.
    """
    x, y = panels.extent(one, "x", pad=0.02), panels.extent(one, "y", pad=0.02)
    low, high = min(x[0], y[0]), max(x[1], y[1])
    step = 0.01 * (high - low)
    full = one[one["count"] > 0]
    for grown in range(round(100 * MOST_ROOM) + 1):
        size = high - low
        above = ((full["x_lo"] < low + width * size) & (full["y_hi"] > high - heights[0] * size)).any()
        below = ((full["x_hi"] > high - width * size) & (full["y_lo"] < low + heights[1] * size)).any()
        if not above and not below:
            return (low, high), True
        if grown == round(100 * MOST_ROOM):
            break
        # room for a text is made at the end of the axis where it stands
        low, high = low - step * below, high + step * above
    return (low, high), False


def without_training(fit: dict, clean: dict, parameter: str) -> str:
    """Number, mean and width of the test stars that are not in the training sample too; empty where none is."""
    if not clean.get("n") or clean["n"] == fit["n"]:
        return ""
    found = f"\n{statistics(clean, parameter)}" if panels.has_fit(clean) else ""
    return f"clean: N = {style.count(clean['n'])}{found}"


def statistics(fit: dict, parameter: str) -> str:
    """Mean and width of the fitted Gaussian as printed in a panel; median and robust width where no fit was possible."""
    unit = style.PARAMETER.get(parameter, ("", ""))[1]
    if panels.has_fit(fit):
        return f"$\\mu$ = {style.number(fit['mean'], parameter)} {unit}\n$\\sigma$ = {style.number(fit['sigma'], parameter)} {unit}"
    if fit.get("median") is None:
        return "too few stars to fit"
    width = fit.get("robust_sigma")
    second = f"\nrobust $\\sigma$ = {style.number(width, parameter)} {unit}" if width is not None else ""
    return f"median = {style.number(fit['median'], parameter)} {unit}{second}"
