"""Figure 5 of Guiglion et al. 2020: how the networks trained, and which are kept (Section 3.3)."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter, NullLocator

from ...errors import InputError
from ...io import read_json, read_table
from .. import panels, style
from ..panels import Numbers
from . import networks

COLOUR = {True: style.BLUE, False: style.ROLE["test"]}      # kept, dropped
LINE_TOP = 0.86              # of the panel of last losses: the line ends below the legend
SCORE_FLOOR = 0.08           # share of the scores below the axis: the first epochs are far worse than any later one


def draw(inputs: dict, cfg: dict, simulated: bool) -> tuple[Figure, pd.DataFrame]:
    """Three panels, one below the other; inputs `history`, `ensemble`, `losses`, `summary`."""
    history = read_table(inputs["history"], ["network", "epoch", "test_loss", "test_r2"])
    ensemble, summary = read_json(inputs["ensemble"]), read_json(inputs["summary"])
    kept = {entry["network"]: bool(entry["kept"]) for entry in ensemble["networks"] if not entry["failed"]}
    unknown = sorted(set(history["network"]) - {entry["network"] for entry in ensemble["networks"]})
    if unknown:
        raise InputError(f"{inputs['history']}, column network", f"names {unknown[0]}, which {inputs['ensemble']} lacks", "Run again")
    history = history[history["network"].isin(kept)]
    figure, numbers = style.new_figure(style.COLUMN, 168, simulated), Numbers()
    loss, score, last = figure.subplots(3, 1)
    _curves(loss, history, "test_loss", kept, numbers)
    if (history["test_loss"] > 0).all():                 # a negative log-likelihood may be negative
        loss.set_yscale("log")
        loss.yaxis.set_major_locator(LogLocator(subs=(1, 2, 3, 5)))
        loss.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        loss.yaxis.set_minor_formatter(NullFormatter())
    loss.set(xlabel="Epoch", ylabel="Test loss")
    _curves(score, history, "test_r2", kept, numbers)
    if len(history):
        low, high = float(history["test_r2"].quantile(SCORE_FLOOR)), float(history["test_r2"].max())
        score.set_ylim(low, high + 0.08 * (high - low or 1.0))
    score.set(xlabel="Epoch", ylabel=r"Test accuracy ($R^2$)")
    score.sharex(loss)
    _texts(loss, score, summary, numbers)
    _losses(last, read_table(inputs["losses"], ["lo", "hi", "kept", "dropped"]), summary, cfg, numbers)
    return figure, numbers.frame()


def notes(inputs: dict, cfg: dict, simulated: bool) -> str:
    """What the caption adds: which ensemble this is, and the other one."""
    text = f"This is the ensemble with photometry, of which {networks.kept(inputs['ensemble'])} networks are kept"
    return f"{text}; spectra alone, not shown: {networks.kept(inputs['networks_alone'])}."


def _curves(ax: Axes, history: pd.DataFrame, column: str, kept: dict, numbers: Numbers) -> None:
    for network, part in history.sort_values(["network", "epoch"]).groupby("network", sort=True):
        use = kept[network]
        ax.plot(part["epoch"], part[column], color=COLOUR[use], linewidth=0.5, alpha=0.8, zorder=2 if use else 1.5)
        numbers.add(column, "line", f"network {network} {'kept' if use else 'dropped'}", x=part["epoch"], y=part[column])


def _texts(loss: Axes, score: Axes, summary: dict, numbers: Numbers) -> None:
    dropped = summary["n_networks"] - summary["n_kept"] - summary["n_failed"]
    handles = [Line2D([], [], color=COLOUR[True], label=f"{summary['n_kept']} kept"),
               Line2D([], [], color=COLOUR[False], label=f"{dropped} dropped")]
    failed = f" ({summary['n_failed']} failed)" if summary["n_failed"] else ""
    title = f"{summary['n_networks']} networks trained{failed}"
    epochs, final = summary["epochs"], summary["last"]
    if epochs["max"] is not None:
        title += f"\nepochs: median {epochs['median']:.0f}, most {epochs['max']:.0f}"
    loss.legend(handles=handles, title=title, loc="upper right", title_fontsize=7)
    if final["test_r2"] is not None:
        text = f"Last epoch of the {summary['n_kept']} kept, medians: $R^2$ = {final['test_r2']:.3f},\n"
        text += f"largest label the same: {100 * final['test_accuracy']:.0f} % of stars".replace("nan", "\N{EN DASH}")
        score.set_title(text, fontsize=7, pad=3)             # the curves leave no room inside
    names = ["n_networks", "n_kept", "n_failed", "epochs_max", "epochs_median", "last_test_r2", "last_test_accuracy"]
    values = [summary["n_networks"], summary["n_kept"], summary["n_failed"], epochs["max"], epochs["median"], final["test_r2"],
              final["test_accuracy"]]
    numbers.add("networks", "value", names, value=np.array(values, dtype=float))


def _losses(ax: Axes, table: pd.DataFrame, summary: dict, cfg: dict, numbers: Numbers) -> None:
    low = np.zeros(len(table))
    for name, use in (("kept", True), ("dropped", False)):
        height = table[name].to_numpy(float)
        ax.bar(table["lo"], height, table["hi"] - table["lo"], low, align="edge", color=COLOUR[use], linewidth=0.4, edgecolor="white")
        numbers.add("last_test_loss", "bar", name, x_lo=table["lo"], x_hi=table["hi"], value=height)
        low = low + height
    share, threshold = 100 * cfg["ensemble"]["keep_quantile"], summary["threshold"]
    ax.set_ylim(0, 1.4 * max(low.max() if len(low) else 1, 1))
    if threshold is not None:
        ax.axvline(threshold, ymax=LINE_TOP, color=style.BLACK, linewidth=1.2, label=f"{share:g}th percentile: {threshold:.5f}")
        numbers.add("last_test_loss", "line", f"percentile {share:g}", x=threshold)
        ax.legend(loc="upper right")
    panels.corner_text(ax, f"N = {int(low.sum())}", "upper left")
    ax.xaxis.set_major_locator(MaxNLocator(4))             # long numbers of nearly equal size
    ax.yaxis.set_major_locator(MaxNLocator(6, integer=True))
    ax.yaxis.set_minor_locator(NullLocator())
    ax.set(xlabel="Last test loss", ylabel="Networks")
