"""Training and test samples: colour-magnitude density above, [Fe/H] by survey below (Figures 2 and 3 of Gu et al. 2025)."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure

from ..errors import InputError
from ..io import read_table
from . import panels, style
from .panels import Numbers

ROLE_NAME = {"train": "Training sample", "test": "Test sample"}


def draw_samples(inputs: dict, cfg: dict, simulated: bool) -> tuple[Figure, pd.DataFrame]:
    """Left the training sample, right the test sample; the axes of each row agree.

    Parameters
    ----------
    inputs : dict
        `cmd` (role, colour_lo, colour_hi, mag_lo, mag_hi, count) and `feh` (role, survey, lo, hi, count).

    Raises
    ------
    InputError
        When neither sample has a star.
    """
    cells = read_table(inputs["cmd"], ["role", "colour_lo", "colour_hi", "mag_lo", "mag_hi", "count"])
    bars = read_table(inputs["feh"], ["role", "survey", "lo", "hi", "count"])
    roles = [r for r in ROLE_NAME if (bars["role"] == r).any() or (cells["role"] == r).any()]
    if not roles:
        raise InputError(inputs["feh"], "holds neither a training nor a test sample", "Check the cuts")
    width = style.PAGE if len(roles) > 1 else style.COLUMN
    has_cmd = bool((cells["count"] > 0).any())               # a survey without the bands of the colour has no diagram
    figure = style.new_figure(width, 130 if has_cmd else 65, simulated)
    ratios = (1.25, 1) if has_cmd else (1,)
    axes = figure.subplots(len(ratios), len(roles), squeeze=False, sharex="row", sharey="row", height_ratios=ratios)
    norm, numbers = panels.log_norm([cells]), Numbers()
    for column, role in enumerate(roles):
        if has_cmd:
            _cmd(axes[0, column], cells[cells["role"] == role], norm, cfg, numbers, role)
        _metallicity(axes[-1, column], bars[bars["role"] == role], role, numbers)
        axes[0, column].set_title(ROLE_NAME[role], pad=3)
    if has_cmd:
        panels.cmd_axes(axes[0, 0], cfg)
        panels.headroom(axes[0, 0], 0.16)
        bar = figure.colorbar(axes[0, 0].collections[0], ax=axes[0, :], pad=0.01, aspect=30)
        bar.set_label("Stars per cell")
    axes[-1, 0].set_ylabel("Stars")
    panels.log_counts(axes[-1, 0])
    axes[-1, 0].set_ylim(0.6, 12 * max(1, bars["count"].max()))       # room for the keys and N above the outlines
    return figure, numbers.frame()


def _cmd(ax: Axes, cells: pd.DataFrame, norm: LogNorm, cfg: dict, numbers: Numbers, role: str) -> None:
    panels.density(ax, cells, norm, numbers, f"cmd/{role}", ("colour", "mag"))
    ax.set_xlabel(style.colour_label(cfg["classes"]["colour"]))
    panels.corner_text(ax, f"N = {style.count(cells['count'].sum())}", "upper right")
    numbers.add(f"cmd/{role}", "value", "n", value=cells["count"].sum())


def _metallicity(ax: Axes, bars: pd.DataFrame, role: str, numbers: Numbers) -> None:
    totals = bars.groupby("survey", sort=True)["count"].sum().sort_values(ascending=False, kind="stable")
    for i, survey in enumerate(totals.index[totals > 0]):
        part = bars[(bars["survey"] == survey) & (bars["count"] > 0)]
        label = f"{style.survey_name(survey)} ({style.count(totals[survey])})"
        panels.step_histogram(ax, part, numbers, f"feh/{role}", survey, color=style.survey_colour(survey, i), linewidth=0.8,
                              label=label, baseline=0.5)
    ax.legend(loc="upper left")
    ax.set_xlabel(style.parameter_label("feh", "spectroscopic"))
    ax.margins(x=0.02)
    panels.corner_text(ax, f"N = {style.count(totals.sum())}", "upper right")
    numbers.add(f"feh/{role}", "value", "n", value=totals.sum())
