"""Axes helpers that figures share: density maps, residual histograms, colour-magnitude diagrams.

Each helper draws on axes it is given and notes what it drew in `Numbers`, so that the table written beside a figure
holds exactly the figure's numbers.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib import patheffects
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter, LogLocator, MaxNLocator, NullFormatter

from . import style

HALO = [patheffects.withStroke(linewidth=2.2, foreground="white", alpha=0.85)]   # keeps lines readable on any density
EDGES = ["x_lo", "x_hi", "y_lo", "y_hi"]


class Numbers:
    """Collect what a figure draws: one row per cell, bar, point or vertex, named by panel, element and series.

    Columns of the frame: panel, element (density, bar, line, point, value ...), series, then those of x, y, x_lo, x_hi,
    y_lo, y_hi, value, text that the figure uses.
    """

    columns = ("panel", "element", "series", "x", "y", *EDGES, "value", "text")

    def __init__(self):
        self._frames: list[pd.DataFrame] = []

    def add(self, panel: str, element: str, series: str | list[str] = "", **columns) -> None:
        """Append rows; scalars are repeated, arrays must have one length."""
        unknown = set(columns) - set(self.columns)
        if unknown:
            raise ValueError(f"a figure's numbers have no column {sorted(unknown)[0]}; use one of {self.columns}")
        rows = max((np.size(v) for v in columns.values()), default=1)
        data = {"panel": panel, "element": element, "series": np.asarray(series).reshape(-1)}
        data |= {k: np.asarray(v).reshape(-1) for k, v in columns.items()}
        self._frames.append(pd.DataFrame({k: np.repeat(v, rows) if np.size(v) == 1 else v for k, v in data.items()}))

    def frame(self) -> pd.DataFrame:
        """Everything drawn, in the order of drawing; columns that no element uses are left out."""
        if not self._frames:
            return pd.DataFrame({c: [] for c in ("panel", "element", "series")})
        joined = pd.concat(self._frames, ignore_index=True)
        return joined[[c for c in self.columns if c in joined.columns]]


def grid(table: pd.DataFrame, x: str = "x", y: str = "y") -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Turn a long 2-D histogram (`<x>_lo`, `<x>_hi`, `<y>_lo`, `<y>_hi`, count) into edges and a matrix.

    Returns
    -------
    x_edges (nx + 1,), y_edges (ny + 1,), counts (ny, nx); cells without a row are 0.
    """
    def edges(name):
        values = np.unique(np.concatenate([table[f"{name}_lo"], table[f"{name}_hi"]]).astype(float))
        if len(values) < 2:
            return values
        # edges computed as lo + width may differ from the next lo in the last digits
        step = np.min((table[f"{name}_hi"] - table[f"{name}_lo"]).to_numpy(float))
        return values[np.concatenate([[True], np.diff(values) > 1e-6 * step])]

    x_edges, y_edges = edges(x), edges(y)
    if len(x_edges) < 2 or len(y_edges) < 2:
        return np.array([0.0, 1.0]), np.array([0.0, 1.0]), np.zeros((1, 1))
    counts = np.zeros((len(y_edges) - 1, len(x_edges) - 1))
    column = np.searchsorted(x_edges, 0.5 * (table[f"{x}_lo"] + table[f"{x}_hi"]).to_numpy(float)) - 1
    row = np.searchsorted(y_edges, 0.5 * (table[f"{y}_lo"] + table[f"{y}_hi"]).to_numpy(float)) - 1
    np.add.at(counts, (row, column), table["count"].to_numpy(float))
    return x_edges, y_edges, counts


def log_norm(tables: Sequence[pd.DataFrame]) -> LogNorm:
    """Logarithmic colour scale from one star to the fullest cell of all tables."""
    top = max((float(t["count"].max()) for t in tables if len(t)), default=1.0)
    return LogNorm(vmin=1, vmax=max(top, 10))


def density(ax: Axes, table: pd.DataFrame, norm: LogNorm, numbers: Numbers, panel: str, names: tuple[str, str] = ("x", "y"),
            cmap=style.DENSITY_MAP, series: str = "") -> None:
    """Draw a long 2-D histogram on a log colour scale; empty cells stay white; a bitmap inside the PDF."""
    x, y = names
    full = table[table["count"] > 0]
    x_edges, y_edges, counts = grid(full, x, y)
    ax.pcolormesh(x_edges, y_edges, np.ma.masked_equal(counts, 0), norm=norm, cmap=cmap, rasterized=True, linewidth=0, zorder=1)
    numbers.add(panel, "density", series, x_lo=full[f"{x}_lo"], x_hi=full[f"{x}_hi"], y_lo=full[f"{y}_lo"], y_hi=full[f"{y}_hi"],
                value=full["count"])


def extent(table: pd.DataFrame, axis: str, share: float = 1.0, pad: float = 0.04) -> tuple[float, float]:
    """Range along `axis` that holds the central `share` of the counts of a long 2-D histogram, with a margin."""
    full = table[table["count"] > 0].sort_values(f"{axis}_lo", kind="stable")
    if full.empty:
        return 0.0, 1.0
    inside = np.cumsum(full["count"].to_numpy(float))
    inside /= inside[-1]
    tail = 0.5 * (1 - share)
    low = full[f"{axis}_lo"].to_numpy()[np.searchsorted(inside, tail, side="right" if tail == 0 else "left")]
    high = full[f"{axis}_hi"].to_numpy()[min(np.searchsorted(inside, 1 - tail - 1e-12), len(full) - 1)]
    if share == 1.0:
        low, high = full[f"{axis}_lo"].min(), full[f"{axis}_hi"].max()
    margin = pad * (high - low)
    return float(low - margin), float(high + margin)


def colour_bar(figure: Figure, ax: Axes, norm: LogNorm, label: str = "Stars per cell", orientation: str = "vertical",
               cmap=style.DENSITY_MAP) -> None:
    """A colour bar that fills the axes `ax`."""
    bar = figure.colorbar(ScalarMappable(norm, cmap), cax=ax, orientation=orientation)
    bar.set_label(label, fontsize=7.5)
    bar.ax.tick_params(labelsize=7)
    bar.outline.set_linewidth(0.5)


def gaussian(x: np.ndarray, fit: Mapping) -> np.ndarray:
    """amplitude exp(-(x - mean)^2 / (2 sigma^2)), in the units of the histogram that was fitted."""
    return fit["amplitude"] * np.exp(-0.5 * ((x - fit["mean"]) / fit["sigma"]) ** 2)


def has_fit(fit: Mapping) -> bool:
    """Whether a Gaussian was found (mean, sigma and amplitude are numbers and sigma is positive)."""
    values = [fit.get(k) for k in ("mean", "sigma", "amplitude")]
    return all(v is not None and np.isfinite(v) for v in values) and values[1] > 0


def curve(fit: Mapping, reach: float = 4.5, points: int = 181) -> tuple[np.ndarray, np.ndarray]:
    """Vertices of the fitted Gaussian out to `reach` sigma."""
    x = np.linspace(fit["mean"] - reach * fit["sigma"], fit["mean"] + reach * fit["sigma"], points)
    return x, gaussian(x, fit)


def residual_histogram(ax: Axes, histogram: pd.DataFrame, fit: Mapping, numbers: Numbers, panel: str, colour: str = style.BLACK) -> None:
    """Histogram of residuals (lo, hi, count) lying on its side, residual upwards, with its Gaussian."""
    table = histogram.sort_values("lo")
    edges = np.append(table["lo"].to_numpy(float), table["hi"].to_numpy(float)[-1:])
    ax.stairs(table["count"], edges, orientation="horizontal", fill=True, color=style.LIGHT, linewidth=0)
    numbers.add(panel, "residual_bar", y_lo=table["lo"], y_hi=table["hi"], value=table["count"])
    if has_fit(fit):
        y, x = curve(fit)
        ax.plot(x, y, color=colour, linewidth=1.0)
        numbers.add(panel, "gaussian", x=x, y=y)
    peak = max(float(table["count"].max()), fit["amplitude"] if has_fit(fit) else 0.0)
    ax.set_xlim(0, 1.12 * peak)
    ticks = np.concatenate([MaxNLocator(most, steps=(1, 2, 5, 10), integer=True).tick_values(0, peak) for most in (5, 4, 3)])
    ticks = [t for t in ticks if 0 < t <= 0.8 * peak]        # the last one must not touch the next panel's first
    ax.set_xticks([0, *ticks[-1:]])
    ax.xaxis.set_major_formatter(EngFormatter(sep=""))
    ax.tick_params(axis="x", which="minor", bottom=False, top=False)


def inner_ticks(ax: Axes, most: int = 4, edge: float = 0.09, least: int = 1) -> None:
    """Ticks on the x axis whose labels stay clear of both ends (`edge` is a share of the width).

    Where fewer than `least` of at most `most` + 1 ticks do, the ticks are finer, up to twice as many.
    """
    low, high = ax.get_xlim()
    for n in range(most, 2 * most + 1):
        ticks = MaxNLocator(n, steps=(1, 1.5, 2, 3, 5, 10)).tick_values(low, high)
        ticks = ticks[(ticks > low + edge * (high - low)) & (ticks < high - edge * (high - low))]
        if len(ticks) >= least:
            break
    ax.set_xticks(ticks)


def cmd_axes(ax: Axes, cfg: Mapping) -> None:
    """A colour-magnitude diagram with the colour and magnitude of the class borders: blue at the left, bright at the top."""
    ax.set_xlabel(style.colour_label(cfg["classes"]["colour"]))
    ax.set_ylabel(style.magnitude_label(cfg))
    if not ax.yaxis_inverted():
        ax.invert_yaxis()


def headroom(ax: Axes, share: float) -> None:
    """Widen the y axis at its upper end by a share of its length, so that text there hides nothing."""
    lower, upper = ax.get_ylim()
    if ax.get_yscale() == "linear":
        ax.set_ylim(lower, upper + share * (upper - lower))


def corner_text(ax: Axes, text: str, where: str = "upper left", **kwargs):
    """Text in a corner of the axes on a half-transparent ground."""
    vertical, horizontal = where.split()
    x = {"left": 0.035, "right": 0.965, "center": 0.5}[horizontal]
    y = {"upper": 0.965, "lower": 0.035}[vertical]
    ground = {"facecolor": "white", "alpha": 0.75, "edgecolor": "none", "pad": 0.8}
    options = {"fontsize": 7, "linespacing": 1.15, "bbox": ground, "zorder": 5, **kwargs}
    return ax.text(x, y, text, transform=ax.transAxes, ha=horizontal, va={"upper": "top", "lower": "bottom"}[vertical], **options)


def log_counts(ax: Axes, axis: str = "y") -> None:
    """A logarithmic axis of counts that starts below a single star, so that the poorest bin shows."""
    getattr(ax, f"set_{axis}scale")("log")
    getattr(ax, f"{axis}axis").set_major_locator(LogLocator(numticks=8))
    getattr(ax, f"{axis}axis").set_minor_locator(LogLocator(subs=tuple(range(2, 10)), numticks=80))
    getattr(ax, f"{axis}axis").set_minor_formatter(NullFormatter())


def step_histogram(ax: Axes, table: pd.DataFrame, numbers: Numbers, panel: str, series: str, **kwargs) -> None:
    """Outline of a histogram (lo, hi, count), with gaps where bins are missing."""
    full = table.sort_values("lo")
    lows, highs, counts = (full[c].to_numpy(float) for c in ("lo", "hi", "count"))
    label = kwargs.pop("label", None)
    # one outline for each run of bins that touch each other
    breaks = np.flatnonzero(lows[1:] - highs[:-1] > 1e-6 * (highs - lows)[:-1]) + 1 if len(lows) > 1 else []
    for piece in np.split(np.arange(len(lows)), breaks):
        if len(piece):
            ax.stairs(counts[piece], np.append(lows[piece], highs[piece][-1]), label=label, **kwargs)
            label = None
    numbers.add(panel, "bar", series, x_lo=lows, x_hi=highs, value=counts)
