"""Companion of Figure 6 of Guiglion et al. 2020: labels of the networks against the truth of the simulated sky."""

import pandas as pd
from matplotlib.figure import Figure

from ...io import read_json, read_table
from .. import panels, style
from . import networks
from .labels import of_configuration
from .one_to_one import NAME, Page, key_mark, limits_of

PLACE = {"observed": "upper left", "test": "lower right"}
COLOUR = {"observed": style.ROLE["truth"], "test": style.ROLE["test"]}


def draw(inputs: dict, cfg: dict, simulated: bool) -> tuple[Figure, pd.DataFrame]:
    """Density of the observed sample and crosses of the test spectra; inputs `density`, `points`, `histograms`, `summary`."""
    names = of_configuration(cfg)
    cells = read_table(inputs["density"], ["label", "kind", *panels.EDGES, "count"])
    points = read_table(inputs["points"], ["role", *(c for p in names for c in (p, f"{p}_cnn"))])
    bars = read_table(inputs["histograms"], ["label", "axis", "role", "lo", "hi", "count"])
    summary = read_json(inputs["summary"])
    found = summary["networks"]["photometry"]
    page = Page(names, "True", simulated, extra=11.0)
    norm = panels.log_norm([cells])
    for block in page.blocks:
        label = block.label
        own, along = cells[cells["label"] == label], bars[bars["label"] == label]
        one, off = own[own["kind"] == "one_to_one"], own[own["kind"] == "residual"]
        panels.density(block.main, one, norm, page.numbers, f"{label}/one_to_one")
        panels.density(block.residual, off, norm, page.numbers, f"{label}/residual")
        page.points(block, "test", points[label].to_numpy(float), points[f"{label}_cnn"].to_numpy(float), markersize=1.8,
                    markeredgewidth=0.35)
        page.histogram(block, along, "observed", COLOUR["observed"])
        for role, where in PLACE.items():
            page.statistics(block, found[label][role], role, COLOUR[role], where)
        low = min(one["x_lo"].min(), one["y_lo"].min(), points[label].min(), points[f"{label}_cnn"].min())
        high = max(one["x_hi"].max(), one["y_hi"].max(), points[label].max(), points[f"{label}_cnn"].max())
        middle = (0.5 * (one[f"{a}_lo"] + one[f"{a}_hi"]).to_numpy() for a in "xy")
        limits = limits_of(low, high, *middle, one["count"].to_numpy(float))
        page.finish(block, limits, 1.05 * max(-off["y_lo"].min(), off["y_hi"].max()), float(along["count"].max()))
    height = page.figure.get_size_inches()[1] / style.MM
    bar = page.figure.add_axes((0.3, 14.0 / height, 0.4, 2.0 / height))
    panels.colour_bar(page.figure, bar, norm, "Observed spectra per cell", "horizontal")
    page.key([key_mark("test", f"{NAME['test']} ({style.count(summary['n']['test'])})")], 0.8)
    return page.figure, page.numbers.frame()


def notes(inputs: dict, cfg: dict, simulated: bool) -> str:
    """What the caption adds: the number of networks."""
    return networks.sentence(inputs, "CNN labels: mean over")
