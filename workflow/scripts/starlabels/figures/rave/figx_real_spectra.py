"""Simulated spectra beside observed ones, the widths of their lines, and what a network makes of both."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from ...io import read_json, read_table
from .. import panels, style
from ..panels import Numbers
from . import labels

REAL, MODEL = style.BLACK, style.RED
SHOWN = ("Kepler-93", "Kepler-409", "HD122563", "HD140283")
MARKER = {"Gaia RVS": "o", "MIKE": "s", "LAMOST": "^"}
COLOUR = {"Gaia RVS": style.BLUE, "MIKE": "#D55E00", "LAMOST": "#009E73"}
STEP = 0.46  # between the spectra of LAMOST
RATIO = (0.3, 2.5)
PREDICTED = ("teff", "logg", "feh")


def draw(inputs: dict, cfg: dict, simulated: bool) -> tuple[Figure, pd.DataFrame]:
    """Spectra above, ratios of equivalent widths in the middle, labels of the network below; inputs `summary`, `lines`, `windows`."""
    summary, numbers = read_json(inputs["summary"]), Numbers()
    lines = read_table(inputs["lines"], ["survey", "star", "group", "line", "ratio"])
    windows = read_table(inputs["windows"], ["survey", "star", "group", "wavelength", "real", "model"])
    stars = [s for s in SHOWN if (windows["star"] == s).any()]
    groups = [g for g in sorted(windows.loc[windows["survey"] == "LAMOST", "group"].unique()) if "other" not in g]
    heights = [20] * len(stars) + ([8 + 13 * len(groups)] if groups else []) + [44] + ([44] if summary["network"] else [])
    figure = style.new_figure(style.PAGE, sum(heights) + 16 + (4 if simulated else 0), simulated)
    figure.get_layout_engine().set(w_pad=0.06)
    grid = figure.add_gridspec(len(heights), len(PREDICTED), height_ratios=heights)
    first = None
    for k, star in enumerate(stars):
        ax = figure.add_subplot(grid[k, :], sharex=first)
        first = first or ax
        _spectrum(ax, windows[windows["star"] == star], star, numbers)
    if groups:
        ax = figure.add_subplot(grid[len(stars), :], sharex=first)
        first = first or ax
        _lamost(ax, windows[windows["survey"] == "LAMOST"], groups, numbers)
    for ax in figure.axes[:-1]:
        ax.tick_params(labelbottom=False)
    figure.axes[-1].set_xlabel(r"Wavelength in air ($\mathrm{\AA}$)")
    first.set_xlim(8420, 8794)
    keys = [Line2D([], [], color=REAL, linewidth=1, label="observed"), Line2D([], [], color=MODEL, linewidth=1, label="simulated")]
    first.legend(handles=keys, loc="lower right", ncols=2)
    row = len(stars) + bool(groups)
    _ratios(figure.add_subplot(grid[row, :]), lines, list(summary["lines"]), numbers)
    if summary["network"]:
        for k, parameter in enumerate(PREDICTED):
            _labels(figure.add_subplot(grid[row + 1, k]), summary["network"], parameter, numbers, k == len(PREDICTED) - 1)
    return figure, numbers.frame()


def _spectrum(ax: Axes, part: pd.DataFrame, star: str, numbers: Numbers) -> None:
    part = part.sort_values("wavelength")
    for name, colour in (("real", REAL), ("model", MODEL)):
        ax.plot(part["wavelength"], part[name], color=colour, linewidth=0.8)
        numbers.add(star, "line", name, x=part["wavelength"], y=part[name])
    low = float(np.nanmin(part[["real", "model"]].to_numpy()))
    ax.set_ylim(low - 0.06, 1.22)
    ax.set_ylabel("Flux")
    panels.corner_text(ax, f"{part['survey'].iloc[0]}: {star}")


def _lamost(ax: Axes, part: pd.DataFrame, groups: list[str], numbers: Numbers) -> None:
    for k, group in enumerate(groups):
        own, offset = part[part["group"] == group].sort_values("wavelength"), STEP * (len(groups) - 1 - k)
        for name, colour in (("real", REAL), ("model", MODEL)):
            ax.plot(own["wavelength"], own[name] + offset, color=colour, linewidth=0.8)
            numbers.add("lamost", "line", f"{group}: {name}", x=own["wavelength"], y=own[name] + offset)
        ax.text(8556, 1.06 + offset, f"{group.removeprefix('LAMOST: ')}, {own['star'].iloc[0]}", fontsize=7, va="bottom")
    ax.set_ylim(0.55, 1.25 + STEP * (len(groups) - 1))
    ax.set_ylabel("LAMOST, flux + constant")


def _ratios(ax: Axes, lines: pd.DataFrame, order: list[str], numbers: Numbers) -> None:
    """Simulated over observed width of each line; a point a star; stars of a survey side by side."""
    known = [name for name in order if lines.loc[lines["line"] == name, "ratio"].notna().any()]
    surveys = [s for s in MARKER if (lines["survey"] == s).any()]
    for k, survey in enumerate(surveys):
        own = lines[(lines["survey"] == survey) & lines["ratio"].notna()]
        place = own["line"].map({name: i for i, name in enumerate(known)}).to_numpy(float)
        rank, size = own.groupby("line").cumcount().to_numpy(), own.groupby("line")["star"].transform("size").to_numpy()
        x = place + 0.26 * (k - (len(surveys) - 1) / 2) + 0.20 * ((rank + 0.5) / size - 0.5)
        ratio = own["ratio"].to_numpy(float)
        ax.plot(x, np.clip(ratio, *RATIO), MARKER[survey], color=COLOUR[survey], markersize=2.6, markerfacecolor="none",
                markeredgewidth=0.7, label=survey)
        numbers.add("ratios", "point", survey, x=x, y=ratio, text=own["line"] + ", " + own["star"])
    ax.axhline(1.0, color=style.GREY, linewidth=0.6, zorder=0)
    ax.set_yscale("log")
    ax.set_ylim(0.95 * RATIO[0], 1.05 * RATIO[1])
    ax.yaxis.set_major_locator(FixedLocator([0.3, 0.5, 0.7, 1.0, 1.5, 2.0]))
    ax.yaxis.set_minor_locator(NullLocator())
    ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    ax.set_xticks(range(len(known)), [name.replace(" wings", "\nwings") for name in known], rotation=90)
    ax.tick_params(axis="x", which="minor", bottom=False, top=False)
    ax.set_xlim(-0.6, len(known) - 0.4)
    ax.set_ylabel("Equivalent width,\nsimulated / observed")
    ax.legend(loc="upper right", ncols=len(surveys))


def _labels(ax: Axes, rows: list[dict], parameter: str, numbers: Numbers, key: bool) -> None:
    """Labels that the network gives the observed (filled) and the simulated spectrum (open) of a star, against the literature."""
    values = []
    for row in rows:
        if parameter not in row["labels"]:
            continue
        (real, real_error, _), (model, model_error, _) = row["observed"][parameter], row["simulated"][parameter]
        x = row["labels"][parameter]
        style_of = {"color": COLOUR[row["survey"]], "marker": MARKER[row["survey"]], "markersize": 3.8, "elinewidth": 0.6}
        ax.plot([x, x], [real, model], color=style.LIGHT, linewidth=0.7, zorder=0)
        ax.errorbar(x, real, real_error, **style_of)
        ax.errorbar(x, model, model_error, markerfacecolor="white", **style_of)
        numbers.add(parameter, "point", ["observed", "simulated"], x=[x, x], y=[real, model], value=[real_error, model_error],
                    text=[row["star"]] * 2)
        values += [x, real, model]
    if values:
        low, high = min(values), max(values)
        ends = np.array([low - 0.08 * (high - low), high + 0.08 * (high - low)])
        ax.plot(ends, ends, color=style.GREY, linewidth=0.6, zorder=0)
        ax.set_xlim(*ends)
        ax.set_ylim(*ends)
        numbers.add(parameter, "line", "one to one", x=ends, y=ends)
    panels.inner_ticks(ax)
    ax.set_xlabel(labels.axis_label(parameter, "Literature"))
    ax.set_ylabel(labels.axis_label(parameter, "CNN"))
    if key:
        mark = {"marker": "o", "color": style.GREY, "linestyle": "", "markersize": 3.8}
        marks = [Line2D([], [], label="observed spectrum", **mark), Line2D([], [], label="simulated", markerfacecolor="white", **mark)]
        ax.legend(handles=marks, loc="lower right")
