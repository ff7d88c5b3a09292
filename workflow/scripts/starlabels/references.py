"""What the configuration's schema cannot say: names in it must be defined somewhere else in it, and fit together.

`check_references` is called by `settings.check`, before anything runs; each mistake is one error that names the key, what
stands there, and the nearest name that would do.
"""

import difflib
from collections.abc import Iterable, Mapping
from itertools import pairwise

from .errors import InputError
from .photometry import feature_names
from .sages.counterparts import EXTERNALS, ID, bands_used, catalogue_of

LABELS = ("teff", "logg", "feh")


def check_references(config: Mapping) -> None:
    """Check the names in a configuration that meets its schema.

    Raises
    ------
    InputError
        For the first name that is not defined, or does not fit what else is configured.
    """
    sages, datasets = config["sages"], config["datasets"]
    matched = sages["photometry"]["matched"]
    _known("sages.photometry.primary", sages["photometry"]["primary"], datasets)
    if matched is not None:
        _known("sages.photometry.matched", matched, datasets)
    _check_bands(sages, datasets)
    _check_features(sages, datasets)
    _check_flags(sages, datasets)
    _check_uses_of_bands(sages, datasets)
    if matched is None:
        _check_surveys(sages, datasets)
        _check_radii(sages, datasets)
    for name in sages["crossmatch"]["radius_arcsec"]:
        _known("sages.crossmatch.radius_arcsec", name, [*datasets, "vmp"])
    for name, table in sages["crossmatch"]["best_neighbour"].items():
        _known("sages.crossmatch.best_neighbour", name, EXTERNALS)
        if table is not None:
            _known(f"sages.crossmatch.best_neighbour.{name}", table, datasets)
    ids = [entry["id"] for entry in sages["data_sets"]]
    for key in ("scan", "compare", "validation"):
        if sages[key]["data_set"] not in ids:
            raise _wrong(f"sages.{key}.data_set", f"is {sages[key]['data_set']}", f"Defined: {ids}")
    for key in ("scan", "compare"):
        _known(f"sages.{key}.model", sages[key]["model"], sages["models"])
    for k, cluster in enumerate(sages["clusters"]["list"]):
        if isinstance(cluster["feh"], str) and cluster["feh"] != "harris":
            found = f"is `{cluster['feh']}` ({cluster['name']})"
            raise _wrong(f"sages.clusters.list[{k}].feh", found, "Use a number, or `harris`")
    edges = sages["validation"]["ebv_edges"]
    if len(edges) < 2 or any(low >= high for low, high in pairwise(edges)):
        raise _wrong("sages.validation.ebv_edges", f"is {edges}", "Give two or more edges in rising order")


def columns_of(spec: Mapping) -> set[str]:
    """Canonical columns of a dataset (an entry of config/datasets.yaml) that its catalogue files have."""
    entries = {**spec["columns"], **spec.get("derive", {})}
    return {name for name, entry in entries.items() if {**spec["columns"].get(name, {}), **entry}.get("keep", True)}


def linked_by_id(spec: Mapping) -> bool:
    """Whether the rows of a dataset name their Gaia source; otherwise they are matched by position."""
    return ID in columns_of(spec)


def _wrong(key: str, found: str, remedy: str) -> InputError:
    return InputError(f"configuration key `{key}`", found, remedy)


def _known(key: str, name, names: Iterable) -> None:
    names = [str(n) for n in names]
    if str(name) not in names:
        near = difflib.get_close_matches(str(name), names, n=1, cutoff=0.4)
        raise _wrong(
            key, f"names `{name}`, which is not defined", f"Did you mean `{near[0]}`?" if near else f"Defined: {', '.join(names) or 'none'}"
        )


def _has_columns(key: str, dataset: str, spec: Mapping, *columns: str) -> None:
    """Check that a dataset has the columns that a key needs of it."""
    have = columns_of(spec)
    for name in columns:
        if name not in have:
            near = difflib.get_close_matches(name, sorted(have), n=1, cutoff=0.6)
            remedy = f"Map it under `datasets.{dataset}.columns`" + (f", or use `{near[0]}`" if near else "")
            raise _wrong(key, f"needs the column `{name}`, which the dataset `{dataset}` does not have", remedy)


def _check_bands(sages: Mapping, datasets: Mapping) -> None:
    """Data sets: their ids, their bands, and the catalogues that these come from."""
    bands, matched = sages["bands"], sages["photometry"]["matched"]
    tags = [entry["tag"] for entry in bands.values()]
    for band, entry in bands.items():
        if tags.count(entry["tag"]) > 1:
            raise _wrong(f"sages.bands.{band}.tag", f"is `{entry['tag']}`, which another band has too", "Give each band its own tag")
    ids = [entry["id"] for entry in sages["data_sets"]]
    for entry in sages["data_sets"]:
        if ids.count(entry["id"]) > 1:
            raise _wrong("sages.data_sets", f"has the id {entry['id']} twice", "Give each data set its own id")
        key = f"sages.data_sets.{entry['id']}.bands"
        for band in entry["bands"]:
            _known(key, band, bands)
            if entry["bands"].count(band) > 1:
                raise _wrong(key, f"names `{band}` twice", "Name each band once")
            if matched is not None:
                _has_columns(key, matched, datasets[matched], band)
                continue
            dataset = catalogue_of(sages, band)
            if dataset is None:
                begins = [sages["photometry"]["primary"], "gaia", *(what.prefix for what in EXTERNALS.values())]
                remedy = (
                    f"Names of bands begin with one of: {', '.join(begins)}. "
                    "A further catalogue needs an entry in EXTERNALS (starlabels/sages/counterparts.py)"
                )
                raise _wrong(key, f"names `{band}`, which belongs to no catalogue that is matched", remedy)
            _known(key, dataset, datasets)
            own = ("_err", "_flag", "_mjd") if dataset == sages["photometry"]["primary"] else ("_err",)
            _has_columns(key, dataset, datasets[dataset], band, *(f"{band}{ending}" for ending in own))


def _check_features(sages: Mapping, datasets: Mapping) -> None:
    """Features: there are some, and those left out of the domain flag could be features."""
    switches, matched = sages["features"], sages["photometry"]["matched"]
    if switches["abs_magnitude"] is not None:
        _at_hand("sages.features.abs_magnitude", switches["abs_magnitude"], sages, datasets)
    if not feature_names(sages, sages["data_sets"][0]["id"]):
        raise _wrong("sages.features", "leaves no feature", "Switch one on")
    every = {**sages, "features": {"magnitudes": True, "colours": "all", "parallax": True, "abs_magnitude": None, "ebv": True}}
    possible = [name for entry in sages["data_sets"] for name in feature_names(every, entry["id"])]
    possible += [f"abs_{band}_0" for band in sages["bands"]]
    for name in sages["uncertainty"]["domain_without"]:
        _known("sages.uncertainty.domain_without", name, possible)
    if sages["photometry"]["ebv"] == "column":
        if matched is None:
            raise _wrong("sages.photometry.ebv", "is `column`, but the stars are matched here and have no such column", "Use `sfd`")
        _has_columns("sages.photometry.ebv", matched, datasets[matched], "ebv_sfd")


def _check_flags(sages: Mapping, datasets: Mapping) -> None:
    """Flags: of a band, or else a column of the table that was matched before."""
    key, used = "sages.cuts.flags_zero", bands_used(sages)
    primary, matched = sages["photometry"]["primary"], sages["photometry"]["matched"]
    of_bands = {f"{band}_flag": band for band in sages["bands"]}
    for flag in sages["cuts"]["flags_zero"]:
        band = of_bands.get(flag)
        if band is None:
            _known(key, flag, [*of_bands, *(sorted(columns_of(datasets[matched])) if matched is not None else [])])
        elif matched is not None and band in used:
            _has_columns(key, matched, datasets[matched], flag)
        elif band in used and catalogue_of(sages, band) != primary:
            raise _wrong(key, f"names `{flag}`, but matched stars carry the flags of `{primary}` only", "Take it out of the list")


def _at_hand(key: str, band: str, sages: Mapping, datasets: Mapping) -> None:
    """Check that a band is defined and that the stars will have it."""
    matched = sages["photometry"]["matched"]
    _known(key, band, sages["bands"])
    if matched is not None:
        _has_columns(key, matched, datasets[matched], band)
    elif band not in bands_used(sages):
        raise _wrong(key, f"names `{band}`, which no data set has", f"Use one of: {', '.join(bands_used(sages))}")


def _check_uses_of_bands(sages: Mapping, datasets: Mapping) -> None:
    """Bands outside the data sets: defined everywhere, and at hand where this run reads them."""
    classes, mask, clusters = sages["classes"], sages["cool_mask"], sages["clusters"]
    uses = [("classes.colour", band, classes["rule"] == "cmd") for band in classes["colour"]]
    uses += [("classes.abs_magnitude", classes["abs_magnitude"], classes["rule"] == "cmd")]
    uses += [("cool_mask.colour", band, mask["colour_max"] is not None) for band in mask["colour"]]
    here = bool(clusters["list"]) and sages["photometry"]["matched"] is None
    uses += [("clusters.snr_bands", band, here) for band in clusters["snr_bands"]]
    for key, band, read in uses:
        if read:
            _at_hand(f"sages.{key}", band, sages, datasets)
        else:
            _known(f"sages.{key}", band, sages["bands"])


def survey_datasets(survey: str, datasets: Mapping) -> list[str]:
    """Datasets that make up a label survey: every `group: vmp` for vmp, else the one of its name."""
    if survey == "vmp":
        return [name for name, spec in datasets.items() if spec.get("group") == "vmp"]
    return [survey] if survey in datasets else []


def _surveys(sages: Mapping) -> list[tuple[str, str, Mapping]]:
    samples = sages["samples"]
    return [(role, name, entry) for role in ("train", "test") for name, entry in samples[role].items() if entry is not None]


def _check_surveys(sages: Mapping, datasets: Mapping) -> None:
    """Surveys of the samples: `vmp`, or a dataset with columns of its labels and a Gaia id or a position."""
    labelled = [n for n, spec in datasets.items() if columns_of(spec) & {f"{label}_{n}" for label in LABELS}]
    for role, name, entry in _surveys(sages):
        key = f"sages.samples.{role}.{name}"
        if name not in datasets:
            _known(f"sages.samples.{role}", name, ["vmp", *labelled])
        members = survey_datasets(name, datasets)
        if not members:
            raise _wrong(key, "has no dataset", "Give `group: vmp` to one under `datasets`")
        for dataset in members:
            if not linked_by_id(datasets[dataset]):
                _has_columns(key, dataset, datasets[dataset], "ra", "dec")
        for label in entry["labels"]:
            if not any(f"{label}_{name}" in columns_of(datasets[dataset]) for dataset in members):
                _has_columns(f"{key}.labels", members[0], datasets[members[0]], f"{label}_{name}")


def _check_radii(sages: Mapping, datasets: Mapping) -> None:
    """Every catalogue that is matched by position has a radius."""
    needed = [sages["photometry"]["primary"]]
    needed += [name for name in EXTERNALS if any(catalogue_of(sages, band) == name for band in bands_used(sages))]
    needed += [n for _, n, _ in _surveys(sages) if not all(linked_by_id(datasets[d]) for d in survey_datasets(n, datasets))]
    for name in needed:
        if name not in sages["crossmatch"]["radius_arcsec"]:
            raise _wrong(f"sages.crossmatch.radius_arcsec.{name}", "is not set", f"`{name}` is matched by position: give its radius")
