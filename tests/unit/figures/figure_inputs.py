"""Small made-up inputs in the formats that the figures read; no pipeline stage is run."""

from pathlib import Path

import numpy as np
import pandas as pd

from starlabels.io import write_json, write_table

CENTRE = {"feh": (-0.4, 0.45, 0.1, 0.02), "teff": (5600.0, 600.0, 70.0, 10.0), "logg": (4.2, 0.6, 0.12, 0.02)}
PANELS = ("feh_dwarf", "feh_giant", "teff_dwarf", "teff_giant", "logg_all")
RULES = {  # rule: the rules it needs
    "sky": [], "dust": [], "catalog": ["sky"], "stars": ["catalog"], "labels": ["catalog", "stars"],
    "features": ["stars", "dust"], "samples": ["features", "labels"], "train": ["samples"], "scan": ["samples"],
    "compare": ["samples"], "predict": ["features", "train"], "predict_samples": ["samples", "train"],
    "final_catalogue": ["predict"], "validate_tests": ["predict_samples"], "validate_external": ["predict", "catalog"],
    "validate_clusters": ["predict", "catalog"], "validate_truth": ["predict", "sky", "predict_samples"],
    "crossmatch_truth": ["stars", "sky"], "figure": ["validate_tests", "validate_external", "validate_clusters", "validate_truth",
    "scan", "compare", "crossmatch_truth"], "table": ["final_catalogue", "features"], "all": ["figure", "table", "final_catalogue"],
}


def histogram_2d(x, y, x_width, y_width) -> pd.DataFrame:
    """Long 2-D histogram with the columns x_lo, x_hi, y_lo, y_hi, count; cells with stars only."""
    i, j = np.floor(x / x_width).astype(int), np.floor(y / y_width).astype(int)
    counts = pd.DataFrame({"i": i, "j": j}).value_counts(sort=False).rename("count").reset_index()
    return pd.DataFrame({
        "x_lo": counts["i"] * x_width, "x_hi": (counts["i"] + 1) * x_width, "y_lo": counts["j"] * y_width,
        "y_hi": (counts["j"] + 1) * y_width, "count": counts["count"],
    })


def histogram_1d(x, width) -> pd.DataFrame:
    """lo, hi, count of whole bins, empty ones included."""
    first, stop = int(np.floor(x.min() / width)), int(np.floor(x.max() / width)) + 1
    edges = np.arange(first, stop + 1) * width
    return pd.DataFrame({"lo": edges[:-1], "hi": edges[1:], "count": np.histogram(x, edges)[0]})


def comparison(folder: Path, name: str, panels=PANELS, n: int = 1500, x: str = "spectroscopic", y: str = "predicted") -> dict:
    """Files of one comparison; returns {summary, density, histogram}."""
    rng = np.random.default_rng(len(name))
    summary, cells, bars = {"panels": {}, "x": x, "y": y, "simulated": True, "splits": {}}, [], []
    for panel in panels:
        parameter = panel.split("_")[0]
        mean, spread, scatter, width = CENTRE[parameter]
        truth = mean + spread * rng.standard_normal(n)
        residual = 0.1 * scatter + scatter * rng.standard_normal(n)
        cells.append(histogram_2d(truth, truth + residual, 2 * width, 2 * width).assign(panel=panel, kind="one_to_one"))
        cells.append(histogram_2d(truth, residual, 2 * width, width).assign(panel=panel, kind="residual"))
        bars.append(histogram_1d(residual, width).assign(panel=panel))
        amplitude = n * width / (scatter * np.sqrt(2 * np.pi))
        summary["panels"][panel] = {
            "n": n, "mean": residual.mean(), "sigma": residual.std(), "amplitude": amplitude, "median": np.median(residual),
            "robust_sigma": residual.std(), "bias": residual.mean(), "std": residual.std(),
        }
    if name.startswith("test"):
        clean = {p: {**found, "n": found["n"] - 500, "sigma": 1.25 * found["sigma"]} for p, found in summary["panels"].items()}
        summary["splits"] = {"literal": summary["panels"], "leakage_free": clean}
    stem = folder / name
    paths = {"summary": Path(f"{stem}.json"), "density": Path(f"{stem}_density.parquet"), "histogram": Path(f"{stem}_hist.parquet")}
    write_json(paths["summary"], summary)
    write_table(paths["density"], pd.concat(cells, ignore_index=True))
    write_table(paths["histogram"], pd.concat(bars, ignore_index=True))
    return paths


def cmd(folder: Path, n: int = 6000) -> dict:
    """Colour-magnitude counts of the four classes."""
    rng = np.random.default_rng(1)
    c = rng.normal(0.9, 0.2, n)
    parts = {
        "dwarf": (c, 1.2 + 4.4 * c + rng.normal(0, 0.3, n)), "giant": (rng.normal(1.25, 0.1, n // 10), rng.normal(0.8, 0.7, n // 10)),
        "hot_subdwarf": (rng.normal(-0.35, 0.05, 20), rng.normal(4.5, 0.4, 20)),
        "white_dwarf": (rng.normal(0.1, 0.2, 60), rng.normal(11.5, 0.6, 60)),
    }
    frames = [histogram_2d(x, y, 0.02, 0.1).set_axis(["colour_lo", "colour_hi", "mag_lo", "mag_hi", "count"], axis=1).assign(star_class=k)
              for k, (x, y) in parts.items()]
    write_table(folder / "cmd.parquet", pd.concat(frames, ignore_index=True))
    write_json(folder / "cmd.json", {"counts": {k: len(v[0]) for k, v in parts.items()}})
    return {"cmd": folder / "cmd.parquet", "summary": folder / "cmd.json"}


def samples(folder: Path, data_set: int) -> dict:
    """Training and test samples in the colour-magnitude diagram and in [Fe/H] by survey."""
    rng = np.random.default_rng(data_set)
    cells, bars = [], []
    for role, surveys in {"train": {"lamost": 4000, "pastel": 40, "rave5": 25}, "test": {"apogee": 900, "vmp": 120}}.items():
        c = rng.normal(0.9, 0.15, sum(surveys.values()))
        cells.append(histogram_2d(c, 1.2 + 4.4 * c + rng.normal(0, 0.4, len(c)), 0.02, 0.1)
                     .set_axis(["colour_lo", "colour_hi", "mag_lo", "mag_hi", "count"], axis=1).assign(role=role))
        for survey, n in surveys.items():
            feh = rng.normal(-0.3, 0.35, n) if n > 500 else rng.normal(-1.9, 0.5, n)
            bars.append(histogram_1d(feh, 0.1).assign(role=role, survey=survey))
    paths = {"cmd": folder / f"sample_set{data_set}.parquet", "feh": folder / f"sample_feh_set{data_set}.parquet"}
    write_table(paths["cmd"], pd.concat(cells, ignore_index=True))
    write_table(paths["feh"], pd.concat(bars, ignore_index=True))
    return paths


def scan(folder: Path) -> dict:
    """Out-of-bag scores of a hyper-parameter scan."""
    rows = []
    for f, shift in zip(["all", "0.5", "0.3333", "sqrt", "log2"], [0, 0.001, 0.003, 0.008, 0.01], strict=True):
        for t in [50, 100, 150, 200, 250, 300, 400, 500, 600, 750]:
            rows.append(("trees", f, t, 17, 0, 0.05 + shift + 0.6 / t, t / 30))
    for d in [5, 8, 11, 13, 15, 17, 19, 22, 25, 30]:
        for r in range(3):
            rows.append(("depth", "all", 300, d, r, 0.05 + 0.0003 * (d - 17) ** 2 / 10 + 0.0003 * r, 10.0))
    frame = pd.DataFrame(rows, columns=["kind", "max_features", "n_estimators", "max_depth", "repeat", "one_minus_oob", "seconds"])
    frame.insert(5, "oob_r2", 1 - frame["one_minus_oob"])
    write_table(folder / "scan.parquet", frame)
    means = frame[frame["kind"] == "depth"].groupby("max_depth")["oob_r2"].mean()
    depths = [{"max_depth": int(d), "mean": m} for d, m in means.items()]
    gain = {"most_trees": 750, "relative_oob_loss": 0.0012, "speed_ratio": 2.5, "n_stars": 6000}
    write_json(folder / "scan.json", {**gain, "oob_r2_by_depth": depths})
    return {"scan": folder / "scan.parquet", "summary": folder / "scan.json"}


def rulegraph(folder: Path) -> dict:
    """Graphviz text as `snakemake --rulegraph dot` prints it."""
    names = list(RULES)
    lines = ["digraph snakemake_dag {", "    graph[bgcolor=white, margin=0];",
             "    node[shape=box, style=rounded, fontname=sans,                 fontsize=10, penwidth=2];",
             "    edge[penwidth=2, color=grey];"]
    lines += [f'\t{i}[label = "{n}", color = "0.{i:02d} 0.6 0.85", style="rounded"];' for i, n in enumerate(names)]
    lines += [f"\t{names.index(p)} -> {i}" for i, n in enumerate(names) for p in RULES[n]]
    path = folder / "rulegraph.dot"
    path.write_text("\n".join([*lines, "}", ""]))
    return {"rulegraph": path}


def bins(folder: Path, sets=(1, 2)) -> dict:
    """Figure 8's points of two test sets in each data set."""
    rng, rows = np.random.default_rng(3), []
    for data_set in sets:
        for test_set in ("apogee", "vmp"):
            for star_class, parameter in [p.rsplit("_", 1)[::-1] for p in PANELS]:
                if test_set == "vmp" and parameter != "feh":
                    continue
                mean, spread, scatter, _ = CENTRE[parameter]
                width = {"feh": 0.25, "teff": 250.0, "logg": 0.25}[parameter]
                for split in ("literal", "leakage_free"):
                    for i in range(8):
                        lo = np.floor(mean / width) * width + (i - 6) * width
                        n = 20 if i == 0 else 60 + 50 * i
                        rows.append((data_set, test_set, split, star_class, parameter, lo, lo + width, lo + width / 2, n,
                                     0.2 * scatter * rng.standard_normal(), scatter * (1 + 0.1 * rng.random())))
    names = ["data_set", "test_set", "split", "star_class", "parameter", "lo", "hi", "mid", "n", "mean", "sigma"]
    write_table(folder / "bins.parquet", pd.DataFrame(rows, columns=names))
    overall = {str(k): {p: {"mean": 0.1 * k * c[2], "sigma": c[2] * (1.05 - 0.1 * k)} for p, c in CENTRE.items()} for k in sets}
    clean = {k: {p: {s: 1.25 * v for s, v in values.items()} for p, values in found.items()} for k, found in overall.items()}
    write_json(folder / "bins.json", {"overall": overall, "overall_leakage_free": clean})
    return {"bins": folder / "bins.parquet", "summary": folder / "bins.json"}


def metallicity(folder: Path, width: float = 0.5, sets: int = 2) -> dict:
    """Bars of [Fe/H] and fractions of the catalogues."""
    rng, parts, content = np.random.default_rng(4), [], {"data_sets": {}}
    published = {1: (0.8111, 0.0488, 0.0003), 2: (0.7759, 0.0218, 0.0005)}
    for data_set, n in zip(range(1, sets + 1), (20000, 4000, 3000), strict=False):
        for star_class, size in (("dwarf", n), ("giant", n // 12)):
            feh = np.concatenate([rng.normal(-0.3, 0.3, size), rng.normal(-1.6, 0.4, size // 20)])
            parts.append(histogram_1d(feh, width).assign(data_set=data_set, star_class=star_class))
        names = ("feh_le_0", "feh_le_m1", "feh_le_m2")
        content["data_sets"][str(data_set)] = {
            "limits": dict(zip(names, (0.0, -1.0, -2.0), strict=True)), "fractions": dict(zip(names, (0.82, 0.05, 0.0063), strict=True)),
            "published": dict(zip(names, published[data_set], strict=True)) if data_set in published else None,
        }
    write_table(folder / "feh_histogram.parquet", pd.concat(parts, ignore_index=True))
    write_json(folder / "fractions.json", content)
    return {"histogram": folder / "feh_histogram.parquet", "fractions": folder / "fractions.json"}


def clusters(folder: Path, names=("NGC 2420", "NGC 2682", "NGC 6934", "NGC 7089")) -> dict:
    """Stars in the fields of four clusters."""
    rng, parts, content = np.random.default_rng(5), [], {}
    motions = ((-1.2, -2.0), (-11.0, -2.9), (-2.6, -4.7), (3.4, -2.2))
    for name, feh, centre in zip(names, (-0.05, 0.03, -1.47, -1.65), motions, strict=False):
        n, field = 120, 300
        member = np.arange(n + field) < n
        colour = rng.normal(0.9, 0.15, n + field)
        stars = pd.DataFrame({
            "cluster": name, "pmra": np.where(member, rng.normal(centre[0], 0.2, n + field), rng.normal(0, 6, n + field)),
            "pmdec": np.where(member, rng.normal(centre[1], 0.2, n + field), rng.normal(-3, 6, n + field)),
            "colour": colour, "magnitude": 12 + 4.4 * colour + np.where(member, 0.1, 1.5) * rng.standard_normal(n + field),
            "feh": np.where(member, rng.normal(feh, 0.09, n + field), rng.normal(-0.3, 0.3, n + field)),
            "probability": np.where(member, 0.97, 0.02), "in_field": True, "passes_snr": np.arange(n + field) % 10 > 0,
            "masked": np.arange(n + field) % 25 == 1,
        })
        stars["member"] = member & stars["passes_snr"] & ~stars["masked"]
        parts.append(stars)
        used = stars.loc[stars["member"], "feh"]
        content[name] = {
            "n_members": len(used), "mean": used.mean(), "sigma": used.std(), "amplitude": len(used) * 0.05 / used.std() / 2.507,
            "bin_width": 0.05, "histogram": histogram_1d(used, 0.05).to_dict("records"), "literature": feh, "fit": "histogram",
            "reference": "Harris (2010)" if feh < -1 else "Netopil et al. (2016)", "median": used.median(),
        }
    write_table(folder / "clusters.parquet", pd.concat(parts, ignore_index=True))
    write_json(folder / "clusters.json", content)
    return {"clusters": folder / "clusters.parquet", "summary": folder / "clusters.json"}


def extinction(folder: Path) -> dict:
    """Residuals in bins of E(B-V), against labels and the truth."""
    rng, rows = np.random.default_rng(6), []
    edges = [0.0, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5]
    for data_set in (1, 2):
        for survey in ("apogee", "truth"):
            for star_class, parameter in [p.rsplit("_", 1)[::-1] for p in PANELS]:
                scatter = CENTRE[parameter][2]
                for lo, hi in zip(edges[:-1], edges[1:], strict=True):
                    mean, sigma = scatter * (lo + 0.05 * rng.standard_normal()), scatter * (1 + lo)
                    kind = "truth" if survey == "truth" else "label"
                    rows.append((data_set, kind, survey, star_class, parameter, lo, hi, (lo + hi) / 2, int(400 * (1 - lo)), mean, sigma))
    names = ["data_set", "against", "survey", "star_class", "parameter", "lo", "hi", "mid", "n", "mean", "sigma"]
    write_table(folder / "extinction.parquet", pd.DataFrame(rows, columns=names))
    write_json(folder / "extinction.json", {"training_limit": 0.05, "edges": edges})
    return {"extinction": folder / "extinction.parquet", "summary": folder / "extinction.json"}


def coverage(folder: Path) -> dict:
    """Shares of stars within one sigma."""
    rng, rows = np.random.default_rng(7), []
    groups = [("all", -np.inf, np.inf), *(("magnitude", m, m + 1.0) for m in range(10, 17)), *(("feh", f, f + 0.5) for f in (-2, -1.5, -1))]
    for data_set in (1, 2):
        for against in ("label", "apogee", "truth"):
            for star_class in ("dwarf", "giant", "all"):
                for parameter in CENTRE:
                    for by, lo, hi in groups:
                        rows.append((data_set, against, parameter, star_class, by, lo, hi, 300, *(0.68 + 0.03 * rng.standard_normal(2))))
    names = ["data_set", "against", "parameter", "star_class", "by", "lo", "hi", "n", "share_1", "share_1_on_scale"]
    write_table(folder / "coverage.parquet", pd.DataFrame(rows, columns=names))
    write_json(folder / "coverage.json", {"expected": {"share_1": 0.6827}, "magnitude": {"1": "gaia_g", "2": "gaia_g"}})
    return {"coverage": folder / "coverage.parquet", "summary": folder / "coverage.json"}


def cool_mask(folder: Path) -> dict:
    """Teff against colour of the training stars."""
    parts, content = [], {"colour": ["gaia_bp", "gaia_rp"], "data_sets": {}}
    for data_set in (1, 2):
        colour = np.arange(0.41, 1.7, 0.02)
        teff = 8600 - 4200 * colour + 900 * colour**2
        n = np.round(1000 * np.exp(-((colour - 0.85) ** 2) / 0.08)).astype(int)
        curve = pd.DataFrame({"data_set": data_set, "colour": colour, "teff_fit": teff, "n": n})
        parts.append(curve.assign(teff_median=np.where(n > 0, teff + 20 * np.sin(30 * colour), np.nan)))
        content["data_sets"][str(data_set)] = {
            "n": int(n.sum()), "degree": 3, "teff_limit": 4100.0, "teff_quantile": 0.001, "colour_at_limit": 1.57, "colour_max": 1.598,
            "n_redder": 7,
        }
    write_table(folder / "cool_mask.parquet", pd.concat(parts, ignore_index=True))
    write_json(folder / "cool_mask.json", content)
    return {"curve": folder / "cool_mask.parquet", "summary": folder / "cool_mask.json"}


def crossmatch(folder: Path) -> dict:
    """Cross-match judged against the truth."""
    rng, rows, separation = np.random.default_rng(8), [], {}
    edges = (0.0, 20.0, 50.0, 100.0, 200.0, 400.0, 1000.0, 5000.0)
    radius = {"sages": 1.0, "twomass": 1.0, "allwise": 1.0, "galex": 3.0, "rave5": 1.0, "pastel": 1.0, "vmp": 1.0}
    for survey, reach in radius.items():
        steps = np.round(np.arange(round(reach / 0.05) + 1) * 0.05, 9)
        counts = {how: np.histogram(np.clip(np.abs(rng.normal(0, scale, 4000)), 0, reach), steps)[0].tolist()
                  for how, scale in (("moved", 0.1 * reach), ("not_moved", 0.2 * reach))}
        separation[survey] = {"edges": steps.tolist(), "counts": counts}
        for how in ("moved", "not_moved"):
            for motion in (True, False):
                for k, (lo, hi) in enumerate(zip(edges[:-1], edges[1:], strict=True)):
                    n = 4000 // 4**k
                    lost = 0.001 if how == "moved" else 0.9 * k / 6
                    rows.append((survey, how, motion, lo, hi, n, n, 1 - lost if n else np.nan, 0.002 + 0.1 * lost if n else np.nan))
    names = ["survey", "how", "gaia_motion", "pm_lo", "pm_hi", "n_true", "n_pairs", "completeness", "wrong_share"]
    write_table(folder / "crossmatch.parquet", pd.DataFrame(rows, columns=names))
    surveys = [{"survey": s, "how": how, "n_pairs": sum(n)} for s, entry in separation.items() for how, n in entry["counts"].items()]
    write_json(folder / "crossmatch.json", {"surveys": surveys, "separation": separation, "radius_arcsec": radius})
    return {"table": folder / "crossmatch.parquet", "summary": folder / "crossmatch.json"}


def methods(folder: Path) -> dict:
    """Comparison of the methods."""
    names = ["forest", "polynomial", "network (mse)", "network (mae)", "network (huber)"]
    frame = pd.DataFrame({
        "method": names, "n_train": 6000, "n_test": 900,
        "sigma": [0.1, 0.105, 0.12, 0.13, 0.125], "robust_sigma": [0.1, 0.107, 0.119, 0.132, 0.12],
        "fit_seconds": [20.0, 0.2, 30.0, 31.0, 33.0], "predict_seconds": [0.4, 0.01, 0.2, 0.2, 0.2],
        "threads": [2, 1, 1, 1, 1],
    })
    write_table(folder / "compare.parquet", frame)
    write_json(folder / "compare.json", {"model": "feh_dwarf", "data_set": 1})
    return {"methods": folder / "compare.parquet", "summary": folder / "compare.json"}


def flow(start: int, cuts: list[str]) -> list[dict]:
    """A flow that loses a tenth of the rows at each cut."""
    entries = [{"cut": "all rows", "kept": start, "dropped": 0}]
    for cut in cuts:
        kept = entries[-1]["kept"] * 9 // 10
        entries.append({"cut": cut, "kept": kept, "dropped": entries[-1]["kept"] - kept})
    return entries


def selections(folder: Path) -> dict:
    """Flow tables of the samples of two data sets and of the predictions in two cells."""
    stars = ["sages_u_flag = 0", "sages_u present", "gaia_g present", "parallax and error present", "parallax / error > 1",
             "E(B-V) <= 0.05", "sages_u error <= 0.1", "gaia_g error <= 0.01", "class known", "not a white dwarf", "not a hot subdwarf"]
    paths = {"samples": [], "prediction": []}
    for k in (1, 2):
        flows = {s: flow(1000 * k, [*stars, "feh present", "feh error <= 0.2", "no earlier survey gives the star's labels"])
                 for s in ("lamost", "pastel", "apogee")}
        paths["samples"].append(folder / f"set{k}.json")
        write_json(paths["samples"][-1], {"data_set": k, "flows": flows})
    for cell in (1, 2):
        paths["prediction"].append(folder / f"selection-{cell}.json")
        write_json(paths["prediction"][-1], {f"set{k}": flow(5000 * cell, stars) for k in (1, 2)})
    return paths


def catalogue(folder: Path) -> dict:
    """Final catalogues with described columns."""
    paths = []
    for k, names in ((1, ["RA", "[Fe/H]", "u"]), (2, ["RA", "[Fe/H]", "u", "J"])):
        about = {n: {"unit": "deg" if n == "RA" else "", "description": f"Text on {n} & more"} for n in names}
        about["out_of_domain"] = {"unit": "", "description": "Added: far from every training star"}
        paths.append(folder / f"sages_set{k}.parquet")
        write_table(paths[-1], pd.DataFrame({n: [1.0] for n in about}), about, {"data_set": k})
    return {"catalogue": paths}


#: figure or table: its made-up inputs
INPUTS = {
    "fig01_cmd": cmd, "fig02_samples_set1": lambda f: samples(f, 1), "fig03_samples_set2": lambda f: samples(f, 2),
    "fig04_hyperparameters": scan, "fig05_flowchart": rulegraph,
    "fig06_test_set1": lambda f: comparison(f, "test_set1", y="this work"),
    "fig07_test_set2": lambda f: comparison(f, "test_set2", PANELS[:2], y="this work"),
    "fig08_bins": bins, "fig09_h23": lambda f: comparison(f, "h23", PANELS[:4], x="H23", y="this work"),
    "fig10_a23": lambda f: comparison(f, "a23", x="A23", y="this work"),
    "fig11_clusters": lambda f: {"summary": clusters(f)["summary"]}, "fig12_metallicity": metallicity,
    "figx_crossmatch": crossmatch, "figx_cluster_members": lambda f: {"clusters": clusters(f)["clusters"]},
    "figx_truth_set1": lambda f: comparison(f, "truth_set1", PANELS[:2], x="true", y="this work"),
    "figx_truth_set2": lambda f: comparison(f, "truth_set2", PANELS[4:], x="true", y="this work"),
    "figx_extinction": extinction, "figx_coverage": coverage, "figx_methods": methods, "figx_cool_mask": cool_mask,
    "table1_reddening": lambda f: {}, "table2_cuts": selections, "table3_columns": catalogue,
}
