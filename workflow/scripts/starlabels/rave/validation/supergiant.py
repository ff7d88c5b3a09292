"""The yellow supergiant of Section 6.8, a star unlike those of the training sample, and its spectra (Figure 22)."""

from collections.abc import Iterable, Mapping
from pathlib import Path

import h5py
import numpy as np
import pandas as pd

from ...errors import InputError
from ...io import read_table, write_json, write_table
from ..rows import pair_slices

STAR = ["rave_obs_id", "gaia_dr2_source_id", "obsdate", "snr_rave", "parallax_error_ratio", "class_normal", "in_observed"]
REFERENCES = {"bdasp": ("teff_bdasp", "logg_bdasp", "mh_bdasp"), "madera": ("teff_madera", "logg_madera", "mh_madera")}
MAIN = ("teff", "logg", "mh")
GIANT_LOGG = 1.5             # a supergiant's log g lies below


def find(stars_paths: Iterable, source: int) -> dict[Path, pd.DataFrame]:
    """The star's rows, for each slice that has any."""
    found = {}
    for path in sorted(map(Path, stars_paths), key=lambda p: p.name):
        rows = read_table(path, [*STAR, *(c for group in REFERENCES.values() for c in group)])
        rows = rows[rows["gaia_dr2_source_id"] == source]
        if len(rows):
            found[path] = rows.reset_index(drop=True)
    return found


def predictions_of(ids: Iterable[str], slices: Iterable[Path], pairs: Mapping[str, Path], labels: Iterable[str]) -> pd.DataFrame:
    """Predictions of some spectra from the slices that hold them: rave_obs_id and the labels."""
    columns = [f"{label}_cnn" for label in labels]
    parts = [read_table(pairs[path.name], ["rave_obs_id", *columns]) for path in slices]
    if not parts:
        return pd.DataFrame({"rave_obs_id": [], **dict.fromkeys(labels, [])})
    rows = pd.concat(parts, ignore_index=True)
    return rows[rows["rave_obs_id"].isin(set(ids))].set_axis(["rave_obs_id", *labels], axis=1).reset_index(drop=True)


def moments(rows: pd.DataFrame, columns: Iterable[str], names: Iterable[str]) -> dict:
    """Mean and population standard deviation of some columns: {name: [mean, dispersion]}; NaN where nothing is known."""
    out = {}
    for column, name in zip(columns, names, strict=True):
        x = rows[column].to_numpy(np.float64)
        x = x[np.isfinite(x)]
        out[name] = [float(x.mean()), float(x.std())] if len(x) else [np.nan, np.nan]
    return out


def spectra_of(rows: pd.DataFrame, path: Path) -> pd.DataFrame:
    """rave_obs_id, wavelength (Angstrom), flux of the given spectra of a packed file.

    Raises
    ------
    InputError
        When the file is missing or lacks one of the spectra.
    """
    try:
        with h5py.File(path, "r") as file:
            ids = file["rave_obs_id"].asstr()[:]
            wave = float(file.attrs["start"]) + float(file.attrs["step"]) * np.arange(file["flux"].shape[1])
            parts = []
            for name in rows["rave_obs_id"]:
                where = np.flatnonzero(ids == name)
                if not len(where):
                    raise InputError(f"{path}, dataset rave_obs_id", f"lacks {name}", "Delete it and run again")
                flux = file["flux"][where[0]].astype(np.float64)
                parts.append(pd.DataFrame({"rave_obs_id": name, "wavelength": wave.round(6), "flux": flux}))
    except (OSError, KeyError) as error:
        raise InputError(path, f"is no packed file of spectra ({error})", "Run the stage that packs the spectra") from error
    return pd.concat(parts, ignore_index=True)


def claims(networks: Mapping, references: Mapping, n: int) -> dict:
    """What Section 6.8 states; nothing when the star was not observed."""
    if not n:
        return {}
    main, alone = networks["photometry"], networks["spectra"]
    value = {p: main[p] for p in MAIN} | {f"{p}_spectra_alone": alone[p][0] for p in MAIN}
    paper = {"teff": [5423, 20], "logg": [1.02, 0.02], "mh": [-0.36, 0.03], "teff_spectra_alone": 6359, "logg_spectra_alone": 3.82,
             "mh_spectra_alone": 0.43}
    others = {f"{p}_{name}": found[p][0] for name, found in references.items() for p in MAIN}
    printed = {"teff_bdasp": 5047, "logg_bdasp": 1.39, "mh_bdasp": 0.28, "teff_madera": 5986, "logg_madera": 3.63, "mh_madera": 0.51}
    return {
        "rave.supergiant": {"value": value, "n": n, "paper": paper, "logg_below_limit": bool(main["logg"][0] < GIANT_LOGG),
                            "logg_limit": GIANT_LOGG, "what": "mean and dispersion over the spectra of the star"},
        "rave.supergiant.others": {"value": others, "n": n, "paper": printed, "what": "means of the RAVE DR6 values of its spectra"},
    }


def run_supergiant(
    stars_paths: Iterable, spectra_paths: Iterable, photometry_paths: Iterable, alone_paths: Iterable, cfg: Mapping, simulated: bool,
    out_spectra, out_json,
) -> dict:
    """Spectra and labels of the star `validation.supergiant`.

    Parameters
    ----------
    stars_paths, spectra_paths : iterable of path
        `rave/stars/{slice}.parquet`, `rave/spectra/{slice}.h5`.
    photometry_paths, alone_paths : iterable of path
        Predictions of the two ensembles, `rave/predictions/main/{photometry,spectra}/{slice}.parquet`.
    out_spectra : path
        rave_obs_id, wavelength (Angstrom), flux of every spectrum of the star (no row when there is none).
    out_json : path
        {source, n_spectra, n_observed, spectra: [{rave_obs_id, obsdate, snr, in_observed, photometry {label}, spectra {label}}],
        networks: {photometry, spectra: {label: [mean, dispersion]}}, references: {bdasp, madera: {...}},
        parallax_error_ratio, claims, simulated}. Means are over the observed spectra.
    """
    stars_paths, source, labels = list(stars_paths), int(cfg["validation"]["supergiant"]), list(cfg["labels"])
    packed = {Path(p).stem: Path(p) for p in spectra_paths}
    found = find(stars_paths, source)
    absent = [path.stem for path in found if path.stem not in packed]
    if absent:
        raise InputError("rave/spectra", f"has no {absent[0]}.h5, which rave/stars has", "Run the missing stage")
    rows = pd.concat([*found.values()], ignore_index=True) if found else pd.DataFrame({c: [] for c in STAR})
    observed = rows[rows["in_observed"].to_numpy(bool)]
    networks, each = {}, {}
    for name, paths in (("photometry", photometry_paths), ("spectra", alone_paths)):
        pairs = {stars.name: predictions for stars, predictions in pair_slices(stars_paths, paths)}
        each[name] = predictions_of(observed["rave_obs_id"], found, pairs, labels).set_index("rave_obs_id")
        networks[name] = moments(each[name], labels, labels)
    references = {name: moments(observed, columns, MAIN) if found else {} for name, columns in REFERENCES.items()}
    content = {
        "source": str(source), "n_spectra": len(rows), "n_observed": len(observed),
        "spectra": [_entry(row, each) for row in rows.to_dict("records")], "networks": networks, "references": references,
        "parallax_error_ratio": float(observed["parallax_error_ratio"].median()) if len(observed) else None,
        "claims": claims(networks, references, len(observed)), "simulated": bool(simulated),
    }
    empty = pd.DataFrame({"rave_obs_id": pd.Series([], dtype="str"), "wavelength": np.empty(0), "flux": np.empty(0)})
    parts = [spectra_of(part, packed[path.stem]) for path, part in found.items()]
    write_table(out_spectra, pd.concat(parts, ignore_index=True) if parts else empty, meta={"simulated": bool(simulated)})
    write_json(out_json, content)
    return content


def _entry(row: Mapping, each: Mapping[str, pd.DataFrame]) -> dict:
    name = row["rave_obs_id"]
    out = {"rave_obs_id": name, "obsdate": str(row["obsdate"]), "snr": row["snr_rave"], "in_observed": bool(row["in_observed"])}
    for network, table in each.items():
        out[network] = table.loc[name].to_dict() if name in table.index else None
    return out
