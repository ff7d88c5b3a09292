"""Companion: scatter about the truth of the simulated sky by signal-to-noise ratio, both networks."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from ...errors import InputError
from ...io import read_table
from .. import panels, style
from ..panels import Numbers
from . import networks
from .labels import LABEL, axis_label, of_configuration

LOOK = {"photometry": {"linestyle": "-"}, "spectra": {"linestyle": "--"}}
NETWORK = {"photometry": "with photometry", "spectra": "spectra alone"}
SAMPLE = {"observed": ("Observed", style.ROLE["observed"], "o"), "test": ("Test", style.ROLE["test"], "x")}


def draw(inputs: dict, cfg: dict, simulated: bool) -> tuple[Figure, pd.DataFrame]:
    """A panel a label; input `snr`."""
    columns = ["network", "sample", "label", "snr_lo", "snr_hi", "snr_mid", "n", "sigma", "sigma_lo", "sigma_hi"]
    table, names = read_table(inputs["snr"], columns), of_configuration(cfg)
    if table.empty:
        raise InputError(inputs["snr"], "holds no bin of S/N with enough spectra", "Simulate more spectra")
    rows = -(-len(names) // 3)
    figure, numbers = style.new_figure(style.PAGE, 44 * rows + 14, simulated), Numbers()
    axes = figure.subplots(rows, 3, squeeze=False, sharex=True)
    for ax, label in zip(axes.ravel(), names, strict=False):
        _panel(ax, table[table["label"] == label], label, numbers)
    for ax in axes.ravel()[len(names):]:
        ax.remove()
    for ax in axes[-1]:
        ax.set_xlabel("S/N per pixel")
    handles = [Line2D([], [], color=style.GREY, label=NETWORK[k], **look) for k, look in LOOK.items() if (table["network"] == k).any()]
    there = [look for k, look in SAMPLE.items() if (table["sample"] == k).any()]
    handles += [Line2D([], [], color=colour, marker=marker, linestyle="", label=text) for text, colour, marker in there]
    figure.legend(handles=handles, loc="outside lower center", ncols=len(handles))
    return figure, numbers.frame()


def notes(inputs: dict, cfg: dict, simulated: bool) -> str:
    """What the caption adds: the number of networks."""
    return networks.sentence(inputs)


def _panel(ax: Axes, table: pd.DataFrame, label: str, numbers: Numbers) -> None:
    for network, look in LOOK.items():
        for sample, (_, colour, marker) in SAMPLE.items():
            own = table[(table["network"] == network) & (table["sample"] == sample)].sort_values("snr_lo")
            if own.empty:
                continue
            spread = [own["sigma"] - own["sigma_lo"], own["sigma_hi"] - own["sigma"]]
            ax.errorbar(own["snr_mid"], own["sigma"], yerr=[s.clip(lower=0) for s in spread], color=colour, marker=marker, markersize=3,
                        linewidth=0.9, elinewidth=0.6, capsize=1.2, **look)
            numbers.add(label, "point", f"{network} {sample}", x=own["snr_mid"], y=own["sigma"], x_lo=own["snr_lo"], x_hi=own["snr_hi"],
                        y_lo=own["sigma_lo"], y_hi=own["sigma_hi"], value=own["n"])
    ax.set_xscale("log")
    ax.set_xticks([10, 20, 50, 100], ["10", "20", "50", "100"])
    ax.minorticks_off()
    ax.set_ylim(bottom=0)
    panels.headroom(ax, 0.2)
    ax.set_ylabel(rf"$\sigma$({LABEL.get(label, (label,))[0]}) ({axis_label(label).rpartition('(')[2]}")
    counted = table[table["network"] == "photometry"].groupby("sample")["n"].sum()
    text = ", ".join(f"{style.count(counted[k])} {SAMPLE[k][0].lower()}" for k in SAMPLE if k in counted)
    panels.corner_text(ax, f"N = {text}", "upper right")
    numbers.add(label, "value", [f"n {k}" for k in counted.index], value=counted.to_numpy())
