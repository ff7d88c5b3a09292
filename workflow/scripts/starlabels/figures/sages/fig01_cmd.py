"""Figure 1 of Gu et al. 2025: the classes of stars in the colour-magnitude diagram (Section 2.1)."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, LogNorm, to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from ...errors import InputError
from ...io import read_json, read_table
from ...sages.classes import borders
from .. import panels, style
from ..panels import Numbers

CLASSES = ("dwarf", "giant", "hot_subdwarf", "white_dwarf", "unclassified")
LINE = {"giant": "-", "white_dwarf": "--", "hot_subdwarf": ":"}
BORDER_NAME = {"giant": "giant border", "white_dwarf": "white-dwarf border", "hot_subdwarf": "hot-subdwarf border"}


def draw(inputs: dict, cfg: dict, simulated: bool) -> tuple[Figure, pd.DataFrame]:
    """Log density of each class in its own colour, with the borders in use; inputs `cmd`, `summary`."""
    table = read_table(inputs["cmd"], ["star_class", "colour_lo", "colour_hi", "mag_lo", "mag_hi", "count"])
    counts = read_json(inputs["summary"])["counts"]
    classes = [c for c in CLASSES if ((table["star_class"] == c) & (table["count"] > 0)).any()]
    if not classes:
        raise InputError(inputs["cmd"], "holds no star", "Check the cross-match and the magnitude limits")
    figure = style.new_figure(style.COLUMN, 98, simulated)
    ax, strip = figure.subplots(1, 2, width_ratios=(30, 0.7 * len(classes)))
    numbers, norm = Numbers(), panels.log_norm([table])
    handles = []
    for name in classes:
        shades = shades_of(style.ROLE[name])
        panels.density(ax, table[table["star_class"] == name], norm, numbers, "cmd", ("colour", "mag"), shades, name)
        handles.append(Patch(color=style.ROLE[name], label=f"{style.CLASS_NAME[name]} ({style.count(counts.get(name, 0))})"))
        numbers.add("cmd", "value", f"n {name}", value=counts.get(name, 0))
    handles += _borders(ax, table, cfg, numbers)
    panels.cmd_axes(ax, cfg)
    total = sum(counts.get(c, 0) for c in classes)
    figure.legend(handles=handles, loc="outside upper left", ncols=2, columnspacing=1.2)
    panels.corner_text(ax, f"N = {style.count(total)}", "upper right")
    _scale(strip, classes, norm)
    return figure, numbers.frame()


def notes(inputs: dict, cfg: dict, simulated: bool) -> str:
    """The stars that Section 2.1 leaves out as likely giants."""
    likely = read_json(inputs["summary"]).get("likely_giants")
    if likely is None:
        return ""
    return f"Not drawn: {style.count(likely)} likely giants, stars that pass the other cuts but have a parallax smaller than its error."


def shades_of(colour: str) -> LinearSegmentedColormap:
    """From a pale tint of `colour` through the colour itself to a dark shade, lightness falling all the way."""
    return LinearSegmentedColormap.from_list("shades", [_mix(colour, "white", 0.35), colour, _mix(colour, "black", 0.35)])


def _mix(colour: str, other: str, share: float) -> tuple:
    return tuple(share * a + (1 - share) * b for a, b in zip(to_rgb(colour), to_rgb(other), strict=True))


def _borders(ax: Axes, table: pd.DataFrame, cfg: dict, numbers: Numbers) -> list:
    """The borders between classes, within the range of the stars."""
    x, y = panels.extent(table, "colour"), panels.extent(table, "mag")
    lines = borders(cfg, np.linspace(*x, 200))
    handles = []
    for name, line in lines.groupby("border", sort=False):
        inside = line["abs_magnitude"].between(*y)
        handles += ax.plot(line["colour"].where(inside), line["abs_magnitude"].where(inside), color="black", linewidth=0.9,
                           linestyle=LINE.get(name, "-."), path_effects=panels.HALO, label=BORDER_NAME.get(name, name))
        numbers.add("cmd", "border", name, x=line.loc[inside, "colour"], y=line.loc[inside, "abs_magnitude"])
    ax.set(xlim=x, ylim=y[::-1])
    return handles


def _scale(ax: Axes, classes: list[str], norm: LogNorm) -> None:
    """The colour scale: a strip for each class, side by side."""
    levels = np.geomspace(norm.vmin, norm.vmax, 65)
    for i, name in enumerate(classes):
        middle = np.sqrt(levels[1:] * levels[:-1])[:, None]
        ax.pcolormesh([i, i + 1], levels, middle, norm=norm, cmap=shades_of(style.ROLE[name]), rasterized=True)
    panels.log_counts(ax)
    ax.set(xlim=(0, len(classes)), ylim=(norm.vmin, norm.vmax))
    ax.tick_params(which="both", left=False, labelleft=False, labelright=True, bottom=False, top=False, labelbottom=False)
    ax.yaxis.set_label_position("right")
    ax.set_ylabel("Stars per cell")
