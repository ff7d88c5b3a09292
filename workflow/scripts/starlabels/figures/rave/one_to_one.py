"""A page of nine labels against their reference: one-to-one panel, residual panel, and the histograms of their axes.

Figure 6 of Guiglion et al. 2020 and its companion against the simulated truth are such pages.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter, NullLocator

from .. import panels, style
from ..panels import Numbers
from . import labels

# a block in millimetres
LEFT, RIGHT, TOP, BOTTOM, GAP = 11.5, 1.5, 1.5, 8.0, 0.8
MAIN, RESIDUAL, UPPER, SIDE = 36.0, 13.5, 8.0, 8.0
HEIGHT = BOTTOM + RESIDUAL + GAP + MAIN + GAP + UPPER + TOP
TEXT_MM, GROWTH, HIDDEN = (19.0, 10.5), 0.3, 0.002       # room of the texts, see `limits_of`
KEY = 7.0                                # strip of the legend below the page
LOOK = {
    "train": {"marker": "o", "markerfacecolor": "none", "markersize": 1.7, "markeredgewidth": 0.3, "color": style.ROLE["train"]},
    "test": {"marker": "x", "markersize": 2.6, "markeredgewidth": 0.6, "color": style.ROLE["test"]},
}
NAME = {"train": "Training", "test": "Test", "observed": "Observed"}


@dataclass
class Block:
    """The five axes of a label."""

    label: str
    main: Axes
    residual: Axes
    upper: Axes
    side: Axes
    beyond: Axes


class Page:
    """Blocks of axes for labels, three in a row.

    Parameters
    ----------
    names : sequence of str
        Labels.
    x_name : str
        What the labels are compared with ("APOGEE", "True").
    extra : float
        Further strip below the page (mm), for a colour bar.
    """

    def __init__(self, names: Sequence[str], x_name: str, simulated: bool, extra: float = 0.0):
        self.numbers, self.x_name, self.foot = Numbers(), x_name, KEY + extra
        self.columns = min(3, len(names))
        rows = math.ceil(len(names) / self.columns)
        self.width = style.PAGE / 3 if self.columns > 1 else style.COLUMN
        full = style.PAGE if self.columns > 1 else style.COLUMN
        self.figure: Figure = style.new_figure(full, rows * HEIGHT + self.foot + (3.0 if simulated else 0.0), simulated, layout=None)
        self.blocks = [self._block(name, k % self.columns, rows - 1 - k // self.columns) for k, name in enumerate(names)]

    def _block(self, label: str, column: int, row: int) -> Block:
        left, bottom = column * self.width + LEFT, self.foot + row * HEIGHT + BOTTOM
        width = self.width - LEFT - RIGHT - GAP - SIDE
        up, side = bottom + RESIDUAL + GAP, left + width + GAP

        def axes(*place):
            return style.axes_mm(self.figure, *place)

        return Block(label, axes(left, up, width, MAIN), axes(left, bottom, width, RESIDUAL), axes(left, up + MAIN + GAP, width, UPPER),
                     axes(side, up, SIDE, MAIN), axes(side, bottom, SIDE, RESIDUAL))

    def points(self, block: Block, role: str, x, y, **kwargs) -> None:
        """Marks of a role in the one-to-one and the residual panel; `kwargs` go to `Axes.plot`."""
        look = {**LOOK[role], "linestyle": "", "rasterized": True, "zorder": 2.5 if role == "test" else 2.0, **kwargs}
        block.main.plot(x, y, **look)
        block.residual.plot(x, y - x, **look)
        self.numbers.add(block.label, "point", role, x=x, y=y)

    def histogram(self, block: Block, bars: pd.DataFrame, role: str, colour: str, **look) -> None:
        """Outlines along the three axes (axis, lo, hi, count)."""
        for axis, ax, way in (("reference", block.upper, "vertical"), ("predicted", block.side, "horizontal"),
                              ("residual", block.beyond, "horizontal")):
            part = bars[bars["axis"] == axis]
            panels.step_histogram(ax, part, self.numbers, f"{block.label}/{axis}", role, orientation=way, color=colour,
                                  **{"linewidth": 0.9, "baseline": 0.5, **look})

    def statistics(self, block: Block, found: Mapping, role: str, colour: str, where: str) -> None:
        """Number, bias and scatter of a role in a corner, in its colour."""
        unit = labels.LABEL.get(block.label, ("", ""))[1]
        bias, sigma = labels.number(found["bias"], block.label, signed=True), labels.number(found["sigma"], block.label)
        if not any(c in "123456789" for c in bias):                      # no "-0"
            bias = bias.replace("\N{MINUS SIGN}", "+")
        text = f"N = {style.count(found['n'])}\nbias {bias} {unit}\n$\\sigma$ {sigma} {unit}"
        panels.corner_text(block.main, text, where, color=colour, zorder=6)
        values = [found[k] for k in ("n", "bias", "sigma")]
        self.numbers.add(block.label, "value", [f"{k} {role}" for k in ("n", "bias", "sigma")], value=values)

    def finish(self, block: Block, limits: tuple[float, float], reach: float, top: float) -> None:
        """Lines, limits, ticks and labels of a block; `reach` is half the height of the residual panel, `top` the fullest bin."""
        main, residual = block.main, block.residual
        main.plot(limits, limits, color="black", linestyle="--", linewidth=0.9, path_effects=panels.HALO, zorder=4)
        for ax in (residual, block.beyond):
            ax.axhline(0, color="black", linestyle="--", linewidth=0.9, path_effects=panels.HALO if ax is residual else None, zorder=4)
        self.numbers.add(block.label, "line", "one-to-one", x=list(limits), y=list(limits))
        self.numbers.add(f"{block.label}/residual", "line", "zero", y=0.0)
        main.set(xlim=limits, ylim=limits)
        residual.set(xlim=limits, ylim=(-reach, reach))
        block.upper.set_xlim(limits)
        block.side.set_ylim(limits)
        block.beyond.set_ylim(-reach, reach)
        counts = (0.5, 2.5 * max(top, 10))
        decade = int(math.log10(max(top, 10)))
        for ax, axis in ((block.upper, "y"), (block.side, "x"), (block.beyond, "x")):
            panels.log_counts(ax, axis)
            getattr(ax, f"set_{axis}lim")(counts)
            ticks = getattr(ax, f"{axis}axis")
            if axis == "y":
                ticks.set_major_locator(LogLocator(numticks=4))
            else:                                                         # narrow: the highest decade only has its label
                ticks.set_ticks([1, 10.0**decade], labels=["", f"$10^{decade}$"])
            ticks.set_minor_locator(NullLocator())
            ticks.set_minor_formatter(NullFormatter())
        self._ticks(block, limits)

    def _ticks(self, block: Block, limits: tuple[float, float]) -> None:
        for axis in (block.main.xaxis, block.main.yaxis, block.residual.xaxis, block.upper.xaxis, block.side.yaxis):
            axis.set_major_locator(MaxNLocator(4, steps=(1, 2, 5, 10)))
        ticks = block.main.yaxis.get_major_locator().tick_values(*limits)  # a number at the lower border would meet the residual's
        block.main.set_yticks(ticks[(ticks > limits[0] + 0.04 * (limits[1] - limits[0])) & (ticks <= limits[1])])
        for axis in (block.residual.yaxis, block.beyond.yaxis):
            axis.set_major_locator(MaxNLocator(3, steps=(1, 2, 5, 10), symmetric=True))
        for ax in (block.main, block.upper):
            ax.tick_params(labelbottom=False)
        block.side.tick_params(labelleft=False, labelbottom=False, labeltop=True, pad=1.5)
        block.beyond.tick_params(labelleft=False, labelbottom=False)
        block.main.set_ylabel(labels.axis_label(block.label, "CNN"), labelpad=1.5)
        block.residual.set_ylabel(rf"$\Delta$ ({labels.LABEL.get(block.label, ('', ''))[1]})", labelpad=1.5)
        block.residual.set_xlabel(labels.axis_label(block.label, self.x_name), labelpad=1.5)
        block.upper.set_ylabel("N", labelpad=1.5)
        column = block.main.get_position().x0 - (LEFT - 3.3) / (self.figure.get_size_inches()[0] / style.MM)
        for ax in (block.main, block.residual, block.upper):             # one line for the three labels
            ax.yaxis.set_label_coords(column, ax.get_position().y0 + 0.5 * ax.get_position().height, self.figure.transFigure)

    def key(self, handles: Sequence[Line2D], bottom: float = 0.5) -> None:
        """The legend below all blocks; `bottom` in millimetres."""
        line = Line2D([], [], color="black", linestyle="--", linewidth=0.9, label="one-to-one, zero")
        height = self.figure.get_size_inches()[1] / style.MM
        self.figure.legend(handles=[*handles, line], loc="lower center", ncols=len(handles) + 1, bbox_to_anchor=(0.5, bottom / height),
                           borderaxespad=0.0)


def key_mark(role: str, text: str) -> Line2D:
    """The mark of a role for the legend, larger than on the page."""
    look = LOOK[role]
    return Line2D([], [], linestyle="", label=text, **{**look, "markersize": 4, "markeredgewidth": 0.8})


def limits_of(low: float, high: float, x: np.ndarray, y: np.ndarray, weight: np.ndarray | float = 1.0) -> tuple[float, float]:
    """A common range of both axes that holds [low, high] and leaves the corners of the texts to a few of the points at most.

    The range grows, at most by `GROWTH` of its length at either end, until no more than `HIDDEN` of the points (x, y) lie below
    the texts in the upper left and the lower right corner.
    """
    if not high > low:
        return float(low) - 0.5, float(low) + 0.5
    size = high - low
    weight = np.broadcast_to(weight, np.shape(x))
    width, height = TEXT_MM[0] / (style.PAGE / 3 - LEFT - RIGHT - GAP - SIDE), TEXT_MM[1] / MAIN
    for step in np.arange(0.03, GROWTH + 0.001, 0.03):
        first, last = low - step * size, high + step * size
        u, v = (x - first) / (last - first), (y - first) / (last - first)
        hidden = ((u < width) & (v > 1 - height)) | ((u > 1 - width) & (v < height))
        if weight[hidden].sum() <= HIDDEN * weight.sum():
            break
    return float(first), float(last)
