"""Figure 6 of Guiglion et al. 2020: labels given back by the networks against APOGEE's (Section 3.4)."""

import pandas as pd
from matplotlib.figure import Figure

from ...io import read_json, read_table
from .. import style
from . import networks
from .labels import of_configuration
from .one_to_one import NAME, Page, key_mark, limits_of

ROLES = ("train", "test")
WHERE = {"train": "upper left", "test": "lower right"}


def draw(inputs: dict, cfg: dict, simulated: bool) -> tuple[Figure, pd.DataFrame]:
    """A block a label; inputs `points` (role, <label>, <label>_cnn), `histograms`, `summary`."""
    names = of_configuration(cfg)
    points = read_table(inputs["points"], ["role", *(c for p in names for c in (p, f"{p}_cnn"))])
    bars = read_table(inputs["histograms"], ["label", "axis", "role", "lo", "hi", "count"])
    summary = read_json(inputs["summary"])
    found = summary["networks"]["photometry"]
    page = Page(names, "APOGEE", simulated)
    for block in page.blocks:
        label = block.label
        own = bars[bars["label"] == label]
        for role in ROLES:
            part = points[points["role"] == role]
            page.points(block, role, part[label].to_numpy(float), part[f"{label}_cnn"].to_numpy(float))
            page.histogram(block, own[own["role"] == role], role, style.ROLE[role])
            page.statistics(block, found[label][role], role, style.ROLE[role], WHERE[role])
        along = own[own["axis"] == "reference"], own[own["axis"] == "predicted"], own[own["axis"] == "residual"]
        low, high = min(t["lo"].min() for t in along[:2]), max(t["hi"].max() for t in along[:2])
        reach = 1.15 * max(-along[2]["lo"].min(), along[2]["hi"].max())
        limits = limits_of(low, high, points[label].to_numpy(float), points[f"{label}_cnn"].to_numpy(float))
        page.finish(block, limits, reach, float(own["count"].max()))
    page.key([key_mark(r, f"{NAME[r]} ({style.count(summary['n'][r])})") for r in ROLES], 1.5)
    return page.figure, page.numbers.frame()


def notes(inputs: dict, cfg: dict, simulated: bool) -> str:
    """What the caption adds: the number of networks."""
    return networks.sentence(inputs, "CNN labels: mean over")
