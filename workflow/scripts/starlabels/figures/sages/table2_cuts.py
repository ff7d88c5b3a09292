"""Table 2 of Gu et al. 2025: the cuts of the run and how many stars each of them removed (Sections 2.1 to 2.3)."""

import os
import re
from collections.abc import Mapping, Sequence

import pandas as pd

from ...errors import InputError
from ...flow import merge
from ...io import read_json
from .. import style
from .table1_reddening import PAPER

LABEL = {
    "teff": ("Teff error (K)", "teff_err_max"), "logg": ("log g error (dex)", "logg_err_max"), "feh": ("[Fe/H] error (dex)", "feh_err_max"),
}
NUMBER = r"-?[0-9.]+(?:e[+-]?[0-9]+)?"
# row: the cuts that it counts, as the selection words them (those of flags, bands and labels stand in `parameter_of`)
CUTS = {
    "Parallax over error": rf"parallax and error present|parallax error <= parallax \(likely giants go, A-11\)|parallax / error > {NUMBER}"
                           r"|parallax > 0|parallax present",
    "E(B-V)": rf"E\(B-V\) (present|<= {NUMBER})",
    "Class": "class known|not a white dwarf|not a hot subdwarf",
    "S/N of the spectrum": f"S/N > {NUMBER}",
    "[Fe/H]": rf"\[Fe/H\] < {NUMBER}",
    "Label from one survey": "no earlier survey gives the star's labels",
    "Training rows drawn at random": r"drawn at random, at most [0-9]+ training rows",
}
# rows of the paper's Table 2; the parallax, E(B-V), errors of bands and labels (the text and our choices give the others)
IN_PAPER = {"Parallax over error", "E(B-V)",
            *(name for name, _ in LABEL.values()), *(f"{name} error (mag)" for _, name, *_ in PAPER.values())}
START, END = "Stars before the cuts", "Stars left"


def table(inputs: dict, cfg: dict, simulated: bool) -> pd.DataFrame:
    """Limits, and the stars that each removed in training, test and prediction of each data set.

    Parameters
    ----------
    inputs : dict
        `samples`: flow tables of the samples, one file a data set; `prediction`: flow tables of the prediction cuts, one
        file a cell (each a path or a list of paths).

    Raises
    ------
    InputError
        When a file holds no flow, or a flow has a cut that no row counts.
    """
    counts = {**_sample_counts(paths_of(inputs["samples"]), cfg), **_prediction_counts(paths_of(inputs["prediction"]), cfg)}
    limits = _limits(cfg)
    seen = list(dict.fromkeys(name for column in counts.values() for name in column))
    names = [START, *[n for n in limits if n in seen], *[n for n in seen if n not in limits and n not in (START, END)], END]
    shown = [n if n in IN_PAPER or n in (START, END) else f"{n} (added)" for n in names]
    rows = [(s, *limits.get(n, ("", ""))) for s, n in zip(shown, names, strict=True)]
    text = pd.DataFrame(rows, columns=["Parameter", "Training cut", "Prediction cut"])
    return text.assign(**{column: pd.array([found.get(n) for n in names], dtype="Int64") for column, found in counts.items()})


def paths_of(value: str | os.PathLike | Sequence) -> list:
    """One path or several, as a list."""
    return [value] if isinstance(value, (str, os.PathLike)) else list(value)


def _limits(cfg: Mapping) -> dict[str, tuple[str, str]]:
    """Parameter of the table: its limits for training and for prediction, in the order in which the cuts are made."""
    cuts, used = cfg["cuts"], dict.fromkeys(b for entry in cfg["data_sets"] for b in entry["bands"])

    def text(sign: str, value) -> str:
        return "" if value is None else f"{sign} {value:g}"

    rows = {f"{flag} (quality flag)": ("= 0", "= 0") for flag in cuts["flags_zero"]}
    rows["Magnitudes of the data set"] = ("present", "present")
    rows["Parallax over error"] = (text(">", cuts["parallax_over_err_min"]),) * 2
    rows["E(B-V)"] = (text("\N{LESS-THAN OR EQUAL TO}", cuts["ebv_max_train"]), text("\N{LESS-THAN OR EQUAL TO}", cuts["ebv_max_predict"]))
    for band in used:
        spec = cfg["bands"][band]
        limits = tuple(text("\N{LESS-THAN OR EQUAL TO}", spec[f"err_max_{p}"]) for p in ("train", "predict"))
        rows[_error_name(band, cfg)] = limits
    rows["Class"] = ("dwarf or giant", "dwarf or giant")
    rows["S/N of the spectrum"] = (_by_survey(cfg, "snr_min", ">"), "")
    for name, key in LABEL.values():
        rows[name] = (text("\N{LESS-THAN OR EQUAL TO}", cuts[key]), "")
    rows["[Fe/H]"] = (_by_survey(cfg, "feh_max", "<"), "")
    rows["Label from one survey"] = ("first listed", "")
    rows["Training rows drawn at random"] = (text("\N{LESS-THAN OR EQUAL TO}", cfg["samples"].get("max_train")), "")
    return rows


def _by_survey(cfg: Mapping, key: str, sign: str) -> str:
    """Limits that surveys of the samples set for themselves, such as "PASTEL < -1, RAVE DR5 < -1"."""
    surveys = {**cfg["samples"]["train"], **cfg["samples"]["test"]}
    limits = {s: (entry or {}).get(key) for s, entry in surveys.items()}
    return ", ".join(f"{style.survey_name(s)} {sign} {v:g}".replace("-", "\N{MINUS SIGN}") for s, v in limits.items() if v is not None)


def _error_name(band: str, cfg: Mapping) -> str:
    """Row of a band's error, with the name of the band as in Table 1."""
    return f"{PAPER[band][1] if band in PAPER else cfg['bands'][band].get('tag', band)} error (mag)"


def parameter_of(cut: str, cfg: Mapping, where: str = "the flow of a selection") -> str:
    """The row of the table that a cut of a flow belongs to.

    Raises
    ------
    InputError
        When no row counts such a cut: the wording of `sages.selection` and of this table must agree, word for word.
    """
    band = "|".join(map(re.escape, cfg["bands"]))
    texts = {
        "|".join(f"{re.escape(flag)} = 0" for flag in cfg["cuts"]["flags_zero"]): lambda m: f"{cut.split(' ')[0]} (quality flag)",
        f"({band}) present": lambda m: "Magnitudes of the data set",
        f"({band}) error <= {NUMBER}": lambda m: _error_name(m[1], cfg),
        f"({'|'.join(LABEL)}) (present|error <= {NUMBER}( or not given)?)": lambda m: LABEL[m[1]][0],
        **{text: lambda m, name=name: name for name, text in CUTS.items()},
    }
    for text, name in texts.items():
        found = re.fullmatch(text, cut) if text else None
        if found:
            return name(found)
    raise InputError(where, f"has a cut that no row of Table 2 counts: {cut!r}", "Give it a row in figures/sages/table2_cuts.py")


def _removed(flow: Sequence[Mapping], cfg: Mapping, where: str) -> dict[str, int]:
    found = {START: flow[0]["kept"]}
    for entry in flow[1:]:
        name = parameter_of(entry["cut"], cfg, where)
        found[name] = found.get(name, 0) + entry["dropped"]
    return {**found, END: flow[-1]["kept"]}


def _sum(columns: list[dict[str, int]]) -> dict[str, int]:
    total: dict[str, int] = {}
    for column in columns:
        for name, n in column.items():
            total[name] = total.get(name, 0) + n
    return total


def _sample_counts(paths: list, cfg: Mapping) -> dict[str, dict[str, int]]:
    """Columns "Training 1", "Test 1", ...: the surveys of each sample together."""
    groups = {"Training": cfg["samples"]["train"], "Test": cfg["samples"]["test"]}
    if cfg["samples"]["split"] == "random":
        groups = {"Training and test": cfg["samples"]["train"]}
    found: dict[str, dict[str, int]] = {}
    contents, where = {}, {}
    for path in paths:
        content = read_json(path)
        if "flows" not in content or "data_set" not in content:
            raise InputError(f"{path}, key flows", "is absent", "Delete it and run again")
        contents[content["data_set"]], where[content["data_set"]] = content["flows"], str(path)
    for group, surveys in groups.items():
        for data_set, flows in sorted(contents.items()):
            columns = [_removed(flows[s], cfg, where[data_set]) for s in surveys if s in flows]
            if columns:
                found[f"{group} {data_set}"] = _sum(columns)
    return found


def _prediction_counts(paths: list, cfg: Mapping) -> dict[str, dict[str, int]]:
    """Columns "Prediction 1", ...: all cells together."""
    cells, where = [read_json(path) for path in paths], str(paths[0])
    keys = {f"Prediction {entry['id']}": f"set{entry['id']}" for entry in cfg["data_sets"]}
    return {column: _removed(merge([c[key] for c in cells]), cfg, where) for column, key in keys.items()}
