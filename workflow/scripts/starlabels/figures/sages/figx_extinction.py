"""Companion: residuals against E(B-V), from the training's limit to the prediction's (Table 2)."""

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from ...errors import InputError
from ...io import read_json, read_table
from .. import style
from ..trends import Page, statistic_label

COLUMNS = ["data_set", "survey", "star_class", "parameter", "lo", "hi", "mid", "n", "mean", "sigma"]


def draw(inputs: dict, cfg: dict, simulated: bool) -> tuple[Figure, pd.DataFrame]:
    """Columns are parameters, rows the width and the mean of the residuals; inputs `extinction`, `summary`."""
    table = read_table(inputs["extinction"], COLUMNS).rename(columns={"survey": "test_set"})
    limit = read_json(inputs["summary"])["training_limit"]
    if table.empty:
        raise InputError(inputs["extinction"], "holds no bin with enough stars", "Widen validation.ebv_edges")
    page = Page(table, ("sigma", "mean"), simulated)
    for parameter in page.parameters:
        part = table[table["parameter"] == parameter]
        counted = part[part["test_set"] != "truth"] if (part["test_set"] != "truth").any() else part
        for statistic in page.rows:
            ax = page.points(statistic, parameter, part, statistic)
            ax.set_ylabel(statistic_label(statistic, parameter))
            if limit is not None:
                ax.axvline(limit, color=style.GREY, linestyle=":", zorder=0)
                page.numbers.add(f"{parameter}/{statistic}", "line", "training limit", x=limit)
            if statistic == "mean":
                ax.axhline(0, color=style.LIGHT, linewidth=0.6, zorder=0)
            else:
                ax.set_ylim(bottom=0)
            page.count(statistic, parameter, counted.groupby("data_set")["n"].sum().to_dict())
        ax.set_xlabel("E(B\N{MINUS SIGN}V) (mag)")
    extra = [] if limit is None else [Line2D([], [], color=style.GREY, linestyle=":", label=f"training ends at {limit:g}")]
    page.legend(lambda name: "Truth" if name == "truth" else style.survey_name(name), extra)
    return page.figure, page.numbers.frame()
