"""Every statement of the paper beside what the run found: value, sign, order, and why where they differ for a known reason."""

import logging
import math
from collections.abc import Iterable, Mapping
from pathlib import Path

import pandas as pd

from ...io import atomic, read_json, write_json
from ..published import PUBLISHED, configured, leaves, look_up, published

log = logging.getLogger(__name__)

FACTOR = 3.0                    # values within this factor are of the same order
ALONE = ("_no_photometry", "_spectra_alone")     # suffixes of what the same quantity is without photometry
SMALL = 0.5                     # of the scatter: biases below are no offset, whatever their sign
COUNT_TOLERANCE = 0.05          # of real samples
COLUMNS = [
    "claim", "part", "section", "kind", "what", "unit", "paper", "found", "interval", "n", "same_sign", "same_order", "verdict", "note",
]
YES, NO, NONE = "yes", "no", "not measured"


def found_claims(paths: Iterable) -> dict[str, dict]:
    """Claims of the validations' JSON files; of a claim in several the first that has a value (files in the order of their names)."""
    out: dict[str, dict] = {}
    for path in sorted(map(str, paths)):
        content = read_json(path)
        claims = content.get("claims") if isinstance(content, dict) else None
        for name, entry in (claims or {}).items():
            entry = entry if isinstance(entry, dict) else {"value": entry}
            if name not in out or _value(out[name]) is None:
                out[name] = {**entry, "file": Path(path).name}
    return out


def _value(entry: Mapping):
    """The value of a found claim, under `value` or `found`."""
    value = entry.get("value", entry.get("found"))
    if isinstance(value, dict) and not any(v is not None for v in value.values()):
        return None
    return value


def _signed(claim: str, part: str) -> bool:
    """Whether a value is an offset or a slope, so that its sign says something."""
    if claim.endswith(("gradient.thin", "gradient.thick", "alpha_shift", "photometry_gain.teff_error")):
        return True
    name = part.rpartition(".")[2]
    return name.endswith("bias") or (claim == "rave.clusters" and "sigma" not in name)


def _numbers(value) -> list[float] | None:
    values = value if isinstance(value, list) else [value]
    if not values or any(isinstance(v, (bool, str)) or v is None for v in values):
        return None
    return [float(v) for v in values]


def _scatter_beside(part: str, entry: Mapping) -> float | None:
    """The scatter that the paper prints beside a bias."""
    return look_up(entry["value"], part.replace("bias", "sigma")) if part.endswith("bias") else None


def compare(entry: Mapping, part: str, paper, found, simulated: bool = True) -> dict:
    """same_sign, same_order and verdict of one value: yes, no, not measured, or "" where the question has no meaning.

    A choice must be equal. A count of a simulated sky says nothing by its size (`ranked` compares the parts of a claim); a real
    one is met within 5 %. A measured value is of the same order within a factor of three, an interval where it comes as near
    to the paper's. A bias below half the scatter, here and in the paper, is none in both.
    """
    out = {"same_sign": "", "same_order": "", "verdict": NONE}
    if found is None:
        return out
    ours, theirs = _numbers(found), _numbers(paper)
    if entry["kind"] in ("config", "order"):
        equal = found == paper or (ours is not None and theirs is not None and math.isclose(ours[0], theirs[0], rel_tol=1e-9))
        return out | {"verdict": YES if equal else NO}
    if ours is None or theirs is None:
        return out
    if entry["kind"] == "count":
        return out | {"verdict": "" if simulated else YES if abs(ours[0] / theirs[0] - 1) <= COUNT_TOLERANCE else NO}
    if entry.get("rel") == "le":
        return out | {"verdict": YES if max(ours) <= theirs[0] else NO}
    if entry.get("rel") == "range":
        return out | {"verdict": YES if theirs[0] <= min(ours) and max(ours) <= theirs[1] else NO}
    scatter = _scatter_beside(part, entry)
    if scatter is not None and max(abs(ours[0]), abs(theirs[0])) < SMALL * scatter:
        return out | {"same_order": YES, "verdict": YES}
    if _signed(entry["id"], part) and theirs[0]:
        out["same_sign"] = YES if ours[0] * theirs[0] > 0 else NO
    size = [abs(v) for v in ours], [abs(v) for v in theirs]
    out["same_order"] = YES if min(size[0]) <= FACTOR * max(size[1]) and max(size[0]) * FACTOR >= min(size[1]) else NO
    return out | {"verdict": NO if NO in (out["same_sign"], out["same_order"]) else YES}


def ranked(rows: list[dict], entry: Mapping) -> None:
    """Set what a claim says by the order of its parts: counts from large to small; a scatter below the one without photometry."""
    known = {row["part"]: row for row in rows if row["found"] is not None and _numbers(row["found"])}
    if entry["kind"] == "count" and len(rows) > 1:
        order = sorted(known.values(), key=lambda row: -row["paper"])
        same = [a["found"] >= b["found"] for a, b in zip(order[:-1], order[1:], strict=True)]
        for row in order if len(order) > 1 else ():
            row["same_order"] = row["verdict"] = YES if all(same) else NO
    for part, row in known.items():
        for suffix in ALONE:
            other = known.get(part.removesuffix(suffix)) if part.endswith(suffix) else None
            if other is not None and "supergiant" not in entry["id"]:        # its labels are no scatters
                rises = (row["found"] > other["found"]) == (row["paper"] > other["paper"])
                row["note"] = "larger without photometry, as in the paper" if rises else "not larger without photometry"
                row["verdict"] = row["verdict"] if rises else NO


def collect(entries: Iterable[Mapping], found: Mapping[str, Mapping], simulated: bool = True) -> pd.DataFrame:
    """A row a number of the paper; columns `COLUMNS`."""
    rows = []
    for entry in entries:
        own = found.get(entry["id"], {})
        value, parts = _value(own), []
        for part, paper in leaves(entry["value"]):
            ours = look_up(value, part)
            interval = look_up(own.get("intervals") or {}, part) if part else own.get("interval")
            row = {"claim": entry["id"], "part": part, "section": entry["at"], "kind": entry["kind"], "what": entry["what"],
                   "unit": entry.get("unit", ""), "paper": paper, "found": ours, "interval": interval, "n": own.get("n"), "note": ""}
            parts.append(row | compare(entry, part, paper, ours, simulated))
        ranked(parts, entry)
        for row in parts:
            if row["verdict"] == NO and entry.get("why"):
                row["note"] = "; ".join(t for t in (row["note"], entry["why"]) if t)
        rows += parts
    return pd.DataFrame(rows, columns=COLUMNS)


def text(value) -> str:
    """A value as printed: four digits, intervals with "to"."""
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return ""
    if isinstance(value, (list, tuple)):
        return " to ".join(text(v) for v in value) if all(v is not None for v in value) else ""
    if isinstance(value, bool):
        return YES if value else NO
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def tally(table: pd.DataFrame) -> str:
    """How often each verdict stands in a table, as printed; values that no verdict is given on are not counted."""
    counted = table["verdict"].value_counts()
    return ", ".join(f"{name} {int(counted.get(name, 0))}" for name in (YES, NO, NONE))


def page(table: pd.DataFrame, simulated: bool) -> str:
    """The table as Markdown, with how often the run agrees."""
    sky = "Simulated sky" if simulated else "This run"
    chosen = table["kind"] == "config"
    lines = [f"# Statements of Guiglion et al. (2020){' (simulated sky)' if simulated else ''}", ""]
    if simulated:
        lines += ["Simulated sky: the stars are made up, so that sizes of samples differ by construction and values need not agree;",
                  "signs and orders should.", ""]
    lines += [f"Measured values that are compared: {tally(table[~chosen])}. Values of the configuration: {tally(table[chosen])}.",
              f"Same order: within a factor of {FACTOR:g}. A bias below {SMALL:g} of the scatter that the paper prints beside it, here and",
              "in the paper, counts as none in both: the verdict is yes. Verdicts are computed.", ""]
    lines += [f"| claim | section | what | paper | {sky.lower()} | unit | same sign | same order | verdict | note |", "|" + "---|" * 10]
    for row in table.to_dict("records"):
        name = f"{row['claim']} {row['part']}".strip()
        cells = [name, row["section"], row["what"], text(row["paper"]), text(row["found"])]
        cells += [row[c] for c in ("unit", "same_sign", "same_order", "verdict", "note")]
        lines.append("| " + " | ".join(str(c).replace("|", "\\|") for c in cells) + " |")
    return "\n".join(lines) + "\n"


def run_claims(paths: Iterable, cfg: Mapping, simulated: bool, out_json, out_csv, out_md, published_path=PUBLISHED) -> dict:
    """Gather the claims of all validations.

    Parameters
    ----------
    paths : iterable of path
        `rave/validation/*.json`; files without claims are passed over.
    out_json, out_csv, out_md : path
        The table of `collect`; the JSON has {n {yes, no, not measured}, unknown (claims found that the paper's list lacks),
        claims: [rows], simulated}.
    """
    entries = published(published_path)
    found = {**found_claims(paths), **configured(cfg)}
    table = collect(entries, found, simulated)
    unknown = sorted(set(found) - {e["id"] for e in entries})
    for name in unknown:
        log.warning("claim %s is not in the list of the paper's claims", name)
    counted = table["verdict"].value_counts()
    content = {"n": {name: int(counted.get(name, 0)) for name in (YES, NO, NONE)}, "unknown": unknown,
               "claims": table.astype(object).where(table.notna(), None).to_dict("records"), "simulated": bool(simulated)}
    write_json(out_json, content)
    sky = "found (simulated sky)" if simulated else "found"
    written = table.assign(**{c: table[c].map(text) for c in ("paper", "found", "interval")}).rename(columns={"found": sky})
    with atomic(out_csv) as part:
        written.to_csv(part, index=False, lineterminator="\n")
    with atomic(out_md) as part:
        part.write_text(page(table, simulated))
    return content
