"""Figure 21 of Guiglion et al. 2020: [alpha/M] of the CNN beside [alpha/Fe] of RAVE DR6 for the same spectra (Section 6.7)."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ...io import read_json, read_table
from .. import panels, style
from ..panels import Numbers
from . import labels

SIDES = {"cnn": "CNN", "dr6": "RAVE DR6"}
ROWS = {"kiel": "Kiel diagram", "dwarfs": "Dwarfs", "giants": "Giants"}
NAMES = {"cnn": ("[M/H]", r"[$\alpha$/M]"), "dr6": ("[Fe/H]", r"[$\alpha$/Fe]")}
COLUMNS = ["panel", "side", "x_lo", "x_hi", "y_lo", "y_hi", "count"]


def draw(inputs: dict, cfg: dict, simulated: bool) -> tuple[Figure, pd.DataFrame]:
    """Left the CNN, right RAVE DR6; Kiel diagram, dwarfs, giants; the axes of a row agree. Inputs `density`, `summary`."""
    table, summary = read_table(inputs["density"], COLUMNS), read_json(inputs["summary"])
    figure = style.new_figure(style.PAGE, 186, simulated)
    axes = figure.subplots(3, 2, sharex="row", sharey="row")
    norm, numbers = panels.log_norm([table]), Numbers()
    for row, name in enumerate(ROWS):
        for column, side in enumerate(SIDES):
            part = table[((table["panel"] == name) & (table["side"] == side)).to_numpy(bool)]
            _panel(axes[row, column], name, side, part, norm, summary, numbers)
        _limits(axes[row, 0], table[(table["panel"] == name).to_numpy(bool)], name == "kiel")
    bar = figure.colorbar(panels.ScalarMappable(norm, style.DENSITY_MAP), ax=axes, pad=0.01, aspect=45)
    bar.set_label("Spectra per cell")
    return figure, numbers.frame()


def _panel(ax: Axes, name: str, side: str, part: pd.DataFrame, norm, summary: dict, numbers: Numbers) -> None:
    key = f"{name}/{side}"
    kiel = name == "kiel"
    if kiel:
        ax.set(xlabel=labels.axis_label("teff"), ylabel=labels.axis_label("logg"))
    else:
        x, y = NAMES[side]
        ax.set(xlabel=f"{SIDES[side]} {x} (dex)", ylabel=f"{SIDES[side]} {y} (dex)")
    ax.set_title(f"{SIDES[side]}, {ROWS[name][:1].lower()}{ROWS[name][1:]}" if not kiel else SIDES[side], pad=3)
    n = int(part["count"].sum())
    total = summary["n"]["all" if kiel else name]
    if n:
        panels.density(ax, part, norm, numbers, key)
        if not kiel:
            ax.axhline(0, color=style.GREY, linewidth=0.5, linestyle="--", zorder=0)
    else:
        ax.text(0.5, 0.5, "no star passes the cuts" if not total else "no values", transform=ax.transAxes, ha="center", va="center",
                fontsize=7)
    beyond = f"\n{style.count(total - n)} not drawn" if total > n else ""
    panels.corner_text(ax, f"N = {style.count(total)}{beyond}", "upper left" if kiel else "upper right")
    numbers.add(key, "value", "n", value=total)
    shift = summary["shift"]["middle"]
    if name == "giants" and side == "cnn" and shift["bias"] is not None:
        value = labels.number(shift["bias"], "mh", signed=True, digits=2)
        text = f"mean [M/H] \N{MINUS SIGN} [Fe/H]$_\\mathrm{{DR6}}$ = {value} dex\nwhere \N{MINUS SIGN}1 < [M/H] < 0, dwarfs and giants"
        panels.corner_text(ax, text, "lower left")
        numbers.add(key, "value", "shift", value=shift["bias"])


def _limits(ax: Axes, cells: pd.DataFrame, kiel: bool) -> None:
    """Axes that hold all but a few of the spectra of both sides."""
    if cells.empty:
        ax.set(xlim=(0, 1), ylim=(0, 1), xticks=[], yticks=[])
        return
    share = 0.9995 if cells["count"].sum() > 5000 else 1.0
    (x_lo, x_hi), (y_lo, y_hi) = (panels.extent(cells, axis, share) for axis in "xy")
    ax.set_xlim((x_hi, x_lo) if kiel else (x_lo, x_hi))
    ax.set_ylim((y_hi, y_lo) if kiel else (y_lo, y_hi))
    panels.headroom(ax, 0.05)
