"""Figure 20 of Guiglion et al. 2020: cluster stars against the literature (Section 6.6)."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from ...io import read_json, read_table
from .. import panels, style
from ..panels import Numbers
from . import pairs
from .labels import axis_label

PARAMETERS = ("teff", "logg", "feh")
# marker of the paper, colour; other clusters take what is left
LOOK = {"47 Tuc": ("o", style.BLUE), "IC 4651": ("x", "#D55E00"), "Pleiades": ("s", "#009E73"), "Blanco 1": ("^", "#AA4499"),
        "omega Cen": ("v", "#332288")}
OTHERS = ("D", "p", "h", "P", "*", "<", ">")
NAME = {"omega Cen": r"$\omega$ Cen"}
LEFT, WIDTH, GAP, HIGH, LINE, BOTTOM = 14.5, 43.0, 15.0, 46.0, 3.5, 10.0     # mm
STRICT = "IC 4651"                                                            # named with its scatter at high S/N, as in Section 6.6


def draw(inputs: dict, cfg: dict, simulated: bool) -> tuple[Figure, pd.DataFrame]:
    """CNN minus literature against the literature value, a marker a cluster; inputs `summary` and `points`."""
    summary, table, numbers = read_json(inputs["summary"]), read_table(inputs["points"]), Numbers()
    names, without = list(summary["clusters"]), list(summary["unobserved"])
    look = {n: LOOK.get(n, (OTHERS[i % len(OTHERS)], style.CYCLE[i % len(style.CYCLE)])) for i, n in enumerate([*names, *without])}
    room = LINE * max(len(look) + (STRICT in names), 1) + 2
    figure = style.new_figure(style.PAGE, room + BOTTOM + HIGH + 3 + (4 if simulated else 0), simulated, layout=None)
    for i, parameter in enumerate(PARAMETERS):
        ax = style.axes_mm(figure, LEFT + i * (WIDTH + GAP), room + BOTTOM, WIDTH, HIGH)
        key = style.axes_mm(figure, LEFT + i * (WIDTH + GAP) - 12, 1, WIDTH + 14, room)
        _panel(ax, key, parameter, summary, table, look, numbers)
    return figure, numbers.frame()


def notes(inputs: dict, cfg: dict, simulated: bool) -> str:
    """What the caption adds: the clusters of the literature without a point here."""
    summary = read_json(inputs["summary"])
    if not summary["unobserved"]:
        return ""
    found = [f"{name} ({n} in RAVE)" for name, n in summary["unobserved"].items()]
    return f"No spectrum in the observed sample with S/N > {summary['snr_min']:g}: {', '.join(found)}."


def _panel(ax: Axes, key: Axes, parameter: str, summary: dict, table: pd.DataFrame, look: dict, numbers: Numbers) -> None:
    theirs, handles, total = f"{parameter}_hr", [], 0
    for name, (marker, colour) in look.items():
        part = table[table["cluster"] == name][[theirs, f"{parameter}_cnn"]].dropna()
        x, y = part[theirs].to_numpy(float), part[f"{parameter}_cnn"].to_numpy(float)
        total += len(x)
        if len(x):
            pairs.points(ax, x, y - x, numbers, parameter, name, marker=marker, color=colour, markersize=4.2)
        if name not in summary["clusters"]:
            handles.append(Line2D([], [], marker=marker, color=colour, markerfacecolor="none", linestyle="", markersize=4.2,
                                  label=f"{NAME.get(name, name)}: no spectrum observed"))
            numbers.add(parameter, "value", f"{name} n", value=0.0)
            continue
        found = summary["clusters"][name]
        words = _words(found["selected"][parameter], y - x, parameter)
        handles.append(Line2D([], [], marker=marker, color=colour, markerfacecolor="none", linestyle="", markersize=4.2,
                              label=f"{NAME.get(name, name)}: {words}"))
        pairs.note(numbers, parameter, found["selected"][parameter], name)
        if name == STRICT:
            strict = found["high_snr"][parameter]
            words = _words(strict, (), parameter)
            handles.append(Line2D([], [], linestyle="", label=f"   S/N > {summary['snr_high']:g}: {words}"))
            pairs.note(numbers, parameter, strict, f"{name} high_snr")
    pairs.zero_line(ax, numbers, parameter)
    if total:
        shown = table[[theirs, f"{parameter}_cnn"]].dropna()
        ax.set_xlim(pairs.values_range(shown[theirs]))
        low, high = pairs.values_range(shown[f"{parameter}_cnn"] - shown[theirs], [0.0])
        reach = 1.05 * max(abs(low), abs(high))
        ax.set_ylim(-reach, reach)
        panels.headroom(ax, 0.12)
    else:
        pairs.empty(ax)
    ax.xaxis.set_major_locator(MaxNLocator(5, steps=pairs.STEPS))
    ax.set_xlabel(axis_label(parameter, "literature"), labelpad=1.5)
    ax.set_ylabel(axis_label(parameter, delta=True) + ", CNN \N{MINUS SIGN} lit.", labelpad=1.5)
    panels.corner_text(ax, f"N = {style.count(total)}", bbox=None)
    numbers.add(parameter, "value", "n", value=float(total))
    key.set_axis_off()
    if handles:
        key.legend(handles=handles, loc="lower left", borderaxespad=0, borderpad=0, handletextpad=0.4, handlelength=1.2)


def _words(found: dict, difference, parameter: str) -> str:
    if found["bias"] is not None:
        bias, sigma = pairs.printed(found["bias"], parameter, signed=True), pairs.printed(found["sigma"], parameter)
        return f"{bias}, $\\sigma$ = {sigma} (N = {found['n']})"
    if len(difference) == 1:
        return f"{pairs.printed(float(difference[0]), parameter, signed=True)} (one star)"
    return "no star" if not found["n"] else "one star"
