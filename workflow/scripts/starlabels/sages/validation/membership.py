"""Members of a star cluster from proper motions: a mixture of the cluster and the field (Section 3.5, A-25)."""

import warnings
from collections.abc import Mapping

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture

from ...errors import InputError

WINDOW = 15.0            # mas/yr around the start; a few stars of high motion would else make the field's Gaussian too wide
START_WIDTH = 0.3        # mas/yr, width that the cluster starts with
DRIFT = 1.0              # mas/yr; a component that ends further away is not the cluster
MIN_STARS = 20


def separation(ra: np.ndarray, dec: np.ndarray, ra0: float, dec0: float) -> np.ndarray:
    """Angular distance in deg of positions (deg) from a centre (haversine)."""
    ra, dec, ra0, dec0 = np.radians(ra), np.radians(dec), np.radians(ra0), np.radians(dec0)
    h = np.sin((dec - dec0) / 2) ** 2 + np.cos(dec) * np.cos(dec0) * np.sin((ra - ra0) / 2) ** 2
    return np.degrees(2 * np.arcsin(np.sqrt(np.clip(h, 0.0, 1.0))))


def membership(pmra: np.ndarray, pmdec: np.ndarray, start: tuple[float, float]) -> tuple[np.ndarray, dict]:
    """Probability of each star to belong to the cluster.

    Parameters
    ----------
    pmra, pmdec : ndarray (n,)
        Proper motions, mas/yr (RA with cos Dec).
    start : (float, float)
        Where the cluster's component starts.

    Returns
    -------
    probability : ndarray (n,)
        0 outside the window of 15 mas/yr around the start, and for every star when no over-density was found.
    mixture : dict
        found (bool), why (text when not found), n, weight, mean, width (the root of the covariance's mean eigenvalue), field_mean,
        field_width, iterations.
    """
    motion = np.column_stack([pmra, pmdec]).astype(np.float64)
    inside = np.isfinite(motion).all(axis=1)
    inside[inside] = np.hypot(*(motion[inside] - start).T) < WINDOW
    probability, part = np.zeros(len(motion)), motion[inside]
    if len(part) < MIN_STARS:
        return probability, {"found": False, "why": f"{len(part)} stars with proper motions, fewer than {MIN_STARS}", "n": len(part)}
    field = np.cov(part.T) + 1e-6 * np.eye(2)
    model = GaussianMixture(
        2, max_iter=1000, tol=1e-6, random_state=0, weights_init=[0.3, 0.7], means_init=[start, part.mean(axis=0)],
        precisions_init=[np.eye(2) / START_WIDTH**2, np.linalg.inv(field)],
    )
    # EM moves by less and less; what the iterations have reached by then is judged below
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(part)
    widths = [float(np.sqrt(np.trace(c) / 2)) for c in model.covariances_]
    mixture = {
        "found": True, "why": "", "n": len(part), "weight": float(model.weights_[0]), "mean": model.means_[0].tolist(), "width": widths[0],
        "field_mean": model.means_[1].tolist(), "field_width": widths[1], "iterations": int(model.n_iter_),
    }
    drift = float(np.hypot(*(model.means_[0] - start)))
    if drift > DRIFT:
        mixture |= {"found": False, "why": f"the component moved {drift:.1f} mas/yr away from the cluster"}
    elif widths[0] >= widths[1]:
        mixture |= {"found": False, "why": f"the component ({widths[0]:.1f} mas/yr wide) is no narrower than the field"}
    if mixture["found"]:
        probability[inside] = model.predict_proba(part)[:, 0]
    return probability, mixture


def literature_feh(cluster: Mapping, harris) -> float | None:
    """[Fe/H] of a cluster in the literature: the configured number, or, for `harris`, its row of that catalogue.

    Parameters
    ----------
    cluster : mapping
        Entry of `clusters.list`.
    harris : DataFrame or None
        Canonical Harris catalogue (`cluster` or `name`, `feh`).

    Raises
    ------
    InputError
        When the catalogue has no such cluster.
    """
    if cluster["feh"] != "harris":
        return None if cluster["feh"] is None else float(cluster["feh"])
    where = f"sages.clusters.list, {cluster['name']}"
    if harris is None:
        raise InputError(where, "takes its [Fe/H] from Harris (2010), but that catalogue was not given", "Give a number as `feh`")
    names = harris["cluster" if "cluster" in harris.columns else "name"].astype("str").str.upper().str.replace(r"\s+", "", regex=True)
    rows = harris[(names == cluster["name"].upper().replace(" ", "")).to_numpy(bool)]
    if len(rows) != 1 or not np.isfinite(rows["feh"].iloc[0]):
        raise InputError(where, f"has {len(rows)} rows with that name in the Harris catalogue", "Give its [Fe/H] as a number")
    return float(rows["feh"].iloc[0])
