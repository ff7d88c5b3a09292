"""Figure 8 of Gu et al. 2025: scatter and mean of the residuals in bins of the parameter (Section 3.3)."""

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from ...errors import InputError
from ...io import read_json, read_table
from .. import style
from ..trends import Page, statistic_label

COLUMNS = ["data_set", "test_set", "split", "star_class", "parameter", "lo", "hi", "mid", "n", "mean", "sigma"]


def draw(inputs: dict, cfg: dict, simulated: bool) -> tuple[Figure, pd.DataFrame]:
    """Columns are parameters, rows the width and the mean of the residuals; inputs `bins`, `summary`."""
    bins, summary = read_table(inputs["bins"], COLUMNS), read_json(inputs["summary"])
    bins = bins[(bins["split"] == "literal") & (bins["n"] >= cfg["validation"]["bin_min_stars"])]   # the paper's own split
    if bins.empty:
        raise InputError(inputs["bins"], "holds no bin with enough stars", "Lower validation.bin_min_stars or widen the bins")
    page = Page(bins, ("sigma", "mean"), simulated)
    looks = {"overall": {"linestyle": "--", "linewidth": 0.9}, "overall_leakage_free": {"linestyle": ":", "linewidth": 1.1}}
    names = {"overall": "overall set", "overall_leakage_free": "clean set"}
    for parameter in page.parameters:
        part = bins[bins["parameter"] == parameter]
        for statistic in page.rows:
            ax = page.points(statistic, parameter, part, statistic)
            ax.set_ylabel(statistic_label(statistic, parameter))
            for key, look in looks.items():
                for data_set in page.sets:
                    value = (summary[key].get(str(data_set), {}).get(parameter) or {}).get(statistic)
                    page.level(statistic, parameter, value, f"{names[key]} {data_set}", color=page.set_colour(data_set), **look)
            if statistic == "mean":
                ax.axhline(0, color=style.LIGHT, linewidth=0.6, zorder=0)
            else:
                ax.set_ylim(bottom=0)
            page.count(statistic, parameter, part.groupby("data_set")["n"].sum().to_dict())
        ax.set_xlabel(style.parameter_label(parameter, "Spectroscopic"))
    whole = [Line2D([], [], color=page.set_colour(d), linestyle="--", label=f"all of data set {d}") for d in page.sets]
    whole += [Line2D([], [], color=style.GREY, linestyle=":", label="the same, clean")]
    page.legend(style.survey_name, whole)
    return page.figure, page.numbers.frame()


def notes(inputs: dict, cfg: dict, simulated: bool) -> str:
    """The least number of stars of a bin."""
    return f"A bin holds at least {cfg['validation']['bin_min_stars']} stars (sages.validation.bin_min_stars)."
