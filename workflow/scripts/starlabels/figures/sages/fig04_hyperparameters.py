"""Figure 4 of Gu et al. 2025: out-of-bag score against the forest's hyper-parameters (Section 2.4)."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ...io import read_json, read_table
from .. import panels, style
from ..panels import Numbers

NAMES = {"0.5": "1/2", "0.3333": "1/3", "sqrt": r"$\sqrt{p}$",
         "log2": r"$\log_2 p$"}
LOSS = r"1 $-$ out-of-bag $R^2$"


def draw(inputs: dict, cfg: dict, simulated: bool) -> tuple[Figure, pd.DataFrame]:
    """Left: trees and features; right: depth with its repeats and their mean; inputs `scan`, `summary`."""
    table, summary = read_table(inputs["scan"]), read_json(inputs["summary"])
    forest, numbers = cfg["forest"], Numbers()
    figure = style.new_figure(style.PAGE, 78, simulated)
    left, right = figure.subplots(1, 2)
    _trees(left, table[table["kind"] == "trees"], forest, summary, numbers)
    mean = pd.Series({row["max_depth"]: 1 - row["mean"] for row in summary["oob_r2_by_depth"]})
    _depth(right, table[table["kind"] == "depth"], mean, forest, numbers)
    if summary.get("n_stars"):
        for ax in (left, right):
            panels.corner_text(ax, f"N = {style.count(summary['n_stars'])}", "lower left")
    return figure, numbers.frame()


def _trees(ax: Axes, table: pd.DataFrame, forest: dict, summary: dict, numbers: Numbers) -> None:
    table = table[table["repeat"] == table["repeat"].min()]      # the studies repeat this panel too; one seed is enough to read it
    for i, names in enumerate(_same_lines(table)):
        part = table[table["max_features"] == names[0]].sort_values("n_estimators")
        label = ", ".join(NAMES.get(str(name), str(name)) for name in names)
        ax.plot(part["n_estimators"], part["one_minus_oob"], marker="o", markersize=2.5, label=label, color=style.CYCLE[i % 8])
        for name in names:
            numbers.add("trees", "line", str(name), x=part["n_estimators"], y=part["one_minus_oob"])
    low, high = ax.get_ylim()
    chosen = ax.plot([forest["n_estimators"]] * 2, (low, high), color=style.GREY, linestyle=":", zorder=0)[0]
    numbers.add("trees", "chosen", x=forest["n_estimators"])
    text = f"chosen: {forest['n_estimators']} trees"
    loss, ratio, most = summary.get("relative_oob_loss"), summary.get("speed_ratio"), summary.get("most_trees")
    if loss is not None:
        text += f"\n$R^2$ lower by {100 * loss:.2f} % than with {most}"
        numbers.add("trees", "value", "relative_oob_loss", value=loss)
    if ratio is not None:
        text += f"\n{ratio:.1f} times as fast as {most}"
        numbers.add("trees", "value", "speed_ratio", value=ratio)
    ax.set_ylim(low, high + 0.42 * (high - low))
    first = ax.legend(title="max_features", loc="upper center", ncols=5, columnspacing=1.0, title_fontsize=7)
    ax.legend([chosen], [text], loc="upper right", bbox_to_anchor=(1.0, 0.86))
    ax.add_artist(first)
    ax.set(xlabel="n_estimators (trees)", ylabel=LOSS)


def _same_lines(table: pd.DataFrame) -> list[list]:
    """Choices of `max_features`; those with the same scores stand together (with 18 features sqrt and log2 are the same number)."""
    groups: dict[tuple, list] = {}
    for name, part in table.groupby("max_features", sort=False):
        scores = part.sort_values("n_estimators")[["n_estimators", "one_minus_oob"]]
        groups.setdefault(tuple(scores.to_numpy().ravel()), []).append(name)
    return list(groups.values())


def _depth(ax: Axes, table: pd.DataFrame, mean: pd.Series, forest: dict, numbers: Numbers) -> None:
    _depth_lines(ax, table, mean)
    for repeat, part in table.sort_values("max_depth").groupby("repeat"):
        numbers.add("depth", "line", f"repeat {repeat}", x=part["max_depth"], y=part["one_minus_oob"])
    numbers.add("depth", "line", "mean", x=mean.index, y=mean)
    low, high = ax.get_ylim()
    ax.plot([forest["max_depth"]] * 2, (low, high), color=style.GREY, linestyle=":", zorder=0, label=f"chosen: depth {forest['max_depth']}")
    numbers.add("depth", "chosen", x=forest["max_depth"])
    ax.set_ylim(low, high + 0.22 * (high - low))
    ax.legend(loc="upper center", ncols=3, columnspacing=1.2)
    _zoom(ax, table, mean, forest)
    features = forest["max_features"] or "all"
    ax.set(xlabel=f"max_depth ({forest['n_estimators']} trees, {features} features)", ylabel=LOSS)


def _depth_lines(ax: Axes, table: pd.DataFrame, mean: pd.Series) -> None:
    for i, repeat in enumerate(np.sort(table["repeat"].unique())):
        part = table[table["repeat"] == repeat].sort_values("max_depth")
        ax.plot(part["max_depth"], part["one_minus_oob"], color=style.CYCLE[i % 8], linewidth=0.6, marker=".", label=f"repeat {repeat + 1}")
    ax.plot(mean.index, mean, color="black", linestyle="--", linewidth=1.3, label="mean")


def _zoom(ax: Axes, table: pd.DataFrame, mean: pd.Series, forest: dict) -> None:
    """An inset around the best depths, where shallow trees are so much worse that the minimum cannot be seen."""
    near = mean[mean < mean.min() + 0.05 * (mean.max() - mean.min())]
    if len(near) < 3 or mean.max() < 1.3 * mean.min():
        return
    part = table[table["max_depth"].isin(near.index)]
    inset = ax.inset_axes((0.36, 0.22, 0.6, 0.42))
    _depth_lines(inset, part, near)
    low, high = inset.get_ylim()
    inset.plot([forest["max_depth"]] * 2, (low, high), color=style.GREY, linestyle=":", zorder=0)
    inset.set_ylim(low, high)
    inset.set_title("the same, enlarged", pad=2, fontsize=7)
    inset.set_xlabel("max_depth", labelpad=1, fontsize=7)
