"""Companion: scatter of every variant of the training beside the main run (Sections 2, 3, 4.2.3 and 5)."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from ...errors import InputError
from ...io import read_json, read_table
from .. import panels, style
from ..panels import Numbers
from . import labels

COLUMNS = ["variant", "label", "basis", "n", "n_main", "sigma_one", "sigma_one_main", "ratio_lo", "ratio_hi"]
NAME = {
    "star_grouped": "split by star", "label_noise": "noise on labels", "nll": "neg. log-likelihood", "no_convolution": "no convolution",
    "starhorse_distance": "StarHorse distances", "no_extinction": "without $A_V$", "poor_parallaxes": "+ poor parallaxes",
    "snr_below_30": "S/N < 30",
}
PATTERN = {"snr": "S/N > {}", "kernel": "kernel {}", "dropout": "dropout {} %", "test": "test share {} %", "patience": "patience {}"}
COLOUR = {"worse": "#D55E00", "better": "#009E73", "no clear change": style.BLUE, None: style.LIGHT}
ROW_MM = 5.6


def variant_name(variant: str) -> str:
    """Name of a variant as printed; of one that is not known its key."""
    start, _, value = variant.rpartition("_")
    if variant in NAME or start not in PATTERN or not value.isdigit():
        return NAME.get(variant, variant.replace("_", " "))
    return PATTERN[start].format(int(value))


def draw(inputs: dict, cfg: dict, simulated: bool) -> tuple[Figure, pd.DataFrame]:
    """A row a variant, a column a label: scatter of one network with the variant and with the main run; inputs `variants`, `summary`."""
    table, summary = read_table(inputs["variants"], COLUMNS), read_json(inputs["summary"])
    configured = list(cfg["variants"])
    names = [v for v in summary["variants"] if v != "main"]
    names.sort(key=lambda v: (configured.index(v) if v in configured else len(configured), v))
    if not names:
        raise InputError(inputs["summary"], "holds no variant beside main", "Run the target studies with at least one variant")
    shown = [p for p in labels.of_configuration(cfg) if (table["label"] == p).any()]
    figure = style.new_figure(style.PAGE, ROW_MM * (len(names) + 1) + 34, simulated)
    axes, numbers = figure.subplots(1, len(shown), squeeze=False, sharey=True)[0], Numbers()
    for ax, label in zip(axes, shown, strict=True):
        _column(ax, label, names, table[(table["label"] == label).to_numpy(bool)], summary["variants"], numbers)
    ticks = [f"{variant_name(v)} ({_count(summary['variants'][v])})" for v in names]
    axes[0].set_yticks(range(len(names)), ticks)
    axes[0].set_ylim(len(names) - 0.4, -1.3)
    for k, v in enumerate(names):
        numbers.add("rows", "value", v, y=k, value=_compared(summary["variants"][v]).get("n", 0), text=variant_name(v))
    handles = [Line2D([], [], color=COLOUR[c], marker="o", linestyle="", label=t) for c, t in
               (("worse", "variant: worse"), ("no clear change", "no clear change"), ("better", "better"), (None, "not compared"))]
    handles += [Line2D([], [], color=style.BLACK, marker="o", markerfacecolor="none", linestyle="", label="main run, matching spectra"),
                Line2D([], [], color=style.GREY, linestyle="--", label="main run, all its test spectra")]
    title = "Scatter of one network about the label (K, dex), test spectra (N of the variant in brackets)"
    figure.legend(handles=handles, loc="outside lower center", ncols=3, title=title, title_fontsize=8)
    return figure, numbers.frame()


def _compared(entry: dict) -> dict:
    return entry["compared"].get(entry["basis"] or "own") or {}


def _count(entry: dict) -> str:
    return style.count(_compared(entry).get("n", 0))


def _column(ax: Axes, label: str, names: list[str], table: pd.DataFrame, variants: dict, numbers: Numbers) -> None:
    own = table[((table["variant"] == "main") & (table["basis"] == "own")).to_numpy(bool)]
    n = int(own["n"].sum())
    ax.set_title(f"{labels.symbol(label)}\nN = {style.count(n)}", pad=3, fontsize=7)
    numbers.add(label, "value", "n main", value=n)
    if len(own) and np.isfinite(own["sigma_one"].iloc[0]):
        ax.axvline(own["sigma_one"].iloc[0], color=style.GREY, linestyle="--", linewidth=0.8, zorder=0)
        numbers.add(label, "line", "main", x=own["sigma_one"].iloc[0])
    for k, name in enumerate(names):
        basis = variants[name]["basis"] or "own"
        row = table[((table["variant"] == name) & (table["basis"] == basis)).to_numpy(bool)]
        if row.empty or not np.isfinite(row["sigma_one"].iloc[0]):
            continue
        found = row.iloc[0]
        colour = COLOUR[_compared(variants[name]).get("change")]
        main = found["sigma_one_main"]
        if np.isfinite([main, found["ratio_lo"], found["ratio_hi"]]).all():
            ax.plot([main * found["ratio_lo"], main * found["ratio_hi"]], [k, k], color=colour, linewidth=1.1, zorder=1)
            numbers.add(label, "interval", name, x_lo=main * found["ratio_lo"], x_hi=main * found["ratio_hi"], y=k,
                        x=[main * found["ratio_lo"], main * found["ratio_hi"]])
        if np.isfinite(main):
            ax.plot(main, k, "o", color=style.BLACK, markerfacecolor="none", markersize=4.2, markeredgewidth=0.6, zorder=2)
            numbers.add(label, "point", f"{name} main", x=main, y=k)
        ax.plot(found["sigma_one"], k, "o", color=colour, markersize=2.8, zorder=3)
        numbers.add(label, "point", name, x=found["sigma_one"], y=k, value=found["n"])
    ax.margins(x=0.1)
    low, high = ax.get_xlim()
    if not ax.lines:
        ax.text(0.5, 0.5, "not\nmeasured", transform=ax.transAxes, ha="center", va="center", fontsize=7)
    elif high - low < 0.5 * high:                            # a few per cent of difference must not fill the panel
        middle = 0.5 * (low + high)
        ax.set_xlim(middle - 0.25 * high, middle + 0.25 * high)
    panels.inner_ticks(ax, 4, 0.1)
    low, high = ax.get_xlim()
    ticks = [t for t in ax.get_xticks() if low < t < high]
    apart = len(ticks) > 1 and ticks[-1] - ticks[0] > 0.5 * (high - low)     # else their labels touch
    ax.set_xticks([ticks[0], ticks[-1]] if apart else ticks[len(ticks) // 2:][:1])
    ax.xaxis.set_major_formatter(lambda v, _: f"{v:.6g}")
    ax.tick_params(axis="y", which="minor", left=False, right=False)
    ax.grid(axis="y", color=style.LIGHT, linewidth=0.3)
