"""How much there is to do in a configured run: rows and bytes of every catalogue, and what the rules count their work in.

Everything follows from the configuration, from what config/datasets.yaml states of the archives and from the papers' numbers; nothing is
read or fetched. NaN is what is not known; `notes` says what would tell.
"""

import glob
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ..acquire.roads import kind_of, pieces
from ..errors import InputError
from ..photometry import feature_names
from ..sky import layout
from . import papers

SKY_DEG2 = 4 * math.pi * math.degrees(1) ** 2
NATIVE_BYTES = {"float64": 8, "float32": 4, "int64": 8, "int32": 4, "str": 16}   # of a value, as services send it
SIZES = {"kB": 1e-3, "MB": 1.0, "GB": 1e3, "TB": 1e6}                            # MB
TELL = "`snakemake acquire_check` asks the source; or state `source.rows` in config/datasets.yaml"
UNKNOWN = math.nan
DUST_MB = 2 * 4096**2 * 4 / 1e6          # two maps of float32


@dataclass
class Catalogue:
    """One catalogue of the run: its road, native files, rows, MB to fetch (or that are there); how the size is known; of the spectra?"""

    dataset: str
    road: str
    files: int
    rows: float
    mb: float
    known: str = ""
    spectral: bool = False


@dataclass
class Size:
    """What a run has to do.

    Attributes
    ----------
    catalogues : list of Catalogue
        Everything that is read.
    units : dict
        Unit of work -> how many; `trained_<k>` and `predicted_<k>` are of data set k, `calls_<network>` spectra times networks.
    features : dict
        Data set -> number of features of its forests.
    stars : dict
        Data set -> training stars of its largest forest.
    notes : list of str
        What is not known, and what would tell.
    """

    catalogues: list[Catalogue] = field(default_factory=list)
    units: dict[str, float] = field(default_factory=dict)
    features: dict[int, int] = field(default_factory=dict)
    stars: dict[int, float] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def size_of(config: Mapping, plan, shares: Mapping, learned: Mapping | None = None) -> Size:
    """Rows, bytes and work of a run.

    Parameters
    ----------
    config : mapping
        The merged configuration.
    plan : Plan
        What it consists of.
    shares : mapping
        `simulated` of measured.yaml: what becomes of the simulated sources.
    learned : mapping, optional
        Dataset -> `rows`, `bytes` as `acquire_check` found them.

    Returns
    -------
    Size
    """
    size, learned = Size(), learned or {}
    if "sages" in config["papers"]:
        _photometric(size, config, plan, shares, learned)
    if "rave" in config["papers"]:
        _spectral(size, config, plan, shares, learned)
    for what in ("rows", "mb"):
        lacking = [c.dataset for c in size.catalogues if math.isnan(getattr(c, what)) and c.road not in ("dust", "simulated")]
        if lacking:
            size.notes.append(f"{'rows' if what == 'rows' else 'size'} of {', '.join(lacking)}: {TELL}")
    return size


def _photometric(size: Size, config: Mapping, plan, shares: Mapping, learned: Mapping) -> None:
    sages, primary = config["sages"], config["sages"]["photometry"]["matched"] or config["sages"]["photometry"]["primary"]
    if plan.simulated and plan.matched is None:
        sources = float(sum(round(d["stars"] * layout.SAGES_SHARE) + d["members"] for d in layout.discs_of(config)))
    else:
        sources = _stated(config, primary, learned)
        whole = 12 * config["cells"]["nside"] ** 2
        if config["cells"]["list"] not in ("auto", "all") and plan.matched is None:
            # cells inside the footprint are fuller than the mean of the sky
            sources = min(sources, sources * len(plan.cells) / whole * SKY_DEG2 / papers_area(shares))
    size.catalogues += [
        _catalogue(name, config, plan, shares, learned, sources, size) for name in dict.fromkeys(plan.datasets_read())
    ]
    if getattr(plan, "archives", None) and config["dust"]["map"] == "archives" and sages["photometry"]["ebv"] == "sfd":
        size.catalogues.append(Catalogue("dust", "dust", 2, UNKNOWN, DUST_MB, "stated"))
    size.units["sources"] = sources
    labels = len({model.partition("_")[0] for model in sages["models"]})
    trees = sages["forest"]["n_estimators"]
    for entry in sages["data_sets"]:
        k = entry["id"]
        size.features[k] = len(feature_names(sages, k))
        stars, predicted = _stars_of_set(size, config, plan, shares, sources, k)
        size.stars[k] = stars
        size.units[f"trained_{k}"], size.units[f"predicted_{k}"] = labels * trees * stars, predicted


def papers_area(shares: Mapping) -> float:
    """Square degrees of the survey, from measured.yaml."""
    return float(shares["survey_deg2"])


def _stars_of_set(size: Size, config: Mapping, plan, shares: Mapping, sources: float, k: int) -> tuple[float, float]:
    """Training stars (those that have a label) and predicted stars of a data set."""
    cap = config["sages"]["samples"]["max_train"] or math.inf
    known = k in shares["predicted"]
    if plan.matched is not None or not known:
        size.notes.append(f"stars of data set {k}: at most all sources; a run tells")
        return min(sources, cap), sources
    ratio = shares["trained"][k] / shares["trained"][1]
    if plan.simulated:
        fractions = config["sky"]["fraction_labelled"]
        labelled = 1 - math.prod(1 - fraction for fraction in fractions.values())
        return min(sources * labelled * shares["trained"][1], cap) * ratio, sources * shares["predicted"][k]
    share = sources / shares["papers_sources"]
    return min(papers.TRAINING_STARS * share, cap) * ratio, papers.STARS[k] * share


def _spectral(size: Size, config: Mapping, plan, shares: Mapping, learned: Mapping) -> None:
    rave = config["rave"]
    if plan.simulated:
        spectra = observed = float(config["sky"]["rave"]["n_spectra"])
        training = config["sky"]["rave"]["n_apogee"] * shares["rave_training"]
    elif rave["spectra"]["folders"]:
        folders = [folder for name in plan.rave.slices for folder in plan.rave.spectra_folders(name)]
        spectra = observed = float(sum(1 for folder in folders for _ in Path(folder).rglob("RAVE_*.fits")))
        training = UNKNOWN
        size.notes.append("training spectra are unknown before the cross-match with APOGEE; the rule rave_training tells")
    else:
        spectra, observed = _stated(config, "rave_obsdata", learned), float(papers.SPECTRA)
        training = float(papers.TRAINING_SPECTRA)
    names = [*plan.rave.datasets(), *([plan.rave.INDEX] if getattr(plan, "archives", None) else [])]
    for name in dict.fromkeys(names):
        if name not in {c.dataset for c in size.catalogues}:
            size.catalogues.append(_catalogue(name, config, plan, shares, learned, spectra, size))
            size.catalogues[-1].spectral = True
    if getattr(plan, "archives", None) and not rave["spectra"]["folders"]:
        size.catalogues.append(Catalogue("rave_spectra", "bulk", int(spectra), spectra, spectra * shares["spectrum_mb"], "about", True))
    size.units |= {"spectra": spectra, "observed": observed}
    for network in ("photometry", "spectra"):
        count = plan.rave.n_networks("main", network)
        kept = max(rave["ensemble"]["kept_min"], int(count * rave["ensemble"]["keep_quantile"]))
        size.units[f"fits_{network}"] = count * training
        size.units[f"calls_{network}"] = observed * kept


def _catalogue(name: str, config: Mapping, plan, shares: Mapping, learned: Mapping, sources: float, size: Size) -> Catalogue:
    """Rows and bytes of one catalogue."""
    spec, seen = config["datasets"][name], learned.get(name, {})
    if plan.simulated:
        return _simulated(name, config, plan, shares, sources)
    archives = getattr(plan, "archives", None)
    rows = _stated(config, name, learned)
    if archives is None or not archives.fetched(name):
        found = _own(spec)
        return Catalogue(name, "mine", len(found), rows, sum(Path(p).stat().st_size for p in found) / 1e6 if found else UNKNOWN, "files")
    road = archives.road(name)
    kind = kind_of(road)
    parts, details = pieces(name, road, archives.dec_min), road[kind]
    if kind == "bulk":
        each = details.get("bytes") or seen.get("bytes")
        stated = _mb(spec.get("source", {}).get("size"))
        mb, known = (each * len(parts) / 1e6, "stated" if details.get("bytes") else "asked") if each else (stated, "stated")
        return Catalogue(name, kind, len(parts), rows, mb, known if not math.isnan(mb) else "")
    if kind == "xmatch":
        # each source has itself and what lies around it by chance; the density is the catalogue's mean over the sky
        rows = sources * (1 + rows / SKY_DEG2 * math.pi * (details["radius_arcsec"] / 3600) ** 2)
    elif "nside" in (details.get("slices") or {}):
        rows *= len(parts) / (12 * details["slices"]["nside"] ** 2)
    elif details.get("where"):
        size.notes.append(f"rows of {name}: at most, as `where` of its road leaves some out")
    return Catalogue(name, kind, len(parts), rows, rows * native_bytes(spec) / 1e6, "computed")


def _simulated(name: str, config: Mapping, plan, shares: Mapping, sources: float) -> Catalogue:
    """Of the photometric half as many rows a source as were counted; tables of spectra have about a row a spectrum."""
    spectral = name in plan.rave.simulated_datasets() and name not in plan.simulated_datasets()
    ratio = 1.0 if spectral else shares["rows"].get(name, shares["rows_other"])
    if name in shares["rows_of_labelled"]:
        ratio = shares["rows_of_labelled"][name] * config["sky"]["fraction_labelled"][name]
    rows = sources * ratio
    files = len(plan.rave.shards if spectral else plan.shards)
    return Catalogue(name, "simulated", files, rows, rows * native_bytes(config["datasets"][name]) / 1e6, "computed")


def _stated(config: Mapping, dataset: str, learned: Mapping) -> float:
    found = learned.get(dataset, {}).get("rows")
    return float(found or config["datasets"][dataset].get("source", {}).get("rows") or UNKNOWN)


def native_bytes(spec: Mapping) -> float:
    """Bytes of a row of the columns that are asked for."""
    return float(sum(NATIVE_BYTES[column.get("type", "float64")] for column in spec["columns"].values() if "native" in column))


def canonical_bytes(spec: Mapping) -> float:
    """Bytes of a row of the columns that are kept, before compression."""
    entries = {**spec["columns"], **{n: {**spec["columns"].get(n, {}), **e} for n, e in spec.get("derive", {}).items()}}
    return float(sum(NATIVE_BYTES[e.get("type", "float64")] for e in entries.values() if e.get("keep", True)))


def _mb(text: str | None) -> float:
    """MB of what config/datasets.yaml states as a size (`4.2 GB`); NaN for anything else."""
    found = re.fullmatch(r"([\d.]+) *([kMGT]B)", text or "")
    return float(found[1]) * SIZES[found[2]] if found else UNKNOWN


def _own(spec: Mapping) -> list[str]:
    return sorted({path for pattern in spec.get("files") or [] for path in glob.glob(pattern)})


def learned_from(check: Mapping | None) -> dict[str, dict]:
    """Rows and bytes by dataset from the numbers that `acquire_check` wrote.

    Raises
    ------
    InputError
        When they are something else.
    """
    try:
        return {source["dataset"]: {key: source[key] for key in ("rows", "bytes")} for source in (check or {"sources": []})["sources"]}
    except (KeyError, TypeError) as error:
        raise InputError("result of acquire_check", f"lacks {error}", "Run `snakemake acquire_check` again") from error


def total(values: Iterable[float]) -> tuple[float, bool]:
    """Sum of what is known, and whether that is all."""
    values = list(values)
    return float(sum(v for v in values if not math.isnan(v))), not any(math.isnan(v) for v in values)
