"""What a configured run would cost: jobs, rows, core-hours, memory and disk of every rule, before anything runs.

Rates are those of measured.yaml, rows those of `rows`. Stages follow each other; work within a stage is shared perfectly between the
cores, but no stage ends before its longest job (as in `papers`). What is not known is NaN, never a guess: sums say then "at least".
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from ..rave.plan import RavePlan
from ..settings import load_yaml
from .rows import Catalogue, Size, canonical_bytes, total
from .threads import thread_mb

MEASURED = Path(__file__).parent / "measured.yaml"
UNKNOWN = math.nan
READERS = ("catalog", "catalog_part", "catalog_merge", "rave_catalog")
#: rules in the order of the flow; files live from the rule that makes them to the last that reads them
ORDER = ("fetch", "fetch_spectra", "fetch_dust", "simulate", "simulate_maps", "simulate_rave", "catalog_part", "catalog_counts",
         "catalog_merge", "catalog", "rave_catalog", "stars", "matched_stars", "labels", "features", "samples", "train", "predict",
         "catalog_product", "rave_spectra", "rave_stars", "rave_training", "train_cnn", "ensemble", "predict_cnn")  # fmt: skip
TRAIN_THREADS = 16
WAITS = "jobs that wait for the network"


@dataclass
class Cost:
    """One rule (of one data set or network) in this run.

    Attributes
    ----------
    rule, part : str
        Its name, and the data set or network ("" for all).
    jobs : int
        Jobs of the rule; of its parts together where a rule has several.
    rows, unit
        What it works on.
    core_hours, peak_mb, disk_gb : float
        NaN: unknown.
    longest_hours : float
        Wall time of the longest job with the threads that it can use.
    read_until : str or None
        The last rule that reads its files.
    run : str
        Where its rate was measured; "" without one.
    at_least : bool
        Whether something unknown is missing from its numbers.
    """

    rule: str
    part: str
    jobs: int
    rows: float
    unit: str
    core_hours: float
    peak_mb: float
    disk_gb: float
    longest_hours: float = 0.0
    read_until: str | None = None
    run: str = ""
    at_least: bool = False


@lru_cache
def measured(path: str | Path = MEASURED) -> dict:
    """The rates."""
    return load_yaml(path)


def costs(config: Mapping, size: Size, jobs: Mapping[str, int], rates: Mapping, cores: int = 32) -> list[Cost]:
    """What every rule of a run costs.

    Parameters
    ----------
    config : mapping
        The merged configuration (its datasets).
    size : Size
        Rows and units of work.
    jobs : mapping
        Rule -> number of jobs (`dry_run.jobs_of_run`).
    rates : mapping
        measured.yaml.
    cores : int
        Cores that jobs with several threads can use.

    Returns
    -------
    list of Cost
        In the order of the flow, then as given.
    """
    grouped: dict[str, int] = {}
    for name, count in jobs.items():
        rule = re.sub(r"_\d+$", "", name)  # rules that are made once a group of cells
        grouped[rule] = grouped.get(rule, 0) + count
    ordered = sorted(grouped, key=lambda rule: ORDER.index(rule) if rule in ORDER else len(ORDER))
    return [cost for rule in ordered for cost in _of_rule(rule, grouped[rule], config, size, rates, cores)]


def _of_rule(rule: str, jobs: int, config: Mapping, size: Size, rates: Mapping, cores: int) -> list[Cost]:
    if rule in READERS:
        return [_reading(rule, jobs, config, size, rates)]
    rate = rates["rules"].get(rule) or (rates["rules"]["validate"] if rule.startswith("validate") else None)
    if rate is None:
        return [Cost(rule, "", jobs, UNKNOWN, "", UNKNOWN, UNKNOWN, UNKNOWN)]
    if rate.get("waits"):
        return [Cost(rule, "", jobs, float(jobs), WAITS, 0.0, rate["peak_mb"], 0.0)]
    unit = rate.get("unit", "jobs")
    if "{k}" in unit:
        return [_by_rows(rule, k, jobs // max(len(size.features), 1), unit, rate, size, cores) for k in size.features]
    if "{network}" in unit:
        return [_by_rows(rule, name, jobs // 2, unit, rate["networks"][name] | rate, size, cores) for name in ("photometry", "spectra")]
    return [_by_rows(rule, "", jobs, unit, rate, size, cores) if unit != "jobs" else _by_jobs(rule, jobs, rate, size)]


def _by_jobs(rule: str, jobs: int, rate: Mapping, size: Size) -> Cost:
    """A rule whose jobs cost the same, as far as was seen."""
    largest = max((size.units.get(unit, 0.0) for unit in ("sources", "spectra")), default=0.0)
    seen = not largest > rate.get("holds_to", math.inf)
    each = rate["core_s_a_job"] / 3600 if seen else UNKNOWN
    peak = rate["peak_mb"] if seen else UNKNOWN
    return Cost(rule, "", jobs, float(jobs), "jobs", jobs * each, peak, jobs * rate.get("mb_a_job", 0.0) / 1e3, each, run=rate["run"])


def _by_rows(rule: str, part: int | str, jobs: int, unit: str, rate: Mapping, size: Size, cores: int) -> Cost:
    """A rule whose work grows with its rows."""
    name = unit.format(k=part, network=part)
    rows, threads = size.units.get(name, UNKNOWN), 1
    if "features" in rate:
        rate = rate | _between(rate["features"], size.features[part])
    core_s = rows / 1e6 * rate["core_s"] + jobs * rate.get("core_s_a_job", 0.0)
    grows = size.stars[part] if rule == "train" else rows
    peak = rate["peak_mb"] + rate.get("peak_mb_a_million", 0.0) * grows / 1e6
    if rule == "train":
        threads = min(TRAIN_THREADS, cores)
        peak += threads * thread_mb(size.stars[part], size.features[part])
    longest, peak = core_s / 3600 / max(jobs, 1) / threads, float(peak)
    label = f"set {part}" if isinstance(part, int) else part
    return Cost(rule, label, jobs, rows, name, core_s / 3600, peak, rows / 1e6 * rate.get("mb", 0.0) / 1e3, longest,
                rate.get("read_until"), rate["run"])  # fmt: skip


def _between(points: Mapping[int, Mapping], features: int) -> dict[str, float]:
    """Rates of a forest with so many features, in a straight line between those measured; beyond them the nearest."""
    known = sorted(points)
    names = {name for point in points.values() for name in point}
    return {name: float(np.interp(features, known, [points[k].get(name, 0.0) for k in known])) for name in names}


def _reading(rule: str, jobs: int, config: Mapping, size: Size, rates: Mapping) -> Cost:
    """Native tables made canonical, by format and rows; the catalogues are shared out between the rules that read them."""
    reading, merged = rates["reading"], rule == "catalog_merge"
    own = [c for c in size.catalogues if reader_of(c, config) == ("catalog_part" if merged else rule)]
    hours, disk, longest = jobs * reading["core_s_a_job"] / 3600, 0.0, 0.0
    for c in (c for c in own if not math.isnan(c.rows)):
        spec = config["datasets"][c.dataset]
        form = "merge" if merged else "parquet" if c.road in ("tap", "xmatch") else spec["format"]
        each = c.rows / 1e6 * reading["core_s"][form] / 3600
        hours, disk = hours + each, disk + c.rows * canonical_bytes(spec) * reading["compression"] / 1e9
        # jobs of one catalogue are alike; those of several are not, and the largest one decides
        shares = {"catalog_part": -(-c.files // config["cells"]["files_per_job"]), "catalog_merge": jobs // len(own)}.get(rule, 1)
        longest = max(longest, each / max(shares, 1))
    rows, known = total(c.rows for c in own)
    until = {"catalog_part": "catalog_merge", "rave_catalog": None}.get(rule, reading["read_until"])
    return Cost(rule, "", jobs, rows, "rows", hours, reading["peak_mb"], disk, longest, until, reading["run"], not known)


def reader_of(catalogue: Catalogue, config: Mapping) -> str:
    """The rule that reads a catalogue: one job, or several where it has many files; tables of spectra have a rule of their own."""
    entry = config["datasets"].get(catalogue.dataset)
    if entry is None or catalogue.dataset == RavePlan.INDEX:
        return ""  # spectra and maps are no tables; the index of the spectra is read while they are fetched
    if catalogue.spectral:
        return "rave_catalog"
    return "catalog_part" if catalogue.files > config["cells"]["files_per_job"] and "generate_id" not in entry else "catalog"


@dataclass
class Sums:
    """The whole run; `whole` names the sums that nothing unknown is missing from.

    Attributes
    ----------
    core_hours, wall_hours, wall_hours_own : float
        All jobs; on `cores` cores; on `own_cores` (None: not asked).
    peak_mb : float
        The largest job.
    download_gb, results_gb, end_gb, peak_gb : float
        Fetched or there; everything that rules write; what is left at the end; the most there is at once (both with what was fetched).
    gpu_hours : float
        Of the networks, if a GPU does them; NaN: no rate.
    """

    cores: int
    core_hours: float
    wall_hours: float
    peak_mb: float
    download_gb: float
    results_gb: float
    end_gb: float
    peak_gb: float
    gpu_hours: float
    own_cores: int | None = None
    wall_hours_own: float | None = None
    whole: tuple[str, ...] = ()


def sums(table: list[Cost], size: Size, config: Mapping, rates: Mapping, cores: int = 32) -> Sums:
    """Add the rules up.

    Parameters
    ----------
    table : list of Cost
        From `costs`.
    size : Size
        The catalogues.
    config : mapping
        `output.keep`, `source`, `archives.cores`.
    rates : mapping
        measured.yaml (`gpu`).
    cores : int
        Cores of the machine.
    """
    partial = any(c.at_least for c in table)
    hours, all_hours = total(c.core_hours for c in table)
    disk, all_disk = total(c.disk_gb for c in table)
    all_hours, all_disk = all_hours and not partial, all_disk and not partial
    fetched = [c.mb / 1e3 for c in size.catalogues if c.road != "simulated"]
    download, all_download = total(fetched)
    keep = config["output"]["keep"]
    left = total(c.disk_gb for c in table if keep == "all" or not c.read_until)[0]
    own = (config.get("archives") or {}).get("cores")
    whole = [name for name, ok in (("core_hours", all_hours), ("results_gb", all_disk), ("download_gb", all_download)) if ok]
    if all_disk and all_download:
        whole += ["end_gb", "peak_gb"]
    whole += ["wall_hours"] if all_hours else []
    peak = max((c.peak_mb for c in table if not math.isnan(c.peak_mb)), default=UNKNOWN)
    at_once = download + (disk if keep == "all" else most_at_once(table))
    return Sums(cores, hours, wall_hours(table, cores), peak, download, disk, download + left, at_once, gpu_hours(size, rates), own,
                wall_hours(table, own) if own else None, tuple(whole))  # fmt: skip


def wall_hours(table: list[Cost], cores: int) -> float:
    """Hours on so many cores: one rule after the other, none faster than its longest job."""
    known = [c for c in table if not math.isnan(c.core_hours)]
    return sum(max(c.core_hours / cores, min(c.longest_hours, c.core_hours)) for c in known)


def most_at_once(table: list[Cost]) -> float:
    """GB at most, when files are deleted after their last reader: the largest sum of what lives at some rule of the flow."""
    flow = [c.rule for c in table]
    end = {rule: place for place, rule in enumerate(flow)}
    lives = [(place, end.get(c.read_until, place) if c.read_until else len(flow), c.disk_gb) for place, c in enumerate(table)]
    at = [sum(gb for first, last, gb in lives if first <= place <= last and not math.isnan(gb)) for place in range(len(flow))]
    return max(at, default=0.0)


def gpu_hours(size: Size, rates: Mapping) -> float:
    """Hours of one GPU for training and prediction of all networks; NaN without a rate, 0 without networks."""
    fits = sum(size.units.get(f"fits_{network}", 0.0) for network in ("photometry", "spectra"))
    calls = sum(size.units.get(f"calls_{network}", 0.0) for network in ("photometry", "spectra"))
    if not fits and not calls:
        return 0.0
    gpu = rates["gpu"]
    if gpu["fits"] is None or gpu["calls"] is None:
        return UNKNOWN
    return (fits * gpu["fits"] + calls * gpu["calls"]) / 1e6 / 3600
