"""Figure 24 of Guiglion et al. 2020: abundances and rotation of the kinematic components (Section 8.1)."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from ...io import read_json, read_table
from .. import panels, style
from ..panels import Numbers
from . import labels

# component: (name, colour, how the contours look)
COMPONENTS = {
    "thin_disc": ("Thin disc", style.BLUE, "-"), "dissipative": ("Dissipative collapse", style.RED, "-"),
    "accreted": ("Accretion", "#009E73", "-"),
}
FEW, LEAST = 100, 50      # spectra: below the first, cells are marked beside the contours; below the second, points stand in their place
MARGIN = 0.02             # of an axis: no point lies on its border
COLUMNS = ["panel", "component", "x_lo", "x_hi", "y_lo", "y_hi", "count", "smooth"]
AXES = {"alpha": "alpha_m", "v_phi": r"$V_\phi$ (km s$^{-1}$)"}
LINES = ("thin_disc", "dissipative")


def draw(inputs: dict, cfg: dict, simulated: bool) -> tuple[Figure, pd.DataFrame]:
    """Left [alpha/M] against [M/H], right V_phi against [M/H] with the gradients; inputs `density`, `summary`."""
    table, summary = read_table(inputs["density"], COLUMNS), read_json(inputs["summary"])
    figure = style.new_figure(style.PAGE, 92, simulated)
    axes, numbers = figure.subplots(1, 2), Numbers()
    for ax, panel in zip(axes, AXES, strict=True):
        for name in COMPONENTS:
            part = table[((table["panel"] == panel) & (table["component"] == name)).to_numpy(bool)]
            _component(ax, panel, name, part, summary["levels"][panel].get(name) or {}, numbers)
        ax.set_xlabel(labels.axis_label("mh"))
        _limits(ax, table[(table["panel"] == panel).to_numpy(bool)])
        total = sum(summary["n"][name] for name in COMPONENTS)
        panels.headroom(ax, 0.12 if panel == "alpha" else 0.28)
        panels.corner_text(ax, f"N = {style.count(total)}", "upper left")
        numbers.add(panel, "value", "n", value=total)
        if not total:
            ax.text(0.5, 0.5, "no star in any component", transform=ax.transAxes, ha="center", va="center", fontsize=7)
    axes[0].set_ylabel(labels.axis_label("alpha_m"))
    axes[1].set_ylabel(AXES["v_phi"])
    keys = _gradients(axes[1], summary["gradients"], numbers)
    if keys:
        axes[1].legend(handles=keys, loc="upper right", title=r"$V_\phi$ against [M/H]", title_fontsize=7, alignment="right",
                       handlelength=3.0)
    handles = []
    for name, (text, colour, line) in COMPONENTS.items():
        n = summary["n"][name]
        look = {"linestyle": line} if n >= LEAST else {"linestyle": "", "marker": ".", "markersize": 4.5}
        handles.append(Line2D([], [], color=colour, label=f"{text} ({style.count(n)})", **look))
        numbers.add("key", "value", name, value=n)
    figure.legend(handles=handles, loc="outside lower center", ncols=3)
    return figure, numbers.frame()


def _component(ax: Axes, panel: str, name: str, cells: pd.DataFrame, levels: dict, numbers: Numbers) -> None:
    if cells.empty:
        return
    _, colour, line = COMPONENTS[name]
    heights = np.unique([v for v in levels.values() if v > 0])
    full = cells[cells["count"] > 0]
    n = int(full["count"].sum())
    x, y, dense = panels.grid(cells.assign(count=cells["smooth"])) if n >= LEAST else (None, None, np.empty((0, 0)))
    if len(heights) and dense.shape[0] > 1 and dense.shape[1] > 1:
        # a ring of empty cells closes the contours at the border of the table
        x, y = (np.concatenate([[e[0] - (e[1] - e[0])], e, [e[-1] + (e[-1] - e[-2])]]) for e in (x, y))
        ax.contour(0.5 * (x[1:] + x[:-1]), 0.5 * (y[1:] + y[:-1]), np.pad(dense, 1), levels=heights, colors=colour, linestyles=line,
                   linewidths=np.linspace(0.7, 1.3, len(heights)), zorder=3)
    if n < FEW:
        ax.plot(0.5 * (full["x_lo"] + full["x_hi"]), 0.5 * (full["y_lo"] + full["y_hi"]), ".", color=colour,
                markersize=3 if n >= LEAST else 4.5, zorder=2)
    numbers.add(panel, "density", name, x_lo=full["x_lo"], x_hi=full["x_hi"], y_lo=full["y_lo"], y_hi=full["y_hi"], value=full["count"])
    numbers.add(panel, "cell", name, x=0.5 * (full["x_lo"] + full["x_hi"]), y=0.5 * (full["y_lo"] + full["y_hi"]), value=full["count"])
    for share, height in sorted(levels.items()):
        numbers.add(panel, "level", name, value=height, text=f"{100 * float(share):g} % of the stars")


def _limits(ax: Axes, cells: pd.DataFrame) -> None:
    full = cells[cells["count"] > 0]
    if full.empty:
        ax.set(xlim=(-2.5, 0.6), ylim=(0, 1))
        return
    # a share of each component, so that the few accreted stars set limits too
    ranges = [[panels.extent(part, axis, 0.99) for axis in "xy"] for _, part in full.groupby("component")]
    for k, setter in enumerate((ax.set_xlim, ax.set_ylim)):
        low, high = min(r[k][0] for r in ranges), max(r[k][1] for r in ranges)
        setter(low - MARGIN * (high - low), high + MARGIN * (high - low))


def _gradients(ax: Axes, gradients: dict, numbers: Numbers) -> list[Line2D]:
    """The straight lines; their keys with values and errors."""
    keys = []
    for name in LINES:
        line = gradients[name]["mh"]
        text, colour, _ = COMPONENTS[name]
        if line["slope"] is None:
            keys.append(Line2D([], [], linestyle="", label=f"{text}: too few stars"))
            continue
        x = np.array([line["x_lo"], line["x_hi"]])
        y = line["slope"] * x + line["intercept"]
        ax.plot(x, y, color=colour, linewidth=1.8, linestyle="--", path_effects=panels.HALO, zorder=4)
        error = "" if line["slope_error"] is None else f" \N{PLUS-MINUS SIGN} {line['slope_error']:.1f}"
        value = f"{line['slope']:+.1f}".replace("-", "\N{MINUS SIGN}")
        keys.append(Line2D([], [], color=colour, linestyle="--", linewidth=1.8, label=f"{value}{error} km s$^{{-1}}$ dex$^{{-1}}$"))
        numbers.add("v_phi", "line", f"gradient {name}", x=x, y=y, value=line["slope"])
        numbers.add("v_phi", "value", f"gradient error {name}", value=np.nan if line["slope_error"] is None else line["slope_error"])
    return keys
