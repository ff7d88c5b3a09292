"""Figure 10 of Guiglion et al. 2020: the observed sample in the Kiel diagram by signal-to-noise ratio (Section 4.2.1)."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure

from ...io import read_json, read_table
from .. import panels, style
from ..panels import Numbers
from . import kiel

ROW_MM = 33.0
FLOOR = 1e-3                            # least normalised density on the colour scale
TEXT = "{lo:g} < S/N \N{LESS-THAN OR EQUAL TO} {hi:g}\nN = {n}"


def draw(inputs: dict, cfg: dict, simulated: bool) -> tuple[Figure, pd.DataFrame]:
    """A row a slice: mean [M/H] at the left, density normalised to the fullest cell at the right; inputs `cells`, `summary`."""
    table = read_table(inputs["cells"], ["snr_lo", "kind", *panels.EDGES, "count", "mean_mh"])
    summary = read_json(inputs["summary"])
    slices = summary["slices"]
    figure, numbers = style.new_figure(style.PAGE, ROW_MM * len(slices) + 20, simulated), Numbers()
    axes = figure.subplots(len(slices), 2, squeeze=False, sharex=True, sharey=True)
    fullest = table.loc[table["kind"] == "density"].groupby("snr_lo")["count"].max()
    density = LogNorm(max(FLOOR, 1 / max(fullest.max() if len(fullest) else 1, 10)), 1)
    for row, entry in zip(axes, slices, strict=True):
        last = entry is slices[-1]
        own, name = table[table["snr_lo"] == entry["snr_lo"]], f"S/N {entry['snr_lo']:g}-{entry['snr_hi']:g}"
        kiel.cells(row[0], own[own["kind"] == "mh"], "mean_mh", kiel.METALLICITY, kiel.METALLICITY_MAP, numbers, f"{name} [M/H]",
                   80 * ROW_MM)
        part = own[own["kind"] == "density"]
        part = part.assign(count=part["count"] / max(float(part["count"].max()) if len(part) else 1.0, 1.0))
        panels.density(row[1], part, density, numbers, f"{name} density")
        for ax, kind in zip(row, ("[M/H]", "density"), strict=True):
            kiel.kiel_axes(ax, x_label=last, y_label=kind == "[M/H]")
            text = TEXT.format(lo=entry["snr_lo"], hi=entry["snr_hi"], n=style.count(entry["n"]))
            panels.corner_text(ax, text if entry["n"] else f"{text}\nno star", "upper left")
            if last:
                _supergiant(ax, summary["supergiant"]["spectra"], numbers, f"{name} {kind}")
        numbers.add(name, "value", "n", value=entry["n"])
    kiel.bar(figure, axes[:, 0], kiel.METALLICITY, kiel.METALLICITY_MAP, "Mean [M/H] (dex)", extend="both", location="bottom", pad=0.008,
             aspect=40)
    kiel.bar(figure, axes[:, 1], density, style.DENSITY_MAP, "Density (fullest cell = 1)", location="bottom", pad=0.008, aspect=40)
    return figure, numbers.frame()


def notes(inputs: dict, cfg: dict, simulated: bool) -> str:
    """What the caption adds: how many spectra the supergiant has here."""
    n = len(read_json(inputs["summary"])["supergiant"]["spectra"])
    return f"There are {n} triangles, and they overlap." if n > 1 else f"Spectra of the supergiant: {n}."


def _supergiant(ax: Axes, spectra: list[dict], numbers: Numbers, panel: str) -> None:
    """The spectra of the yellow supergiant, triangles whatever their S/N."""
    x, y = [s["teff"] for s in spectra], [s["logg"] for s in spectra]
    look = {"markersize": 4.5, "markerfacecolor": "none", "markeredgecolor": style.BLUE, "markeredgewidth": 0.8}   # they overlap
    ax.plot(x, y, linestyle="", marker="^", zorder=6, **look)
    if spectra:
        numbers.add(panel, "point", "supergiant", x=x, y=y)
