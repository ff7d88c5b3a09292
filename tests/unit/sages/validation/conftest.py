"""A small set of predictions with known errors: every statistic of the validation can be worked out by hand."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from starlabels.io import write_table

ROOT = Path(__file__).resolve().parents[4]
# offset and scatter of the predictions against the truth
ERROR = {"feh": (0.02, 0.10), "teff": (30.0, 60.0), "logg": (-0.01, 0.08)}


@pytest.fixture(scope="session")
def cfg():
    """The paper's configuration, with fewer resamples."""
    sages = yaml.safe_load((ROOT / "config/sages.yaml").read_text())["sages"]
    sages["validation"] |= {"bootstrap": 20}
    return sages


def stars(n: int, seed: int, first_id: int) -> pd.DataFrame:
    """Predicted stars with their truth in `<parameter>_true`."""
    rng = np.random.default_rng(seed)
    giant = rng.random(n) < 0.2
    frame = pd.DataFrame({
        "gaia_dr3_source_id": np.arange(n, dtype=np.int64) * 7 + first_id,
        "sage_id": pd.array([f"S{first_id + i}" for i in range(n)], dtype="str"),
        "ra": rng.uniform(140, 142, n), "dec": rng.uniform(39, 41, n),
        "star_class": pd.array(np.where(giant, "giant", "dwarf"), dtype="str"),
        "feh_true": rng.normal(-0.4, 0.5, n), "teff_true": np.where(giant, rng.normal(4900, 250, n), rng.normal(5800, 500, n)),
        "logg_true": np.where(giant, rng.normal(2.6, 0.4, n), rng.normal(4.4, 0.15, n)),
        "ebv_sfd": np.minimum(rng.gamma(2, 0.03, n), 0.49), "gaia_g": rng.uniform(11, 18, n), "parallax": rng.uniform(0.3, 3, n),
        "out_of_domain": rng.random(n) < 0.05, "cool_mask": rng.random(n) < 0.02,
    })
    frame["parallax_err"] = frame["parallax"] * rng.uniform(0.01, 0.5, n)
    frame["pmra"], frame["pmdec"] = rng.normal(0, 5, n), rng.normal(-3, 5, n)
    frame["pm"] = np.hypot(frame["pmra"], frame["pmdec"])
    frame["pmra_err"] = frame["pmdec_err"] = rng.uniform(0.02, 0.4, n)
    for band, colour in (("sages_u", 2.2), ("sages_v", 1.5), ("gaia_bp", 0.4), ("gaia_rp", -0.5)):
        frame[band] = frame["gaia_g"] + colour + rng.normal(0, 0.05, n)
        frame[f"{band}_err"] = rng.uniform(0.005, 0.05, n)
    frame["gaia_g_err"] = 0.003
    for band in ("gaia_g", "gaia_bp", "gaia_rp"):
        frame[f"{band}_0"] = frame[band] - 2.0 * frame["ebv_sfd"]
    frame["abs_gaia_g_0"] = frame["gaia_g_0"] + 5 * np.log10(frame["parallax"]) - 10
    for parameter, (offset, scatter) in ERROR.items():
        frame[parameter] = frame[f"{parameter}_true"] + rng.normal(offset, scatter, n)
        frame[f"{parameter}_err"] = scatter
    frame["predict_set1"] = True
    return frame


@dataclass
class World:
    """Paths of the small run."""

    folder: Path
    frame: pd.DataFrame

    def cells(self, name: str) -> list[Path]:
        """Files of a table, cell by cell."""
        return sorted((self.folder / name).glob("cell-*.parquet"))


@pytest.fixture(scope="session")
def world(tmp_path_factory) -> World:
    """Predictions in three cells (one empty), truth in another order, labels, samples, and an outer catalogue."""
    folder = tmp_path_factory.mktemp("world")
    everything = stars(4000, 1, 1_000_000_000_000)
    truth_columns = [c for c in everything if c.endswith("_true")]
    pieces = {"00001": everything.iloc[:2500], "00002": everything.iloc[2500:], "00003": everything.iloc[:0]}
    rng = np.random.default_rng(5)
    for cell, piece in pieces.items():
        write_table(folder / f"predictions/cell-{cell}.parquet", piece.drop(columns=truth_columns))
        ids = piece["gaia_dr3_source_id"].to_numpy()
        # another catalogue: 50 K cooler than the truth, no log g, one margin copy and one star that we do not have
        other = pd.DataFrame({
            "gaia_dr3_source_id": np.append(ids, 5), "teff": np.append(piece["teff_true"] - 20, 1.0),
            "feh": np.append(piece["feh_true"], 1.0), "in_margin": np.append(np.zeros(len(ids), bool), True),
        })
        write_table(folder / f"h23/cell-{cell}.parquet", other)
        label = pd.DataFrame({"gaia_dr3_source_id": ids, "survey": pd.array(["apogee"] * len(ids), dtype="str")})
        for parameter in ERROR:
            label[parameter] = piece[f"{parameter}_true"].to_numpy()
            label[f"{parameter}_err"] = 0.01
        second = label.assign(survey=pd.array(["lamost"] * len(ids), dtype="str"), teff=label["teff"] + 40)
        write_table(folder / f"labels/cell-{cell}.parquet", pd.concat([label, second], ignore_index=True))
    names = {c: c.removesuffix("_true") for c in truth_columns} | {"ebv_sfd": "ebv"}
    truth = everything[["gaia_dr3_source_id", *names]].rename(columns=names)
    truth = truth.iloc[np.random.default_rng(3).permutation(len(truth))].reset_index(drop=True)
    for k, start in enumerate(range(0, 4000, 1500)):
        write_table(folder / f"truth/part-{k}.parquet", truth.iloc[start:start + 1500])
    write_table(folder / "samples.parquet", samples(everything, rng))
    return World(folder, everything)


def samples(everything: pd.DataFrame, rng) -> pd.DataFrame:
    """Samples with predictions: 1500 LAMOST rows, 1500 APOGEE rows of which 500 are training stars, 400 metal-poor stars."""
    lamost = everything.iloc[:1500].assign(role="train", survey="lamost", in_train=True)
    apogee = everything.iloc[1000:2500].assign(role="test", survey="apogee")
    apogee["in_train"] = apogee["gaia_dr3_source_id"].isin(lamost["gaia_dr3_source_id"])
    vmp = everything.iloc[3000:3400].assign(role="test", survey="vmp", in_train=False)
    vmp = vmp.assign(feh_true=rng.normal(-2.3, 0.2, len(vmp)))
    vmp["feh"] = vmp["feh_true"] + rng.normal(0.0, 0.2, len(vmp))
    frame = pd.concat([lamost, apogee, vmp], ignore_index=True)
    frame = frame.astype({"role": "str", "survey": "str"})
    poor = (frame["survey"] == "vmp").to_numpy()
    for parameter in ERROR:
        frame[f"{parameter}_pred"], frame[f"{parameter}_pred_err"] = frame[parameter], frame[f"{parameter}_err"]
        frame[parameter], frame[f"{parameter}_err"] = frame[f"{parameter}_true"], 0.0
        frame[f"use_{parameter}"] = ~poor if parameter != "feh" else True
    frame["feh_published"] = frame["feh"] - np.where(poor, 0.427, 0.0)
    return frame
