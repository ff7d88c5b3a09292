"""What the paper says of its tests of the training, each with a verdict computed from the variants."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from ..statistics import linear_relation

# variant: (section, what is said in our words, question, share of the main sample in the paper or None)
SAID = (
    ("snr_40", "3.1.3", "fewer spectra with S/N > 40 train worse", "worse", 2529 / 3904),
    ("snr_50", "3.1.3", "fewer spectra with S/N > 50 train worse", "worse", 1289 / 3904),
    ("snr_20", "3.1.3", "adding spectra of S/N > 20 degrades the training", "worse", 4802 / 3904),
    ("snr_15", "3.1.3", "adding spectra of S/N > 15 degrades the training", "worse", 5023 / 3904),
    ("snr_10", "3.1.3", "adding spectra of S/N > 10 degrades the training", "worse", 5136 / 3904),
    ("snr_below_30", "3.1.3", "spectra of S/N < 30 alone give no robust solution", "worse", None),
    ("snr_below_30", "3.1.3", "they give a straight line in [alpha/M] against [M/H]", "straight", None),
    ("no_convolution", "3.1.1", "without convolutions the labels are recovered worse", "worse", None),
    ("no_convolution", "3.1.1", "abundances in particular", "abundances", None),
    ("no_convolution", "3.1.1", "and training takes three to four times as long", "longer", None),
    ("kernel_5", "3.1.1", "a kernel of 5 pixels does as well", "same", None),
    ("kernel_20", "3.1.1", "a kernel of 20 pixels does as well", "same", None),
    ("kernel_50", "3.1.1", "kernels beyond 40 pixels degrade the performance", "worse", None),
    ("dropout_10", "3.1.1", "a dropout of 10 % changes little", "same", None),
    ("dropout_30", "3.1.1", "a dropout of 30 % changes little", "same", None),
    ("nll", "3.1.2, 5", "a negative log-likelihood is no improvement", "not better", None),
    ("test_03", "3.3", "a test share of 3 % makes no major difference", "same", None),
    ("test_20", "3.3", "a test share of 20 % makes no major difference", "same", None),
    ("test_40", "3.3", "a test share of 40 % makes no major difference", "same", None),
    ("patience_20", "3.3", "a patience of 40 epochs is the best compromise: 20 are not better", "not better", None),
    ("patience_80", "3.3", "80 are not better", "not better", None),
    ("starhorse_distance", "3.2", "distances of StarHorse make no notable difference", "same", None),
    ("no_extinction", "3.2", "without A_V the Teff error of stars with A_V > 0.8 is 20 K larger", "extinction", None),
    ("poor_parallaxes", "4.2.3", "adding stars with poor parallaxes does not improve the training", "not better", None),
    ("label_noise", "5", "noise on the labels hardly changes the errors", "errors", None),
)
# Not in the paper: what its random split over spectra leaves open (B-10)
ADDED = (("star_grouped", "B-10", "spectra of a star kept on one side of the split: the scatter on test stars", "report", None),)
AV_HIGH = 0.8              # mag
LEAST = 10
BIN = 0.1                  # dex of [M/H]
STRAIGHT = 0.7             # of the main run's share of the spread that is kept: less is a straight line
LONGER = (2.0, 6.0)        # epochs over those of the main run that agree with "three to four times"
ERRORS = 0.2               # change of the median error that is hardly one
ELEMENTS = ("alpha_m", "mg_fe", "si_fe")


def alpha_line(frame: pd.DataFrame) -> dict:
    """How much of the spread of a ratio at fixed [M/H] a network keeps, over training and test spectra.

    Returns
    -------
    dict
        For alpha_m, mg_fe and si_fe: slope and r2 (variance explained) of the straight line through the predicted values against
        predicted [M/H]; r2_labels of the labels; spread and spread_labels at fixed [M/H] (dex); kept (their ratio).
    """
    out = {}
    for name in ELEMENTS:
        if name not in frame or "mh" not in frame:
            continue
        x, y = frame["mh_cnn"].to_numpy(np.float64), frame[f"{name}_cnn"].to_numpy(np.float64)
        x0, y0 = frame["mh"].to_numpy(np.float64), frame[name].to_numpy(np.float64)
        line, own = linear_relation(x, y), linear_relation(x0, y0)
        # both at fixed [M/H] of the label, so that the same stars stand in a bin
        spread, known = _spread(x0, y), _spread(x0, y0)
        out[name] = {"n": line["n"], "slope": line["slope"], "r2": line["correlation"] ** 2, "r2_labels": own["correlation"] ** 2,
                     "spread": spread, "spread_labels": known, "kept": spread / known if known else None}
    return out


def _spread(x: np.ndarray, y: np.ndarray) -> float | None:
    """Root mean square over the stars of the deviation of y from its mean in bins of x; None without a bin of ten."""
    good = np.isfinite(x) & np.isfinite(y)
    x, y = x[good], y[good]
    number = np.floor(x / BIN).astype(np.int64)
    total, n = 0.0, 0
    for value in np.unique(number):
        part = y[number == value]
        if len(part) >= LEAST:
            total += float(np.sum((part - part.mean()) ** 2))
            n += len(part)
    return float(np.sqrt(total / n)) if n else None


def extinction(frame: pd.DataFrame) -> dict:
    """Scatter of Teff and its predicted error for stars of high extinction, over training and test spectra."""
    high = frame[(frame["av_starhorse"] > AV_HIGH).to_numpy(bool)] if "av_starhorse" in frame else frame.iloc[:0]
    if len(high) < LEAST or "teff" not in frame:
        return {"n": len(high), "sigma": None, "error": None}
    residual = (high["teff_cnn"] - high["teff"]).to_numpy(np.float64)
    error = high["teff_cnn_err"].to_numpy(np.float64)
    return {"n": len(high), "sigma": float(np.sqrt(np.nanvar(residual) + np.nanmean(error**2))), "error": float(np.nanmean(error))}


def basis_of(found: Mapping) -> str | None:
    """The spectra that decide: the common ones where they are most of the main run's test sample, else those of one kind."""
    common, shared = found.get("common", {}), found.get("shared", {})
    whole = max(found.get("own", {}).get("n_main", 0), 1)
    if common.get("change") and common["n"] >= 0.5 * whole:
        return "common"
    return next((b for b, f in (("shared", shared), ("own", found.get("own", {}))) if f.get("change")), None)


def judge(variants: Mapping[str, Mapping], labels: list[str]) -> list[dict]:
    """Statements of the paper about its tests.

    Returns
    -------
    list of dict
        variant, section, says, question, basis, found (the numbers), holds (True, False, None: not measured or only reported).
        A variant that was not trained is left out.
    """
    out = []
    for variant, section, says, question, share in (*SAID, *ADDED):
        if variant in variants:
            own, main = variants[variant], variants["main"]
            basis = basis_of(own["compared"])
            found, holds = _answer(question, own, main, own["compared"].get(basis) or {}, labels)
            if share is not None:
                found |= {"share_of_main": own["share_of_main"], "share_of_main_paper": share}
            out.append({"variant": variant, "section": section, "says": says, "question": question, "basis": basis, "found": found,
                        "holds": holds})
    return out


def _answer(question: str, own: Mapping, main: Mapping, measured: Mapping, labels: list[str]) -> tuple[dict, bool | None]:
    if question == "straight":
        kept, reference = (v["alpha"].get("alpha_m", {}).get("kept") for v in (own, main))
        found = {"kept": kept, "kept_main": reference, "elements": own["alpha"]}
        return found, None if kept is None or not reference else kept < STRAIGHT * reference
    if question == "longer":
        ours, theirs = (v["ensemble"]["epochs"]["median"] for v in (own, main))
        ratio = ours / theirs if ours and theirs else None
        return {"epochs": ours, "epochs_main": theirs, "ratio": ratio}, None if ratio is None else LONGER[0] <= ratio <= LONGER[1]
    if question == "extinction":
        ours, theirs = own["extinction"], main["extinction"]
        found = {"n": ours["n"], **{f"{k}{end}": side[k] for side, end in ((ours, ""), (theirs, "_main")) for k in ("sigma", "error")}}
        if None in found.values():
            return found, None
        return found | {"increase": ours["sigma"] - theirs["sigma"], "increase_paper": 20}, ours["sigma"] > theirs["sigma"]
    if question == "errors":
        ratios = {p: own["error_median"][p] / main["error_median"][p] for p in labels if main["error_median"][p]}
        middle = float(np.median(list(ratios.values()))) if ratios else None
        return {"ratio": middle, "labels": ratios}, None if middle is None else abs(middle - 1) <= ERRORS
    found = {k: measured.get(k) for k in ("n", "overall", "interval", "change", "abundances", "abundances_change")}
    changed = measured.get("abundances_change" if question == "abundances" else "change")
    if changed is None or question == "report":
        return found, None
    wanted = {"worse": changed == "worse", "abundances": changed == "worse", "same": changed == "no clear change",
              "not better": changed != "better"}
    return found, wanted[question]
