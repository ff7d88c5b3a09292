"""Figure 22 of Guiglion et al. 2020: the spectra of a yellow supergiant (Section 6.8)."""

import pandas as pd
from matplotlib.figure import Figure

from ...io import read_json, read_table
from .. import panels, style
from ..panels import Numbers
from . import labels, networks

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#AA4499", "#E69F00", "#000000", "#56B4E9", "#882255")
SOURCES = (("photometry", "with photometry"), ("spectra", "spectra alone"))
REFERENCES = (("bdasp", "BDASP"), ("madera", "MADERA"))
MAIN = ("teff", "logg", "mh")
DIGITS = {"teff": 0, "logg": 2, "mh": 2}


def draw(inputs: dict, cfg: dict, simulated: bool) -> tuple[Figure, pd.DataFrame]:
    """One colour a spectrum, with what the networks and RAVE DR6 make of the star; inputs `spectra`, `summary`."""
    table = read_table(inputs["spectra"], ["rave_obs_id", "wavelength", "flux"])
    summary = read_json(inputs["summary"])
    figure, numbers = style.new_figure(style.PAGE, 96, simulated), Numbers()
    ax = figure.subplots()
    for i, entry in enumerate(summary["spectra"]):
        part = table[table["rave_obs_id"] == entry["rave_obs_id"]].sort_values("wavelength")
        snr = "" if entry["snr"] is None else f" (S/N {entry['snr']:.0f})"
        ax.plot(part["wavelength"], part["flux"], color=COLOURS[i % len(COLOURS)], linewidth=0.7, zorder=2 + (entry["snr"] or 0) * 1e-3,
                label=f"{entry['rave_obs_id']}{snr}")
        numbers.add("spectra", "line", entry["rave_obs_id"], x=part["wavelength"], y=part["flux"])
    ax.set(xlabel=r"Wavelength ($\mathrm{\AA}$)", ylabel="Normalised flux")
    if len(table):
        ax.set_xlim(table["wavelength"].min(), table["wavelength"].max())
        low, high = float(table["flux"].min()), float(table["flux"].max())
        ax.set_ylim(low - 0.52 * (high - low), high + 0.06 * (high - low))
        ax.legend(loc="lower right", bbox_to_anchor=(0.995, 0.01))
    panels.corner_text(ax, _text(summary, numbers), "lower left", linespacing=1.3)
    return figure, numbers.frame()


def notes(inputs: dict, cfg: dict, simulated: bool) -> str:
    """What the caption adds: the number of networks."""
    return networks.sentence(inputs)


def _text(summary: dict, numbers: Numbers) -> str:
    lines = [f"Gaia DR2 {summary['source']}: {summary['n_spectra']} spectra, {summary['n_observed']} in the observed sample"]
    numbers.add("star", "value", ["n_spectra", "n_observed"], value=[summary["n_spectra"], summary["n_observed"]])
    if not summary["n_observed"]:
        return "\n".join(lines)
    for key, name in SOURCES:
        lines.append(f"{name}: {_labels(summary['networks'][key], key, numbers, True)}")
    for key, name in REFERENCES:
        lines.append(f"RAVE DR6 {name}: {_labels(summary['references'][key], key, numbers, False)}")
    return "\n".join(lines)


def _labels(found: dict, source: str, numbers: Numbers, dispersion: bool) -> str:
    parts = []
    for label in MAIN:
        mean, spread = found.get(label, (None, None))
        numbers.add("star", "value", [f"{label} {source}", f"dispersion {label} {source}"], value=[mean, spread])
        text = f"{labels.symbol(label)} = {labels.number(mean, label, signed=label == 'mh', digits=DIGITS[label])}"
        if dispersion and mean is not None:
            text += f" \N{PLUS-MINUS SIGN} {labels.number(spread, label, digits=DIGITS[label])}"
        parts.append(text if label == "logg" else f"{text} {labels.LABEL[label][1]}")
    return ", ".join(parts)
