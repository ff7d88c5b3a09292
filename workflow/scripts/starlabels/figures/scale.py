"""Cost of every stage against the size of the sky: core-seconds, peak memory and disk."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter

from ..rates.growth import MEMORY_LIMIT_MB
from . import style

PANELS = (("core_s", "Core-seconds", "sum"), ("peak_mb", "Peak memory of a job (MB)", "max"), ("disk_mb", "Written to disk (MB)", "sum"))
MARKERS = "osD^vP*X<>"
NAMES = {"catalog": "ingest catalogues", "catalogue": "final catalogue"}
CAPTION = (
    "Core-seconds, peak memory of the largest job and bytes written of every stage against the number of SAGES sources of the "
    "simulated sky; both data sets together. Grey, dotted: growth as the number of sources. Grey, dashed: the limit of memory. "
    'The stages "ingest catalogues" and "final catalogue" are catalog and catalogue of the tables.'
)


def points(tables: Mapping[int, pd.DataFrame]) -> pd.DataFrame:
    """What the figure draws.

    Parameters
    ----------
    tables : mapping
        SAGES sources of a run to its table of stages (see `rates.stages.read_run`).

    Returns
    -------
    DataFrame
        stage (both data sets together), sources, core_s, peak_mb, disk_mb.
    """
    parts = []
    for sources, table in sorted(tables.items()):
        named = table.assign(stage=table["stage"].str.replace(r" set\d$", "", regex=True))
        merged = named.groupby("stage", sort=False).agg(**{name: (name, how) for name, _, how in PANELS})
        parts.append(merged.reset_index().assign(sources=sources))
    return pd.concat(parts, ignore_index=True)


def draw(numbers: pd.DataFrame) -> Figure:
    """Three panels side by side, one line a stage, both axes logarithmic."""
    with style.context():
        figure = style.new_figure(style.PAGE, 84, simulated=False)
        figure.suptitle("Simulated sky: what a stage costs", fontsize=8)
        axes = figure.subplots(1, len(PANELS))
        for axis, (name, label, _) in zip(axes, PANELS, strict=True):
            for i, stage in enumerate(numbers["stage"].unique()):
                own = numbers[(numbers["stage"] == stage) & (numbers[name] > 0)].sort_values("sources")
                axis.plot(own["sources"], own[name], color=style.CYCLE[i % len(style.CYCLE)], marker=MARKERS[i % len(MARKERS)],
                          ls=style.LINES[i // len(style.CYCLE) % len(style.LINES)], label=NAMES.get(stage, stage))  # fmt: skip
            axis.set(xscale="log", yscale="log", xlabel="SAGES sources (millions)", ylabel=label)
            axis.margins(x=0.12)
            sizes = sorted(numbers["sources"].unique())
            axis.set_xticks(sizes, [f"{size / 1e6:.3g}" for size in sizes])
            axis.set_xticks([], minor=True)
            if name == "peak_mb":
                axis.axhline(MEMORY_LIMIT_MB, color=style.GREY, ls="--", lw=0.8)
                limit = f"limit {style.count(MEMORY_LIMIT_MB)} MB"
                axis.text(0.03, 0.96 * MEMORY_LIMIT_MB, limit, color=style.GREY, va="top", transform=axis.get_yaxis_transform())
                axis.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
                axis.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
                axis.yaxis.set_minor_formatter(NullFormatter())
            else:
                _linear(axis, numbers, name)
        figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=5)
        return figure


def _linear(axis, numbers: pd.DataFrame, name: str) -> None:
    """A line of growth in proportion through the cheapest corner of the panel."""
    seen = numbers[numbers[name] > 0]
    if seen["sources"].nunique() < 2:
        return
    first, last = seen["sources"].min(), seen["sources"].max()
    low = 0.5 * seen[name].min()
    axis.plot([first, last], [low, low * last / first], color=style.GREY, ls=":", lw=0.8)
