"""Figure 12 of Gu et al. 2025: the distribution of photometric [Fe/H] in both catalogues (Section 4)."""

import math

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ...errors import InputError
from ...io import read_json, read_table
from .. import panels, style
from ..panels import Numbers

SHARE = 0.38      # width of a bar, in intervals
PANEL_MM = 70.0   # width of a panel
COLUMNS = (0.035, 0.30, 0.47)     # of the shares: left end of the first, right ends of the others
DIGITS_MM = 2.6   # a count on its side needs that much


def draw(inputs: dict, cfg: dict, simulated: bool) -> tuple[Figure, pd.DataFrame]:
    """A panel a data set, dwarfs and giants side by side, the count over every bar; inputs `histogram`, `fractions`."""
    table = read_table(inputs["histogram"], ["data_set", "star_class", "lo", "hi", "count"])
    fractions = read_json(inputs["fractions"])["data_sets"]
    sets = [int(s) for s in np.sort(table.loc[table["count"] > 0, "data_set"].unique())]
    if not sets:
        raise InputError(inputs["histogram"], "holds no star", "Check the cuts for the prediction")
    columns = min(len(sets), 2)
    rows = math.ceil(len(sets) / columns)
    figure = style.new_figure(style.PAGE if columns > 1 else style.COLUMN, 88 * rows, simulated)
    axes, numbers = figure.subplots(rows, columns, squeeze=False, sharex=True, sharey=True).ravel(), Numbers()
    full = table[table["count"] > 0]             # the panels share their axes
    slots = 2 * (full["hi"].max() - full["lo"].min()) / (full["hi"] - full["lo"]).min()
    for ax, data_set in zip(axes, sets, strict=False):
        _panel(ax, table[table["data_set"] == data_set], data_set, slots, numbers)
        _fractions(ax, data_set, fractions[str(data_set)], numbers)
    panels.log_counts(axes[0])
    axes[0].set_ylim(0.5, 40 ** 1.5 * table["count"].max())
    for ax in axes[::columns]:
        ax.set_ylabel("Stars")
    for ax in axes[len(sets):]:
        ax.remove()
    return figure, numbers.frame()


def notes(inputs: dict, cfg: dict, simulated: bool) -> str:
    """Where the dwarfs are counted that stand in too poor an interval; known on a simulated sky only."""
    if not simulated:
        return ""
    pages = [f"figx_truth_set{k}" for k in sorted(read_json(inputs["fractions"])["data_sets"], key=int)]
    return f"The poor intervals hold dwarfs that are metal-rich in truth too: their number stands in the caption of {' and '.join(pages)}."


def _panel(ax: Axes, part: pd.DataFrame, data_set: int, slots: float, numbers: Numbers) -> None:
    part = part[part["count"] > 0]
    classes = [c for c in ("dwarf", "giant") if (part["star_class"] == c).any()]
    for i, star_class in enumerate(classes):
        bars = part[part["star_class"] == star_class].sort_values("lo")
        width = SHARE * (bars["hi"] - bars["lo"])
        centre = 0.5 * (bars["lo"] + bars["hi"]) + (i - 0.5 * (len(classes) - 1)) * width
        ax.bar(centre, bars["count"] - 0.5, width, bottom=0.5, color=style.ROLE[star_class], edgecolor="black", linewidth=0.4,
               label=f"{style.CLASS_NAME[star_class]} ({style.count(bars['count'].sum())})")
        for x, n in zip(centre, bars["count"], strict=True):
            if slots * DIGITS_MM <= PANEL_MM:
                ax.text(x, 1.25 * n, style.count(n), rotation=90, ha="center", va="bottom", fontsize=7)
        numbers.add(f"set {data_set}", "bar", star_class, x_lo=bars["lo"], x_hi=bars["hi"], value=bars["count"])
    total = part.loc[part["star_class"].isin(classes), "count"].sum()
    ax.set_title(f"Data set {data_set}, N = {style.count(total)}", pad=3)
    numbers.add(f"set {data_set}", "value", "n", value=total)
    ax.set_xlabel(style.parameter_label("feh", "photometric"))
    ax.tick_params(axis="x", which="minor", top=False, bottom=False)
    ax.tick_params(axis="x", labelbottom=True)
    ax.legend(loc="upper right", ncols=1)


def _fractions(ax: Axes, data_set: int, found: dict, numbers: Numbers) -> None:
    ours, theirs = found["fractions"], found["published"] or {}
    columns = [["[Fe/H]"], ["this work"], ["Gu et al."]]
    for name, limit in sorted(found["limits"].items(), key=lambda item: -item[1]):
        columns[0].append(f"\N{LESS-THAN OR EQUAL TO} {limit:g}".replace("-", "\N{MINUS SIGN}"))
        for cells, shares in ((columns[1], ours), (columns[2], theirs)):
            cells.append("-" if shares.get(name) is None else f"{100 * shares[name]:.2f} %")
        for series, shares in (("this work", ours), ("paper", theirs)):
            if shares.get(name) is not None:
                numbers.add(f"set {data_set}", "fraction", series, x=limit, value=shares[name])
    for cells, x in zip(columns if theirs else columns[:2], COLUMNS, strict=False):
        text = panels.corner_text(ax, "\n".join(cells), "upper left" if x == COLUMNS[0] else "upper right", linespacing=1.35)
        text.set_x(x)
