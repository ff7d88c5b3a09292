"""The look that all figures share: sizes, fonts, one colour per role, names of parameters and bands; and saving.

Widths are those of a journal: 88 mm for a column, 180 mm for a page; no text is smaller than 7 pt at that width.
Colours come from the Okabe-Ito and Tol sets, which readers with a colour-vision deficiency can tell apart; density
maps are perceptually uniform.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import matplotlib as mpl
import pandas as pd
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from ..errors import InputError
from ..io import atomic, write_table

MM = 1 / 25.4              # inches in a millimetre
COLUMN, PAGE = 88, 180     # width of a column and of a page, mm
PNG_DPI = 200
RASTER_DPI = 400           # of the density maps inside a PDF

BLUE, RED, BLACK, GREY, LIGHT = "#0072B2", "#CC3311", "#000000", "#555555", "#BBBBBB"
DENSITY_MAP = "viridis"

# One colour a role, the same in every figure.
ROLE = {
    "dwarf": BLUE, "giant": "#E69F00", "hot_subdwarf": "#AA4499", "white_dwarf": "#117733", "unclassified": LIGHT,
    "train": "#332288", "test": "#D55E00", "observed": "#009E73", "literature": BLACK, "truth": "#882255",
    "fit": RED,
}
CLASS_NAME = {
    "dwarf": "Dwarfs", "giant": "Giants", "hot_subdwarf": "Hot subdwarfs", "white_dwarf": "White dwarfs",
    "unclassified": "Not classified", "all": "All stars",
}
CLASS_MARKER = {"dwarf": "^", "giant": "s", "all": "o"}
SURVEY_NAME = {"lamost": "LAMOST", "apogee": "APOGEE", "rave5": "RAVE DR5", "pastel": "PASTEL", "vmp": "Nine papers",
               "h23": "H23", "a23": "A23", "segue": "SEGUE"}
# Catalogues without labels too: they stand beside these surveys in the figure of the cross-match.
SURVEY_COLOUR = {"lamost": "#332288", "apogee": "#D55E00", "rave5": "#44AA99", "pastel": "#CC79A7", "vmp": "#009E73",
                 "segue": "#882255", "sages": BLUE, "twomass": RED, "allwise": "#E69F00", "galex": "#AA4499"}
# Truth by the position of the data set, in no family of test sets
TRUTH_COLOUR = ("#666666", "#000000", "#999999")
CYCLE = (BLUE, "#D55E00", "#009E73", "#AA4499", "#E69F00", "#56B4E9", "#332288", "#882255")
LINES = ("-", "--", "-.", ":")

# parameter: (symbol, unit)
PARAMETER = {"feh": ("[Fe/H]", "dex"), "teff": (r"$T_\mathrm{eff}$", "K"), "logg": (r"$\log\,g$", "dex")}
BAND = {"gaia_g": "G", "gaia_bp": r"G_\mathrm{BP}", "gaia_rp": r"G_\mathrm{RP}", "sages_u": "u", "sages_v": "v", "tmass_j": "J",
        "tmass_h": "H", "tmass_ks": r"K_\mathrm{s}", "wise_w1": r"W_1", "wise_w2": r"W_2", "galex_nuv": r"\mathrm{NUV}"}

RC = {
    "font.family": "DejaVu Sans", "font.size": 7.5, "axes.labelsize": 8, "axes.titlesize": 8, "legend.fontsize": 7,
    "xtick.labelsize": 7, "ytick.labelsize": 7, "mathtext.fontset": "dejavusans", "axes.linewidth": 0.6,
    "xtick.direction": "in", "ytick.direction": "in", "xtick.top": True, "ytick.right": True,
    "xtick.major.width": 0.6, "ytick.major.width": 0.6, "xtick.minor.width": 0.4, "ytick.minor.width": 0.4,
    "xtick.major.size": 3, "ytick.major.size": 3, "xtick.minor.size": 1.6, "ytick.minor.size": 1.6,
    "xtick.minor.visible": True, "ytick.minor.visible": True, "lines.linewidth": 1.0, "lines.markersize": 3.5,
    "legend.frameon": False, "legend.handlelength": 1.6, "legend.borderaxespad": 0.4, "legend.labelspacing": 0.3,
    "axes.formatter.useoffset": False, "axes.unicode_minus": True, "figure.constrained_layout.h_pad": 0.03,
    "figure.constrained_layout.w_pad": 0.03, "pdf.fonttype": 42, "path.simplify": True, "savefig.facecolor": "white",
    "figure.facecolor": "white", "axes.axisbelow": "line",
}


@contextmanager
def context() -> Iterator[None]:
    """Use the style sheet, and nothing of the user's own matplotlib settings, inside a `with` block."""
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(RC)
        yield


def new_figure(width_mm: float, height_mm: float, simulated: bool, layout: str | None = "constrained") -> Figure:
    """An empty figure of the given size; "Simulated sky" stands small in its upper right corner when that is what it shows.

    A strip of 4 mm is kept free at the top for that note. Use ``layout=None`` with `axes_mm` for exact positions.
    """
    figure = Figure(figsize=(width_mm * MM, height_mm * MM), layout=layout)
    FigureCanvasAgg(figure)
    if layout == "constrained":
        figure.get_layout_engine().set(rect=(0, 0, 1, 1 - 4 / height_mm if simulated else 1))
    if simulated:
        figure.text(1 - 1.5 / width_mm, 1 - 0.8 / height_mm, "Simulated sky", ha="right", va="top", fontsize=7, color=GREY, style="italic")
    return figure


def axes_mm(figure: Figure, left: float, bottom: float, width: float, height: float, **kwargs):
    """Add axes at a position in millimetres from the lower left corner of the figure."""
    full_width, full_height = figure.get_size_inches() / MM
    return figure.add_axes((left / full_width, bottom / full_height, width / full_width, height / full_height), **kwargs)


def parameter_label(parameter: str, origin: str = "", delta: bool = False) -> str:
    """Axis label such as "Spectroscopic [Fe/H] (dex)", "H23 Teff (K)" or, for a difference, "Delta log g (dex)"."""
    symbol, unit = PARAMETER.get(parameter, (parameter, ""))
    if delta:
        return rf"$\Delta$ {symbol}" + (f" ({unit})" if unit else "")
    return f"{origin[:1].upper()}{origin[1:]} {symbol}".strip() + (f" ({unit})" if unit else "")


def number(value: float, parameter: str, signed: bool = False) -> str:
    """A statistic with the digits that suit the parameter: 1 K, 0.001 dex; a proper minus sign."""
    digits = 0 if parameter == "teff" else 3
    text = f"{value:+.{digits}f}" if signed else f"{value:.{digits}f}"
    return text.replace("-", "\N{MINUS SIGN}")


def count(value: float) -> str:
    """A number of stars with thin spaces: 21 071 305."""
    return f"{int(value):,}".replace(",", "\N{THIN SPACE}")


def band_symbol(band: str) -> str:
    """A band as mathematics; of a band without a symbol of its own what follows the survey's name (splus_f395: F395)."""
    last = band.rpartition("_")[2]
    return BAND.get(band, last if len(last) == 1 else rf"\mathrm{{{last.upper()}}}")


def colour_label(bands: list[str]) -> str:
    """Label of a corrected colour, such as (BP - RP)_0 (mag)."""
    first, second = (band_symbol(b) for b in bands)
    return rf"$({first} - {second})_0$ (mag)"


def magnitude_label(cfg: Mapping) -> str:
    """Label of the magnitude in the colour-magnitude diagrams of a configuration.

    The absolute magnitude of the class borders; of a survey without parallaxes the apparent one, or that of the colour's
    second band where the first is not observed.
    """
    classes, used = cfg["classes"], {b for entry in cfg["data_sets"] for b in entry["bands"]}
    band = classes["abs_magnitude"]
    if band is not None and (classes["rule"] == "cmd" or cfg["features"]["abs_magnitude"] == band):
        return rf"$M_{{{band_symbol(band)},0}}$ (mag)"
    return rf"${band_symbol(band if band in used else classes['colour'][1])}_0$ (mag)"


def survey_colour(name: str, position: int = 0) -> str:
    """Colour of a survey; surveys without a colour of their own take the cycle's."""
    return SURVEY_COLOUR.get(name, CYCLE[position % len(CYCLE)])


def survey_name(name: str) -> str:
    """Name of a survey as printed."""
    return SURVEY_NAME.get(name, name.replace("_", " ").upper() if len(name) < 5 else name.replace("_", " ").capitalize())


def save(figure: Figure, numbers: pd.DataFrame, outputs: Mapping[str, str | os.PathLike], caption: str, title: str = "") -> None:
    """Write a figure as PDF and PNG, and the numbers that it draws; every file appears whole or not at all.

    Parameters
    ----------
    outputs : mapping
        `pdf`, `png` and `numbers` (.csv or .parquet) to their paths.
    caption, title : str
        Kept in the metadata of the PDF and the PNG. Nothing in the files depends on the date or the machine.

    Raises
    ------
    InputError
        When an output is missing, has another ending, or cannot be written.
    """
    absent = [k for k in ("pdf", "png", "numbers") if k not in outputs]
    if absent:
        raise InputError(f"outputs of a figure, {absent[0]}", "is absent", "Give pdf, png and numbers")
    plain = caption.replace("\n", " ")
    with atomic(outputs["pdf"]) as part:
        meta = {"CreationDate": None, "ModDate": None, "Producer": None, "Creator": "starlabels", "Title": title, "Subject": plain}
        figure.savefig(part, format="pdf", dpi=RASTER_DPI, metadata=meta)
    with atomic(outputs["png"]) as part:
        figure.savefig(part, format="png", dpi=PNG_DPI, metadata={"Software": None, "Title": title, "Description": plain})
    save_numbers(numbers, outputs["numbers"], title)


def save_numbers(numbers: pd.DataFrame, path: str | os.PathLike, title: str = "") -> None:
    """Write a table of drawn numbers as CSV or Parquet, by the ending of `path`."""
    ending = Path(path).suffix
    if ending == ".csv":
        with atomic(path) as part:
            numbers.to_csv(part, index=False, float_format="%.10g", lineterminator="\n")
    elif ending == ".parquet":
        write_table(path, numbers, meta={"title": title})
    else:
        raise InputError(path, f"ends in {ending or 'nothing'}", "Numbers of a figure are written as .csv or .parquet")
