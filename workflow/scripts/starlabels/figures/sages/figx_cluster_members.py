"""Companion of Figure 11: proper motions and colour-magnitude diagrams of the cluster fields (Section 3.5)."""

import math

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ...errors import InputError
from ...io import read_table
from .. import panels, style
from ..panels import Numbers

REACH = 10.0     # mas/yr around the cluster's motion
# name of the series: words of the legend, look of the mark
MARKS = {
    "other": ("other stars", {"color": style.LIGHT, "s": 1.5, "linewidth": 0}),
    "not used": ("probable, not used (S/N, masked)", {"facecolor": "none", "edgecolor": style.BLUE, "s": 5, "linewidth": 0.5}),
    "member": ("members", {"color": style.BLUE, "s": 4, "linewidth": 0}),
}
COLUMNS = ["cluster", "pmra", "pmdec", "colour", "magnitude", "probability", "passes_snr", "masked", "in_field", "member"]


def draw(inputs: dict, cfg: dict, simulated: bool) -> tuple[Figure, pd.DataFrame]:
    """Two panels a cluster: proper motions and colour-magnitude diagram; input `clusters`.

    Members are full blue; open blue are stars as probable as members that fail the S/N cut or are masked (Section 3.5).
    """
    stars = read_table(inputs["clusters"], COLUMNS)
    probable = (stars["probability"] > cfg["clusters"]["probability_min"]) & (~stars["passes_snr"] | stars["masked"])
    stars = stars.assign(mark=np.where(stars["member"], "member", np.where(probable, "not used", "other")))
    clusters = [c for c in cfg["clusters"]["list"] if ((stars["cluster"] == c["name"]) & stars["in_field"]).any()]
    if not clusters:
        raise InputError(inputs["clusters"], "holds no star of the configured clusters", "Check clusters.list")
    pairs = min(len(clusters), 2)
    rows = math.ceil(len(clusters) / pairs)
    figure = style.new_figure(style.PAGE if pairs == 2 else style.COLUMN, 50 * rows + 10, simulated)
    axes, numbers = figure.subplots(rows, 2 * pairs, squeeze=False).reshape(-1, 2), Numbers()
    for (left, right), cluster in zip(axes, clusters, strict=False):
        own = stars[(stars["cluster"] == cluster["name"]) & stars["in_field"]]
        _motions(left, own, cluster, numbers)
        _diagram(right, own, cluster["name"], cfg, numbers)
    for pair in axes[len(clusters):]:
        for ax in pair:
            ax.remove()
    handles, labels = axes[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=4, markerscale=2)
    return figure, numbers.frame()


def _points(ax: Axes, stars: pd.DataFrame, x: str, y: str, panel: str, numbers: Numbers) -> None:
    for name, (label, look) in MARKS.items():
        part = stars[(stars["mark"] == name) & np.isfinite(stars[x]) & np.isfinite(stars[y])]
        ax.scatter(part[x], part[y], rasterized=True, label=label, **look)
        numbers.add(panel, "point", name, x=part[x], y=part[y])


def _motions(ax: Axes, stars: pd.DataFrame, cluster: dict, numbers: Numbers) -> None:
    near = stars[(abs(stars["pmra"] - cluster["pmra"]) < REACH) & (abs(stars["pmdec"] - cluster["pmdec"]) < REACH)]
    panel = f"{cluster['name']}/motion"
    _points(ax, near, "pmra", "pmdec", panel, numbers)
    ax.plot(cluster["pmra"], cluster["pmdec"], marker="+", color=style.RED, linestyle="", markersize=6, label="literature motion")
    numbers.add(panel, "point", "literature", x=cluster["pmra"], y=cluster["pmdec"])
    ax.set(xlim=(cluster["pmra"] + REACH, cluster["pmra"] - REACH), ylim=(cluster["pmdec"] - REACH, cluster["pmdec"] + REACH))
    ax.set_xlabel(r"$\mu_\alpha \cos\delta$ (mas yr$^{-1}$)")
    ax.set_ylabel(r"$\mu_\delta$ (mas yr$^{-1}$)", labelpad=2)
    ax.set_title(cluster["name"], pad=3, loc="left")
    ax.set_box_aspect(1)
    panels.corner_text(ax, f"N = {style.count(len(near))}", "upper left")


def _diagram(ax: Axes, stars: pd.DataFrame, name: str, cfg: dict, numbers: Numbers) -> None:
    _points(ax, stars, "colour", "magnitude", f"{name}/cmd", numbers)
    panels.cmd_axes(ax, cfg)
    ax.set_ylabel(f"${style.band_symbol(cfg['classes']['abs_magnitude'])}_0$ (mag)", labelpad=2)
    ax.set_box_aspect(1)
    panels.headroom(ax, 0.26)
    panels.corner_text(ax, f"N = {style.count(len(stars))}\nmembers {style.count(stars['member'].sum())}", "upper right")
