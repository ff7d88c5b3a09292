"""Figure 12 of Gu et al. 2025: the distribution of photometric [Fe/H] in both catalogues (Section 4)."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ...errors import InputError
from ...io import read_json, read_table
from .. import panels, style
from ..panels import Numbers

INTERVAL = 0.5   # dex; counts are printed for intervals at least this wide
SHARE = 0.38     # width of a bar, in intervals


def draw(inputs: dict, cfg: dict, simulated: bool) -> tuple[Figure, pd.DataFrame]:
    """A panel a data set, dwarfs blue and giants yellow, the count over every bar; inputs `histogram`, `fractions`."""
    table = read_table(inputs["histogram"], ["data_set", "star_class", "lo", "hi", "count"])
    fractions = read_json(inputs["fractions"])
    sets = [int(s) for s in np.sort(table.loc[table["count"] > 0, "data_set"].unique())]
    if not sets:
        raise InputError(inputs["histogram"], "holds no star", "Check the cuts for the prediction")
    figure = style.new_figure(style.PAGE if len(sets) > 1 else style.COLUMN, 88, simulated)
    axes, numbers = figure.subplots(1, len(sets), squeeze=False, sharey=True)[0], Numbers()
    for ax, data_set in zip(axes, sets, strict=True):
        part = table[table["data_set"] == data_set]
        _panel(ax, part, data_set, numbers)
        _fractions(ax, data_set, fractions, cfg, numbers)
    panels.log_counts(axes[0])
    axes[0].set_ylim(0.5, 40 ** 1.5 * table["count"].max())
    axes[0].set_ylabel("Stars")
    return figure, numbers.frame()


def intervals(part: pd.DataFrame) -> pd.DataFrame:
    """Sum the bins (lo, hi, count) into intervals of at least `INTERVAL` dex; wider bins stay as they are."""
    if (part["hi"] - part["lo"]).min() >= INTERVAL - 1e-9:
        return part[["lo", "hi", "count"]].sort_values("lo")
    number = np.floor((0.5 * (part["lo"] + part["hi"])) / INTERVAL).astype(int)
    total = part.groupby(number)["count"].sum()
    return pd.DataFrame({"lo": total.index * INTERVAL, "hi": (total.index + 1) * INTERVAL, "count": total.to_numpy()})


def _panel(ax: Axes, part: pd.DataFrame, data_set: int, numbers: Numbers) -> None:
    classes = [c for c in ("dwarf", "giant") if part.loc[part["star_class"] == c, "count"].sum() > 0]
    for i, star_class in enumerate(classes):
        bars = intervals(part[part["star_class"] == star_class])
        bars = bars[bars["count"] > 0]
        width = SHARE * (bars["hi"] - bars["lo"])
        centre = 0.5 * (bars["lo"] + bars["hi"]) + (i - 0.5 * (len(classes) - 1)) * width
        ax.bar(centre, bars["count"] - 0.5, width, bottom=0.5, color=style.ROLE[star_class], edgecolor="black", linewidth=0.4,
               label=f"{style.CLASS_NAME[star_class]} ({style.count(bars['count'].sum())})")
        for x, n in zip(centre, bars["count"], strict=True):
            ax.text(x, 1.25 * n, style.count(n), rotation=90, ha="center", va="bottom", fontsize=7)
        numbers.add(f"set {data_set}", "bar", star_class, x_lo=bars["lo"], x_hi=bars["hi"], value=bars["count"])
    total = part.loc[part["star_class"].isin(classes), "count"].sum()
    ax.set_title(f"Data set {data_set}, N = {style.count(total)}", pad=3)
    numbers.add(f"set {data_set}", "value", "n", value=total)
    ax.set_xlabel("Photometric [Fe/H]")
    ax.tick_params(axis="x", which="minor", top=False, bottom=False)
    ax.legend(loc="upper right", ncols=1)


def _fractions(ax: Axes, data_set: int, fractions: dict, cfg: dict, numbers: Numbers) -> None:
    limits = cfg["validation"]["fractions"]
    ours = fraction_values(fractions, data_set, limits)
    published = (cfg.get("published") or {}).get("fractions") or {}
    theirs = published.get(data_set, published.get(str(data_set)))
    lines = ["[Fe/H]      this work" + ("      Gu et al." if theirs else "")]
    for i, limit in enumerate(limits):
        mine = "    -" if ours[i] is None else f"{100 * ours[i]:8.2f} %"
        lines.append(f"$\\leq$ {limit:g}".replace("-", "\N{MINUS SIGN}") + f"  {mine}" + (f"  {theirs[i]:8.2f} %" if theirs else ""))
        if ours[i] is not None:
            numbers.add(f"set {data_set}", "fraction", "this work", x=limit, value=ours[i])
        if theirs:
            numbers.add(f"set {data_set}", "fraction", "paper", x=limit, value=theirs[i] / 100)
    panels.corner_text(ax, "\n".join(lines), "upper left")


def fraction_values(fractions: dict, data_set: int, limits: list[float]) -> list[float | None]:
    """The shares of a data set at or below each limit, as numbers between 0 and 1."""
    found = fractions["data_sets"].get(str(data_set), {}).get("fractions", {})
    return [found.get(f"feh_le_{'m' if limit < 0 else ''}{abs(limit):g}") for limit in limits]
