"""Companion: separations of the matched pairs, and pairs lost or wrong against proper motion, from the simulated truth."""

import math

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from ...io import read_json, read_table
from .. import panels, style
from ..panels import Numbers

NAME = {"sages": "SAGES", "twomass": "2MASS", "allwise": "AllWISE", "galex": "GALEX", **style.SURVEY_NAME}
HOW = {
    "moved": ("-", "Gaia moved to each source's date"), "not_moved": ("--", "Gaia at its own epoch"),
    "as_run": (":", "as the run kept them"),
}
MARKER = {"moved": "o", "not_moved": "v"}       # of the lower panels
SHARES = {"completeness": "Share of true pairs found", "wrong_share": "Share of pairs that are wrong"}
READ = ["survey", "how", "gaia_motion", "pm_lo", "pm_hi", "n_true", "n_pairs", *SHARES]
COLUMNS = 4
MIN_PAIRS = 20          # bins with fewer pairs are left out of the lower panels: one wrong pair of two is no rate


def draw(inputs: dict, cfg: dict, simulated: bool) -> tuple[Figure, pd.DataFrame]:
    """Histograms of separation by survey; below, completeness and wrong share; inputs `table`, `summary`."""
    table, summary = read_table(inputs["table"], READ), read_json(inputs["summary"])
    surveys = [s for s, entry in summary["separation"].items() if sum(map(sum, entry["counts"].values()))]
    colours = {s: style.survey_colour(s, i) for i, s in enumerate(surveys)}
    rows, numbers = math.ceil(len(surveys) / COLUMNS), Numbers()
    figure = style.new_figure(style.PAGE, 36 * rows + 74, simulated)
    upper, lower = figure.subfigures(2, 1, height_ratios=(36 * rows, 62))
    axes = upper.subplots(rows, COLUMNS, squeeze=False).ravel()
    for ax, survey in zip(axes, surveys, strict=False):
        n = next(entry["n_pairs"] for entry in summary["surveys"] if (entry["survey"], entry["how"]) == (survey, "moved"))
        _separations(ax, survey, summary["separation"][survey], summary["radius_arcsec"][survey], n, colours[survey], numbers)
    for ax in axes[len(surveys):]:
        ax.remove()
    upper.supxlabel("Separation (arcsec)", fontsize=8)
    upper.supylabel("Pairs", fontsize=8)
    pair = lower.subplots(1, 2)
    motion = table[table["gaia_motion"].to_numpy(bool)]
    for ax, (share, label) in zip(pair, SHARES.items(), strict=True):
        for survey in surveys:
            for how in ("moved", "not_moved"):
                part = motion[(motion["survey"] == survey) & (motion["how"] == how)]
                _against_motion(ax, part, share, how, colours[survey], numbers, survey)
        ax.set(xscale="log", xlabel=r"True proper motion (mas yr$^{-1}$)", ylabel=label)
        weight = "n_true" if share == "completeness" else "n_pairs"
        n = motion.loc[(motion["how"] == "moved") & (motion[weight] >= MIN_PAIRS) & motion["survey"].isin(surveys), weight].sum()
        panels.corner_text(ax, f"N = {style.count(n)}", "lower left" if share == "completeness" else "upper left")
        numbers.add(share, "value", "n", value=n)
    pair[0].set_ylim(-0.03, 1.04)
    pair[1].set_yscale("symlog", linthresh=1e-3)             # most bins have no wrong pair at all
    pair[1].set_ylim(-2e-4, max(1e-2, 3 * pair[1].get_ylim()[1]))
    handles = [Line2D([], [], color=c, linewidth=2.5, label=NAME.get(s, s)) for s, c in colours.items()]
    ways = {how for entry in summary["separation"].values() for how in entry["counts"]}
    handles += [Line2D([], [], color=style.GREY, linestyle=line, marker=MARKER.get(how, ""), label=text)
                for how, (line, text) in HOW.items() if how in ways]
    lower.legend(handles=handles, loc="outside lower center", ncols=5)
    return figure, numbers.frame()


def _separations(ax: Axes, survey: str, entry: dict, radius: float, n: int, colour: str, numbers: Numbers) -> None:
    edges = np.asarray(entry["edges"], float)
    for how, (line, _) in HOW.items():
        counts = np.asarray(entry["counts"].get(how, []), float)
        if counts.sum() > 0:
            ax.stairs(counts, edges, color=colour, linestyle=line, baseline=0.5, linewidth=1.0)
            numbers.add(f"separation/{survey}", "bar", how, x_lo=edges[:-1], x_hi=edges[1:], value=counts)
    panels.log_counts(ax)
    most = max(max(c, default=0) for c in entry["counts"].values())
    ax.set(xlim=(0, radius), ylim=(0.6, 30 * most))
    panels.corner_text(ax, f"{NAME.get(survey, survey)}\nN = {style.count(n)}", "upper right")
    numbers.add(f"separation/{survey}", "value", "n", value=n)


def _against_motion(ax: Axes, part: pd.DataFrame, share: str, how: str, colour: str, numbers: Numbers, survey: str) -> None:
    weight = "n_true" if share == "completeness" else "n_pairs"
    part = part[part[weight] >= MIN_PAIRS].sort_values("pm_lo")
    # the first bin starts at 0, which has no logarithm
    x = np.where(part["pm_lo"] > 0, np.sqrt(part["pm_lo"] * part["pm_hi"]), 0.5 * part["pm_hi"])
    ax.plot(x, part[share], color=colour, linestyle=HOW[how][0], marker=MARKER[how], markersize=2.5, linewidth=0.9)
    numbers.add(share, "point", f"{survey} {how}", x=x, x_lo=part["pm_lo"], x_hi=part["pm_hi"], y=part[share], value=part[weight])
