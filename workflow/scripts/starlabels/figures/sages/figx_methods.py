"""Companion: forest, polynomial and network on the same stars, by scatter and by time (Section 2.4)."""

import pandas as pd
from matplotlib.figure import Figure

from ...io import read_json, read_table
from .. import panels, style
from ..panels import Numbers

ACCURACY = (("sigma", "o", "width of the Gaussian"), ("robust_sigma", "s", "1.4826 MAD"))
TIME = (("fit_seconds", "o", "training"), ("predict_seconds", "^", "prediction"))
COLOURS = (style.BLUE, "#D55E00")


def draw(inputs: dict, cfg: dict, simulated: bool) -> tuple[Figure, pd.DataFrame]:
    """Left the scatter on the test stars, right the wall time; a row a method; inputs `methods`, `summary`."""
    table, summary = read_table(inputs["methods"]), read_json(inputs["summary"])
    parameter = summary["model"].rpartition("_")[0]
    symbol, unit = style.PARAMETER[parameter]
    table = table.iloc[::-1].reset_index(drop=True)           # the first method stands at the top
    figure = style.new_figure(style.PAGE, 26 + 8 * len(table), simulated)
    axes, numbers = figure.subplots(1, 2, sharey=True), Numbers()
    for ax, columns, panel in ((axes[0], ACCURACY, "scatter"), (axes[1], TIME, "time")):
        for (column, marker, label), colour in zip(columns, COLOURS, strict=True):
            ax.plot(table[column], table.index, marker=marker, linestyle="", markersize=5, color=colour, label=label)
            numbers.add(panel, "point", column, x=table[column], y=table.index, text=table["method"])
        ax.tick_params(axis="y", which="minor", left=False, right=False)
        ax.grid(axis="y", color=style.LIGHT, linewidth=0.4)
        ax.set_ylim(-1.1, len(table) + 0.25)                  # room for the key above the first method
        ax.legend(loc="upper left", ncols=2, columnspacing=1.0)
    axes[0].set_yticks(table.index, table["method"])
    stars = style.CLASS_NAME.get(summary["model"].rpartition("_")[2], "").lower()
    axes[0].set_xlabel(f"Scatter of {symbol} ({unit}), {stars}, data set {summary['data_set']}")
    axes[0].margins(x=0.08)
    panels.log_counts(axes[1], "x")
    axes[1].set_xlabel(f"Wall time (s); {_threads(table)}")
    numbers.add("time", "value", "threads", value=table["threads"], text=table["method"])
    for ax, n, what in ((axes[0], table["n_test"].max(), "test"), (axes[1], table["n_train"].max(), "training")):
        panels.corner_text(ax, f"N = {style.count(n)} ({what})", "lower left")
        numbers.add("scatter" if ax is axes[0] else "time", "value", f"n {what}", value=n)
    return figure, numbers.frame()


def _threads(table: pd.DataFrame) -> str:
    """Threads of the methods: one number where all have the same, else the first method's and the others'."""
    first, others = int(table["threads"].iloc[-1]), sorted({int(n) for n in table["threads"].iloc[:-1]} or {int(table["threads"].iloc[-1])})
    words = " to ".join(str(n) for n in dict.fromkeys((others[0], others[-1])))
    if others == [first]:
        return f"threads: {first}"
    return f"threads: {table['method'].iloc[-1]} {first}, others {words}"
