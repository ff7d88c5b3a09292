"""Panels that the comparisons with references share: pairs of values, one-to-one lines, statistics in a corner that hides nothing."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from .. import panels, style
from ..panels import Numbers
from .labels import LABEL, number

STEPS = (1, 2, 5, 10)
TEXT_MM = (26.5, 3.4)               # width of the texts and height of a line of them, with some room
CROWD = 200                         # so many points hide a line below them
GROW = 40                           # steps of 2 % by which a range may grow for a text


def printed(value: float, label: str, signed: bool = False) -> str:
    """A statistic as printed; what rounds to zero has no minus sign."""
    digits = 0 if label == "teff" else 3
    return number(round(value, digits) + 0.0, label, signed)


def statistics_text(found: Mapping, label: str, first: str = "") -> str:
    """Number, mean and scatter as printed in a panel; one star or none is said so."""
    n = int(found.get("n") or 0)
    if not n:
        return "no star in common"
    head = f"{first}\n" if first else ""
    if found.get("bias") is None:
        return f"{head}N = {style.count(n)}\nno scatter"
    unit = LABEL.get(label, ("", ""))[1]
    bias, sigma = printed(found["bias"], label, signed=True), printed(found["sigma"], label)
    return f"{head}N = {style.count(n)}\nmean = {bias} {unit}\n$\\sigma$ = {sigma} {unit}"


def note(numbers: Numbers, panel: str, found: Mapping, series: str = "") -> None:
    """Keep the printed statistics among the figure's numbers."""
    for key in ("n", "bias", "sigma"):
        if found.get(key) is not None:
            numbers.add(panel, "value", f"{series} {key}".strip(), value=float(found[key]))


def empty(ax: Axes, words: str = "no star in common") -> None:
    """Say that a panel has nothing to show; it has no scale then."""
    ax.set(xticks=[], yticks=[])
    ax.text(0.5, 0.5, words, transform=ax.transAxes, ha="center", va="center", fontsize=7, color=style.GREY)


def values_range(*values: Sequence[float], pad: float = 0.05) -> tuple[float, float]:
    """Range of all finite values with a margin; (0, 1) without one."""
    parts = [np.asarray(v, float).ravel() for v in values]
    joined = np.concatenate(parts) if parts else np.empty(0)
    joined = joined[np.isfinite(joined)]
    if not len(joined):
        return 0.0, 1.0
    low, high = float(joined.min()), float(joined.max())
    margin = pad * (high - low) if high > low else max(abs(low) * 0.05, 0.1)
    return low - margin, high + margin


def with_room(
    limits: tuple[float, float], x, y, width_mm: float, height_mm: float, lines: int, corner: str = "upper left"
) -> tuple[float, float]:
    """A range for both axes, grown until no point lies where a text of so many lines stands.

    Parameters
    ----------
    x, y : ndarray
        The points, or the upper left corners of cells.
    width_mm, height_mm : float
        Size of the panel.
    corner : str
        "upper left" (the range grows upwards) or "lower right" (downwards).
    """
    low, high = limits
    x, y = np.asarray(x, float), np.asarray(y, float)
    across, down = TEXT_MM[0] / width_mm, (lines * TEXT_MM[1] + 1.0) / height_mm
    step = 0.02 * (high - low)
    for _ in range(GROW):
        size = high - low
        if corner == "upper left":
            hidden = (x < low + across * size) & (y > high - down * size)
            high += step * hidden.any()
        else:
            hidden = (x > high - across * size) & (y < low + down * size)
            low -= step * hidden.any()
        if not hidden.any():
            break
    return low, high


def one_to_one(ax: Axes, limits: tuple[float, float], numbers: Numbers, panel: str, over: bool = False) -> None:
    """The dashed line of equality, the same range on both axes; below points, or `over` a density."""
    ax.plot(limits, limits, color=style.ROLE["fit"], linestyle="--", linewidth=0.9, **_depth(over))
    numbers.add(panel, "line", "one-to-one", x=limits, y=limits)
    ax.set(xlim=limits, ylim=limits)
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_locator(MaxNLocator(5, steps=STEPS))


def _depth(over: bool) -> dict:
    return {"path_effects": panels.HALO, "zorder": 3} if over else {"zorder": 1}


def zero_line(ax: Axes, numbers: Numbers, panel: str, over: bool = False) -> None:
    """The dashed line of no difference; below points, or `over` a density."""
    ax.axhline(0, color=style.ROLE["fit"], linestyle="--", linewidth=0.9, **_depth(over))
    numbers.add(panel, "line", "zero", y=0.0)


def points(ax: Axes, x, y, numbers: Numbers, panel: str, series: str = "", **kwargs) -> None:
    """Open circles (a bitmap in the PDF when there are many); `kwargs` go to `Axes.plot`."""
    x, y = np.asarray(x, float), np.asarray(y, float)
    good = np.isfinite(x) & np.isfinite(y)
    n = int(good.sum())
    size, edge = (3.4, 0.7) if n < CROWD else (2.4, 0.5) if n < 5 * CROWD else (1.7, 0.35)
    look = {"marker": "o", "linestyle": "", "markerfacecolor": "none", "markeredgewidth": edge, "markersize": size,
            "rasterized": n > 10 * CROWD, "zorder": 2, **kwargs}
    ax.plot(x[good], y[good], **look)
    numbers.add(panel, "point", series, x=x[good], y=y[good])
