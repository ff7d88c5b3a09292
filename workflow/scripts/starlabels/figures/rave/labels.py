"""Names, units and digits of the nine labels, and of the bands, as the figures of Guiglion et al. 2020 print them."""

from collections.abc import Mapping

from .. import style

# label: (symbol, unit), in the order of the network's outputs
LABEL = {
    "teff": (r"$T_\mathrm{eff}$", "K"), "logg": (r"$\log\,g$", "dex"), "mh": ("[M/H]", "dex"), "feh": ("[Fe/H]", "dex"),
    "alpha_m": (r"[$\alpha$/M]", "dex"), "si_fe": ("[Si/Fe]", "dex"), "al_fe": ("[Al/Fe]", "dex"), "mg_fe": ("[Mg/Fe]", "dex"),
    "ni_fe": ("[Ni/Fe]", "dex"),
}
BANDS = ("gaia_g", "gaia_bp", "gaia_rp", "tmass_j", "tmass_h", "tmass_ks", "wise_w1", "wise_w2")


def symbol(label: str) -> str:
    """Symbol of a label, such as [alpha/M] with the Greek letter."""
    return LABEL.get(label, (label, ""))[0]


def axis_label(label: str, before: str = "", delta: bool = False) -> str:
    """Axis label such as "CNN [M/H] (dex)" or, for a difference, "Delta [M/H] (dex)"."""
    name, unit = LABEL.get(label, (label, ""))
    start = rf"$\Delta$ {name}" if delta else f"{before} {name}".strip()
    return f"{start} ({unit})" if unit else start


def number(value: float | None, label: str, signed: bool = False, digits: int | None = None) -> str:
    """A statistic with the digits that suit the label (1 K, 0.001 dex; `digits` overrides) and a proper minus sign; a dash for none."""
    if value is None:
        return "\N{EN DASH}"
    places = digits if digits is not None else 0 if label == "teff" else 3
    text = f"{value:+.{places}f}" if signed else f"{value:.{places}f}"
    return text.replace("-", "\N{MINUS SIGN}")


def band_label(column: str) -> str:
    """Axis label of an apparent magnitude or of the extinction."""
    return r"$A_V$ (mag)" if column == "av_starhorse" else rf"${style.band_symbol(column)}$ (mag)"


def of_configuration(cfg: Mapping) -> list[str]:
    """The labels that the run predicts, in the order of the configuration."""
    return list(cfg["labels"])
