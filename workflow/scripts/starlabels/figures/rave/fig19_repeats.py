"""Figure 19 of Guiglion et al. 2020: differences between spectra of the same star (Section 6.5)."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from ...errors import InputError
from ...io import read_json, read_table
from .. import panels, style
from ..panels import Numbers
from . import labels, networks

NARROW, WIDE, BOTH = style.BLUE, "#D55E00", style.BLACK
NETWORK = "photometry"
POINTS = 241
MOST_BARS = 80            # of a panel: finer bins are drawn several at a time


def draw(inputs: dict, cfg: dict, simulated: bool) -> tuple[Figure, pd.DataFrame]:
    """A panel a label: histogram, sum of two Gaussians, both components, dispersions; inputs `histogram`, `summary`."""
    table = read_table(inputs["histogram"], ["network", "label", "lo", "hi", "weight"])
    summary = read_json(inputs["summary"])
    fits = summary["networks"].get(NETWORK)
    if not fits:
        raise InputError(inputs["summary"], f"holds nothing of the network {NETWORK}", "Run the stage that makes it")
    alone = summary["networks"].get("spectra", {})
    names = [p for p in labels.of_configuration(cfg) if p in fits]
    rows = -(-len(names) // 3)
    figure = style.new_figure(style.PAGE, 52 * rows + 10, simulated)
    axes, numbers = figure.subplots(rows, 3, squeeze=False).ravel(), Numbers()
    for ax, label in zip(axes, names, strict=False):
        part = table[((table["network"] == NETWORK) & (table["label"] == label)).to_numpy(bool)]
        _panel(ax, label, part, fits[label], alone.get(label), numbers)
    for ax in axes[len(names):]:
        ax.remove()
    for ax in axes[:len(names):3]:
        ax.set_ylabel("Stars per bin (weight)")
    handles = [
        Patch(facecolor=style.LIGHT, label="later minus earlier"), Line2D([], [], color=BOTH, label="sum of two Gaussians"),
        Line2D([], [], color=NARROW, linestyle="--", label="narrow (n)"), Line2D([], [], color=WIDE, linestyle=":", label="wide (w)"),
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=4)
    return figure, numbers.frame()


def notes(inputs: dict, cfg: dict, simulated: bool) -> str:
    """What the caption adds: the number of networks."""
    return networks.sentence(inputs)


def _panel(ax: Axes, label: str, bars: pd.DataFrame, fit: dict, alone: dict | None, numbers: Numbers) -> None:
    ax.set_xlabel(labels.axis_label(label, delta=True))
    _text(ax, label, fit, alone, numbers)
    if bars.empty:
        reason = "no repeated spectra" if not fit["n_pairs"] else "differences do not vary"
        ax.text(0.5, 0.4, reason, transform=ax.transAxes, ha="center", va="center", fontsize=7)
        ax.set(xticks=[], yticks=[])
        return
    bars = bars.sort_values("lo")
    # what lies within six of the quoted dispersions fills a panel; the rest of the fitted range is tails of single stars
    reach = min(bars["hi"].max(), max(6.0 * fit["sigma"], 3.5 * (fit["wide"] or {"sigma": 0.0})["sigma"]))
    shown = bars[(bars["lo"] >= -reach - 1e-9) & (bars["hi"] <= reach + 1e-9)]
    factor = max(1, -(-len(shown) // MOST_BARS))
    lows, highs, weight = _merged(shown, factor)
    ax.stairs(weight, np.append(lows, highs[-1]), fill=True, color=style.LIGHT)
    ax.stairs(weight, np.append(lows, highs[-1]), color=style.GREY, linewidth=0.5)
    numbers.add(label, "bar", x_lo=lows, x_hi=highs, value=weight)
    top = weight.max()
    if fit["narrow"]:
        x = np.linspace(lows[0], highs[-1], POINTS)
        narrow, wide = (factor * panels.gaussian(x, fit[name]) for name in ("narrow", "wide"))
        for name, y, look in (("wide", wide, {"color": WIDE, "linestyle": ":", "linewidth": 1.3}),
                              ("narrow", narrow, {"color": NARROW, "linestyle": "--", "linewidth": 1.0}),
                              ("sum", narrow + wide, {"color": BOTH, "linewidth": 0.9})):
            ax.plot(x, y, **look)
            numbers.add(label, "gaussian", name, x=x, y=y)
        top = max(top, (narrow + wide).max())
    ax.set_xlim(lows[0], highs[-1])
    ax.set_ylim(0, 1.75 * top)                       # dispersions stand above the peak
    panels.inner_ticks(ax, least=3)                  # zero and a number on either side of it


def _merged(bars: pd.DataFrame, factor: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Edges and weights of `factor` bins at a time, counted from zero, so that zero stays an edge."""
    width = float((bars["hi"] - bars["lo"]).iloc[0])
    group = np.floor((np.rint(bars["lo"].to_numpy(float) / width)) / factor).astype(int)
    first = np.unique(group)
    weight = np.bincount(group - first[0], bars["weight"].to_numpy(float))
    lows = np.arange(first[0], first[-1] + 1) * factor * width
    return lows, lows + factor * width, weight


def _text(ax: Axes, label: str, fit: dict, alone: dict | None, numbers: Numbers) -> None:
    """Number of stars and pairs left; dispersions right."""
    panels.corner_text(ax, f"N = {style.count(fit['n_stars'])}\n{style.count(fit['n_pairs'])} pairs", "upper left")
    numbers.add(label, "value", ["n stars", "n pairs"], value=[fit["n_stars"], fit["n_pairs"]])
    unit = labels.LABEL[label][1]
    lines = []
    if fit["narrow"]:
        for name, sign in (("narrow", "n"), ("wide", "w")):
            part = fit[name]
            lines.append(rf"$\sigma_\mathrm{{{sign}}}$ = {labels.number(part['sigma'], label)} {unit} ({100 * part['share']:.0f} %)")
            numbers.add(label, "value", [f"sigma {name}", f"mean {name}", f"share {name}"],
                        value=[part["sigma"], part["mean"], part["share"]])
        lines.append(rf"$\sigma_\mathrm{{n}}/\sqrt{{2}}$ = {labels.number(fit['sigma_single'], label)} {unit}")
        numbers.add(label, "value", "sigma single", value=fit["sigma_single"])
    elif fit["sigma"] is not None:
        lines += ["no fit", f"1.48 MAD = {labels.number(fit['sigma'], label)} {unit}"]
        numbers.add(label, "value", "robust sigma", value=fit["sigma"])
    if alone and alone["sigma"] is not None:
        value = labels.number(alone["sigma"], label)
        same = bool(alone["narrow"]) == bool(fit["narrow"])   # the lines above say what is quoted
        sign = "" if same and not fit["narrow"] else r"$\sigma_\mathrm{n}$ = " if alone["narrow"] else "1.48 MAD = "
        lines.append(f"spectra alone: {sign}{value}")
        numbers.add(label, "value", "sigma spectra alone", value=alone["sigma"])
    if lines:
        panels.corner_text(ax, "\n".join(lines), "upper right", linespacing=1.35)
