"""Figure 2 of Guiglion et al. 2020: four RAVE spectra of the training sample (Section 2)."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from ...io import read_json, read_table
from .. import panels, style
from ..panels import Numbers
from . import labels

NAME = {"metal_poor_giant": "Metal-poor giant", "metal_poor_dwarf": "Metal-poor dwarf", "metal_rich_giant": "Metal-rich giant",
        "metal_rich_dwarf": "Metal-rich dwarf"}
ELEMENT = {"Ca II": style.RED, "Fe": style.BLUE, "Mg": "#009E73", "Si": "#E69F00", "Al": "#AA4499", "Ni": "#56B4E9", "Ti": style.GREY}
FLOOR, TOP = 0.12, 1.32      # of the flux axis; marks and the line of text stand above the spectrum
MARK = (1.10, 1.20)


def draw(inputs: dict, cfg: dict, simulated: bool) -> tuple[Figure, pd.DataFrame]:
    """A panel a star, lines of seven elements marked above it; inputs `spectra`, `summary`."""
    table = read_table(inputs["spectra"], ["kind", "wavelength", "flux"])
    summary = read_json(inputs["summary"])
    stars, lines = summary["stars"], summary["lines"]
    figure, numbers = style.new_figure(style.PAGE, 42 * len(stars) + 20, simulated), Numbers()
    axes = figure.subplots(len(stars), 1, squeeze=False, sharex=True)[:, 0]
    for ax, star in zip(axes, stars, strict=True):
        _panel(ax, table[table["kind"] == star["kind"]], star, lines, numbers)
    axes[-1].set_xlabel(r"Wavelength ($\mathrm{\AA}$)")
    axes[0].set_xlim(table["wavelength"].min(), table["wavelength"].max())
    handles = [Line2D([], [], color=ELEMENT.get(e, style.GREY), linewidth=1.6, label=e) for e in lines]
    figure.legend(handles=handles, loc="outside lower center", ncols=len(handles), handlelength=0.8)
    return figure, numbers.frame()


def _panel(ax: Axes, table: pd.DataFrame, star: dict, lines: dict, numbers: Numbers) -> None:
    part, kind = table.sort_values("wavelength"), star["kind"]
    ax.plot(part["wavelength"], part["flux"], color=style.BLACK, linewidth=0.7)
    numbers.add(kind, "line", star["rave_obs_id"], x=part["wavelength"], y=part["flux"])
    for element, wavelengths in lines.items():
        colour = ELEMENT.get(element, style.GREY)
        ax.vlines(wavelengths, *MARK, color=colour, linewidth=1.1)
        numbers.add(kind, "mark", element, x=wavelengths)
        if element == "Ca II":
            ax.vlines(wavelengths, FLOOR, MARK[0], color=colour, linewidth=0.4, linestyle=":", zorder=0)
    low = min(float(part["flux"].min()), 0.45) if len(part) else 0.45
    ax.set_ylim(low - 0.10, TOP)
    ax.set_ylabel("Normalised flux")
    values = [f"{labels.symbol(c)} = {labels.number(star[c], c, digits=0 if c == 'teff' else 2)}{' K' if c == 'teff' else ''}"
              for c in ("teff", "logg", "mh", "alpha_m")]
    text = f"{NAME.get(kind, kind)}   {star['rave_obs_id']}   {', '.join(values)}   S/N {star['snr']:.0f}"
    ax.text(0.008, 0.965, text, transform=ax.transAxes, ha="left", va="top", fontsize=7.2)
    panels.corner_text(ax, f"one of {style.count(star['n'])}", "lower right")
    names = ["teff", "logg", "mh", "alpha_m", "snr", "n"]
    numbers.add(kind, "value", names, value=[star[c] for c in names])
