"""Companion: how often the errors given per star cover the labels and the truth, by magnitude and [Fe/H]."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from ...errors import InputError
from ...io import read_json, read_table
from .. import style
from ..trends import Page

COLUMNS = ["data_set", "against", "parameter", "star_class", "by", "lo", "hi", "n", "share_1", "share_1_on_scale"]
ROWS = {"magnitude": "", "feh": style.parameter_label("feh")}
NAME = {"label": "Labels", "on_scale": "Labels, training scale", "truth": "Truth"}        # in the order of the key


def draw(inputs: dict, cfg: dict, simulated: bool) -> tuple[Figure, pd.DataFrame]:
    """Share within one sigma; columns are parameters, rows what the stars are binned by; inputs `coverage`, `summary`."""
    table, summary = read_table(inputs["coverage"], COLUMNS), read_json(inputs["summary"])
    models = [m.rsplit("_", 1) for m in cfg["models"]]
    wanted = [(p, c) in {tuple(m) for m in models} for p, c in zip(table["parameter"], table["star_class"], strict=True)]
    table = table[np.array(wanted, bool) & table["against"].isin(["label", "truth"]).to_numpy(bool)].rename(columns={"against": "test_set"})
    if table.empty:
        raise InputError(inputs["coverage"], "holds no group of stars", "Check the test sample")
    moved = table[(table["test_set"] == "label").to_numpy(bool)].assign(test_set="on_scale")
    table = pd.concat([table, moved.assign(share_1=moved["share_1_on_scale"])], ignore_index=True)
    table = table.assign(mid=0.5 * (table["lo"] + table["hi"]), order=table["test_set"].map(list(NAME).index))
    table = table.sort_values(["order", "data_set"], kind="stable")         # the key: a column a series, a row a data set
    page = Page(table, ROWS, simulated, height=140, sharex=False)
    for parameter in page.parameters:
        part = table[table["parameter"] == parameter]
        totals = part[(part["by"] == "all") & (part["test_set"] == "label")].groupby("data_set")["n"].sum().to_dict()
        for row, label in ROWS.items():
            ax = page.points(row, parameter, part[part["by"] == row], "share_1")
            ax.set_ylim(0, 1)
            expected = summary["expected"]["share_1"]
            page.level(row, parameter, expected, "expected", color="black", linestyle="--", linewidth=0.9)
            ax.set_ylabel(f"Share within 1$\\sigma$, {style.PARAMETER[parameter][0]}")
            ax.set_xlabel(label or _magnitude_label(summary["magnitude"]))
            page.count(row, parameter, totals)
            ax.set_yticks([0, 0.2, 0.4, 0.6, 0.8, 1])              # room above is for text, no share
    line = Line2D([], [], color="black", linestyle="--", label=f"expected: {summary['expected']['share_1']:.4f}")
    page.legend(lambda name: NAME[name], [line])
    return page.figure, page.numbers.frame()


def _magnitude_label(bands: dict) -> str:
    names = list(dict.fromkeys(style.band_symbol(b) for b in bands.values()))
    return ", ".join(f"${n}$" for n in names) + " (mag)"
