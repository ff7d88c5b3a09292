"""Figures 9, 11 and A.1 to A.4 of Guiglion et al. 2020: abundance patterns in bins of Teff and log g (Section 4.2.2, Appendix A).

The inputs decide what is drawn: `training` gives a grid of dots, `observed` one of densities, both together one above the other.
"""

import math

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from ...errors import InputError
from ...io import read_json, read_table
from .. import panels, style
from ..panels import Numbers
from . import kiel, labels

BIN = ["teff_lo", "teff_hi", "logg_lo", "logg_hi"]
TITLE = {"training": "Training sample", "observed": "Observed sample"}
INSET = (0.012, 0.02, 0.31, 0.36)       # of a panel: left, bottom, width, height
PAGE_MM = 234.0                         # highest page
# millimetres: left and right of a grid, between columns, above it, below it, title of a panel, strip of the colour bar
LEFT, RIGHT, BETWEEN, HEAD, FOOT, NAME, BAR = 12.0, 2.0, 1.4, 5.5, 9.0, 3.9, 12.0
HIGHEST = 38.0                          # panel
SHOWN = 0.998                           # share of the stars between the ends of the vertical axis, at least
WIDEST = (-2.5, 0.8)                    # of the horizontal axis: halo stars are few, and are to be seen
ROOM = 4.0                              # mm above the stars for their number


def draw(inputs: dict, cfg: dict, simulated: bool) -> tuple[Figure, pd.DataFrame]:
    """A panel a bin that holds enough stars; inputs `kiel`, `summary` and one or both of `training`, `observed`."""
    samples = [s for s in TITLE if s in inputs]
    tables = {s: _read(inputs[s], s) for s in samples}
    diagram, summary, numbers = read_table(inputs["kiel"], ["sample", *panels.EDGES, "count"]), read_json(inputs["summary"]), Numbers()
    bins = {s: _bins(t) for s, t in tables.items()}
    most = max(map(len, bins.values()))
    columns = 6 if most > 30 else 5 if len(samples) > 1 or most > 20 else 4
    rows = {s: math.ceil(len(b) / columns) for s, b in bins.items()}
    fixed = len(samples) * (HEAD + FOOT) + (BAR if "observed" in samples else 0.0) + (4.0 if simulated else 0.0)
    pitch = min(HIGHEST + NAME, (PAGE_MM - fixed) / sum(rows.values()))
    figure = style.new_figure(style.PAGE, fixed + pitch * sum(rows.values()), simulated, layout=None)
    limits = _limits(list(tables.values()), ROOM / (pitch - NAME))
    bottom = BAR if "observed" in samples else 0.0
    for sample in reversed(samples):
        own = diagram[diagram["sample"] == sample]
        _grid(figure, bottom, pitch, columns, sample, tables[sample], bins[sample], own, summary[sample], limits, numbers)
        bottom += HEAD + FOOT + pitch * rows[sample]
    return figure, numbers.frame()


def notes(inputs: dict, cfg: dict, simulated: bool) -> str:
    """What the caption adds: the fewest spectra of a panel."""
    return f"Bins of fewer than {cfg['validation']['bin_min_stars']} spectra are left out."


def _read(path, sample: str) -> pd.DataFrame:
    values = ["x", "y"] if sample == "training" else [*panels.EDGES, "count"]
    table = read_table(path, [*BIN, "x_label", "y_label", *values])
    if table.empty:
        raise InputError(path, f"holds no bin with enough stars of the {sample} sample", "Lower rave.validation.bin_min_stars")
    if sample == "training":             # a star is a cell of no width
        table = table.assign(x_lo=table["x"], x_hi=table["x"], y_lo=table["y"], y_hi=table["y"], count=1)
    return table


def _bins(table: pd.DataFrame) -> pd.DataFrame:
    """Bins in the order of the panels: giants first, cool ones first."""
    return table[BIN].drop_duplicates().sort_values(["logg_lo", "teff_lo"], ignore_index=True)


def _limits(tables: list[pd.DataFrame], room: float) -> tuple[tuple[float, float], tuple[float, float]]:
    """Common axes: nearly all stars inside, all metallicities within `WIDEST`.

    None of their bulk lies below the inset, a share `room` of the panel above them is free.
    """
    x = [panels.extent(t, "x", 1.0, 0.03) for t in tables]
    y = [panels.extent(t, "y", SHOWN, 0.03) for t in tables]
    x_low, x_high = max(min(v[0] for v in x), WIDEST[0]), min(max(v[1] for v in x), WIDEST[1])
    low, high = min(v[0] for v in y), max(v[1] for v in y)
    high += room / (1 - room) * (high - low)
    step = 0.02 * (high - low)
    border = x_low + (INSET[0] + INSET[2]) * (x_high - x_low)
    below = pd.concat([t.loc[t["x_lo"] < border, ["y_lo", "count"]] for t in tables]).sort_values("y_lo")
    if len(below):                       # the inset's upper edge stays below all but a few of the stars above it
        share = np.cumsum(below["count"].to_numpy(float)) / below["count"].sum()
        floor = float(below["y_lo"].to_numpy()[np.searchsorted(share, 0.02)])
        for _ in range(40):
            if low + (INSET[1] + INSET[3]) * (high - low) <= floor:
                break
            low -= step
    return (x_low, x_high), (low, high)


def _grid(figure: Figure, bottom: float, pitch: float, columns: int, sample: str, table: pd.DataFrame, bins: pd.DataFrame,
          diagram: pd.DataFrame, found: dict, limits, numbers: Numbers) -> None:
    """One grid of panels; its lower edge is at `bottom`, its rows are `pitch` apart (mm)."""
    norm, rows = panels.log_norm([table]), math.ceil(len(bins) / columns)
    width = (style.PAGE - LEFT - RIGHT - (columns - 1) * BETWEEN) / columns
    for k, entry in enumerate(bins.itertuples(index=False)):
        row, column = divmod(k, columns)
        ax = style.axes_mm(figure, LEFT + column * (width + BETWEEN), bottom + FOOT + (rows - 1 - row) * pitch, width, pitch - NAME)
        own = table[(table["teff_lo"] == entry.teff_lo) & (table["logg_lo"] == entry.logg_lo)]
        name = f"{sample} {entry.teff_lo:g}-{entry.teff_hi:g} K, log g {entry.logg_lo:g}-{entry.logg_hi:g}"
        _panel(ax, sample, own, norm, numbers, name)
        ax.set(xlim=limits[0], ylim=limits[1])
        _inset(ax, diagram, entry, numbers, name)
        text = "{:g}\N{EN DASH}{:g}, {:g}\N{EN DASH}{:g}" if columns > 5 else "{:g}\N{EN DASH}{:g} K, $\\log\\,g$ {:g}\N{EN DASH}{:g}"
        ax.set_title(text.format(*entry), fontsize=7, pad=2.4)
        panels.inner_ticks(ax, most=4, edge=0.03)
        ax.yaxis.set_major_locator(MaxNLocator(4, steps=(1, 2, 5, 10), prune="both"))
        ax.tick_params(labelbottom=k + columns >= len(bins), labelleft=column == 0)
    height = figure.get_size_inches()[1] / style.MM
    middle = LEFT + 0.5 * (style.PAGE - LEFT - RIGHT)
    shown = sum(b["n"] for b in found["bins"])
    title = f"{TITLE[sample]}, N = {style.count(found['n'])}" + ("" if shown == found["n"] else f", {style.count(shown)} in the bins shown")
    place = {"ha": "center", "va": "center", "fontsize": 8}
    figure.text(middle / style.PAGE, (bottom + FOOT + rows * pitch + 2.2) / height, title, **place)
    figure.text(middle / style.PAGE, (bottom + 2.6) / height, labels.axis_label(table["x_label"].iloc[0]), **place)
    y = labels.axis_label(table["y_label"].iloc[0])
    figure.text(2.6 / style.PAGE, (bottom + FOOT + 0.5 * rows * pitch) / height, y, rotation=90, **place)
    numbers.add(sample, "value", ["n", "n shown"], value=[found["n"], shown])
    if sample == "observed":
        kiel.bar(figure, style.axes_mm(figure, 0.3 * style.PAGE, 9.2, 0.4 * style.PAGE, 1.8), norm, style.DENSITY_MAP, "Stars per cell",
                 into=True, orientation="horizontal")


def _panel(ax: Axes, sample: str, own: pd.DataFrame, norm: LogNorm, numbers: Numbers, name: str) -> None:
    if sample == "training":
        ax.plot(own["x"], own["y"], linestyle="", marker="o", markersize=1.4, markeredgewidth=0, color=style.RED)
        numbers.add(name, "point", "training", x=own["x"], y=own["y"])
    else:
        panels.density(ax, own, norm, numbers, name)
    total = own["count"].sum()
    panels.corner_text(ax, f"N = {style.count(total)}", "upper right")
    ax.tick_params(which="both", right=False)              # one beside the number would read as a full stop
    numbers.add(name, "value", "n", value=total)


def _inset(ax: Axes, diagram: pd.DataFrame, entry, numbers: Numbers, name: str) -> None:
    """The Kiel diagram of the sample in blue, the stars of the bin in red."""
    inset = ax.inset_axes(INSET)
    x, y = 0.5 * (diagram["x_lo"] + diagram["x_hi"]), 0.5 * (diagram["y_lo"] + diagram["y_hi"])
    inside = x.between(entry.teff_lo, entry.teff_hi) & y.between(entry.logg_lo, entry.logg_hi)
    for mask, colour in ((~inside, style.BLUE), (inside, style.RED)):
        inset.plot(x[mask], y[mask], linestyle="", marker="s", markersize=0.9, markeredgewidth=0, color=colour)
    inset.set(xlim=kiel.TEFF_LIMITS, ylim=kiel.LOGG_LIMITS, xticks=[], yticks=[])
    inset.minorticks_off()
    inset.tick_params(which="both", length=0)
    for edge in inset.spines.values():
        edge.set_linewidth(0.4)
    numbers.add(name, "inset", "cells of the bin", value=int(inside.sum()))
