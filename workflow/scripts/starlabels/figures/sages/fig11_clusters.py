"""Figure 11 of Gu et al. 2025: [Fe/H] of the members of star clusters (Section 3.5)."""

import math

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from ...errors import InputError
from ...io import read_json
from .. import panels, style
from ..panels import Numbers

# The legend stands above everything: bars and curve end at 1 / TOP of the height, the literature line at LINE_END, lower by LOWER
# where the legend has a third entry.
TOP, LINE_END, LOWER = 1.45, 0.78, 0.05
APART = 0.01            # dex; a simulated cluster nearer to the literature needs no line of its own


def draw(inputs: dict, cfg: dict, simulated: bool) -> tuple[Figure, pd.DataFrame]:
    """A panel a cluster, in the order of the configuration; input `summary` (the histograms that were fitted)."""
    summary = read_json(inputs["summary"])
    names = [c["name"] for c in cfg["clusters"]["list"] if c["name"] in summary]
    if not names:
        raise InputError(inputs["summary"], "holds none of the configured clusters", "Check clusters.list")
    columns = min(len(names), 2)
    rows = math.ceil(len(names) / columns)
    figure = style.new_figure(style.PAGE if columns == 2 else style.COLUMN, 58 * rows + 4, simulated)
    axes, numbers = figure.subplots(rows, columns, squeeze=False).ravel(), Numbers()
    for ax, name in zip(axes, names, strict=False):
        _cluster(ax, name, summary[name], numbers)
    for ax in axes[len(names):]:
        ax.remove()
    return figure, numbers.frame()


def notes(inputs: dict, cfg: dict, simulated: bool) -> str:
    """Which clusters of the simulated sky have another [Fe/H] than the literature."""
    summary = read_json(inputs["summary"])
    apart = [(c["name"], simulated_feh(summary.get(c["name"], {}))) for c in cfg["clusters"]["list"]]
    named = [f"{name} {_two_digits(feh)}" for name, feh in apart if feh is not None]
    if not (simulated and named):
        return ""
    return f"Dotted: the value that the simulated sky gives a cluster, where it is not that of the literature ({', '.join(named)})."


def simulated_feh(result: dict) -> float | None:
    """[Fe/H] of a cluster in the simulated sky, if it differs from the literature by more than `APART`."""
    given, literature = result.get("simulated_feh"), result.get("literature")
    return given if None not in (given, literature) and abs(given - literature) > APART else None


def _two_digits(feh: float) -> str:
    return f"{feh:.2f}".replace("-", "\N{MINUS SIGN}")


def _cluster(ax: Axes, name: str, result: dict, numbers: Numbers) -> None:
    bars = pd.DataFrame(result.get("histogram") or [], columns=["lo", "hi", "count"])
    literature, centres = result.get("literature"), []
    if len(bars):
        edges = np.append(bars["lo"], bars["hi"].iloc[-1])
        ax.stairs(bars["count"], edges, fill=True, color=style.LIGHT)
        ax.stairs(bars["count"], edges, color=style.GREY, linewidth=0.7)
        numbers.add(name, "bar", x_lo=bars["lo"], x_hi=bars["hi"], value=bars["count"])
        centres += [edges[0], edges[-1]]
    if panels.has_fit(result):
        x, y = panels.curve(result)
        label = rf"$\mu$ = {style.number(result['mean'], 'feh')}, $\sigma$ = {style.number(result['sigma'], 'feh')} dex"
        ax.plot(x, y, color=style.ROLE["fit"], linestyle="--", linewidth=1.3, label=label)
        numbers.add(name, "gaussian", x=x, y=y)
    elif result.get("median") is not None:
        ax.plot([], [], linestyle="", label=f"no fit; median {style.number(result['median'], 'feh')}")
    given = simulated_feh(result)
    end = LINE_END if given is None else LINE_END - LOWER
    if literature is not None:
        label = f"{result.get('reference', 'literature')}: {literature:g}".replace("-", "\N{MINUS SIGN}")
        ax.axvline(literature, ymax=end, color=style.ROLE["literature"], linestyle="--", linewidth=1.1, label=label)
        numbers.add(name, "line", "literature", x=literature)
        centres.append(literature)
    if given is not None:
        ax.axvline(given, ymax=end, color=style.ROLE["truth"], linestyle=":", linewidth=0.9, label=f"simulated: {_two_digits(given)}")
        numbers.add(name, "line", "simulated", x=given)
        centres.append(given)
    if centres:
        ax.set_xlim(min(centres) - 0.2, max(centres) + 0.2)
    ax.set_ylim(0, TOP * max(bars["count"].max() if len(bars) else 1, result["amplitude"] if panels.has_fit(result) else 0))
    ax.yaxis.set_major_locator(MaxNLocator(6, steps=(1, 2, 5, 10), integer=True))
    ax.set(xlabel=style.parameter_label("feh"), ylabel="Stars")
    ax.legend(loc="upper right")
    panels.corner_text(ax, f"{name}\nN = {style.count(result['n_members'])}", "upper left", fontsize=7.5)
    numbers.add(name, "value", "n", value=result["n_members"])
