"""Figure 1 of Guiglion et al. 2020: signal-to-noise ratios of the observed and of the labelled spectra (Section 2)."""

import pandas as pd
from matplotlib.figure import Figure

from ...io import read_json, read_table
from .. import panels, style
from ..panels import Numbers

# series: (label, look); the paper's colours
SERIES = {
    "observed": ("observed", {"color": style.BLUE, "linestyle": "--"}),
    "training_test": ("training and test", {"color": style.ROLE["test"], "linestyle": "-"}),
}
MOST = 0.999                 # share of the stars that the axis shows at least


def draw(inputs: dict, cfg: dict, simulated: bool) -> tuple[Figure, pd.DataFrame]:
    """Outlines of the two histograms, each normalised to its sample; inputs `histograms`, `summary`."""
    table = read_table(inputs["histograms"], ["quantity", "sample", "lo", "hi", "count", "share"])
    table = table[table["quantity"] == "snr_rave"]
    found = read_json(inputs["summary"])["samples"]
    figure, numbers = style.new_figure(style.COLUMN, 66, simulated), Numbers()
    ax = figure.subplots()
    for name, (label, look) in SERIES.items():
        bars = table[table["sample"] == name].drop(columns="count").rename(columns={"share": "count"})
        n, median = found[name]["n"], found[name]["quantities"]["snr_rave"]["median"]
        text = f"{label}: N = {style.count(n)}" + ("" if median is None else f"\n(median {median:.0f})")
        panels.step_histogram(ax, bars, numbers, "snr", name, label=text, linewidth=1.2, **look)
        numbers.add("snr", "value", [f"n {name}", f"median {name}"], value=[n, median])
    shown = table[table["sample"].isin(SERIES)].rename(columns={"lo": "x_lo", "hi": "x_hi"})
    ax.set_xlim(0, panels.extent(shown, "x", 2 * MOST - 1, 0.0)[1] if len(shown) else 1)
    ax.set_ylim(0, 1.1 * (shown["share"].max() if len(shown) else 1))
    ax.set(xlabel="S/N per pixel", ylabel="Normalised count")
    ax.legend(loc="upper right")
    return figure, numbers.frame()
