"""Section 2.4: the forest beside a polynomial and a three-layer network, on the same stars, with the same measures (A-32).

The paper gives no details. Ours: a full polynomial of third order in the corrected colours and the absolute magnitude, by
least squares; a network 64-64-64 of rectified linear units under three losses. The test stars are those whose Gaia source
is not in the training sample.
"""

import logging
import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.linear_model import LinearRegression
from sklearn.metrics import r2_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures, StandardScaler
from threadpoolctl import threadpool_limits

from ..errors import InputError
from ..forest import check_labels, new_regressor
from ..forest_compact import check_matrix, compact
from ..io import write_json, write_table
from ..metrics import gaussian_fit
from ..photometry import bands_of, colour_name, column, feature_matrix
from .models import clean_test_rows, label_and_classes, read_samples, training_rows

log = logging.getLogger(__name__)

_RATE, _HUBER = 1e-3, 1.0  # Adam's step; border of the Huber loss in standard deviations of the label
_COLUMNS = {
    "method": {"description": "forest, polynomial, or network with its loss"},
    "n_train": {"description": "training stars"},
    "n_test": {"description": "test stars, none of them in the training sample"},
    "mean": {"description": "centre of the Gaussian fitted to prediction minus label"},
    "sigma": {"description": "width of that Gaussian"},
    "bias": {"description": "mean of prediction minus label"},
    "median": {"description": "median of prediction minus label"},
    "std": {"description": "standard deviation of prediction minus label"},
    "robust_sigma": {"description": "1.4826 MAD of prediction minus label"},
    "r2": {"description": "coefficient of determination"},
    "fit_seconds": {"unit": "s", "description": "wall time of the training"},
    "predict_seconds": {"unit": "s", "description": "wall time of the prediction of the test stars"},
    "threads": {"description": "threads used"},
}

Predictor = Callable[[np.ndarray], np.ndarray]


def fit_forest(x: np.ndarray, y: np.ndarray, names: list[str], cfg: Mapping, seed: int, threads: int) -> Predictor:
    """The forest of the configuration."""
    forest = compact(new_regressor(cfg["forest"], seed, threads).fit(x, check_labels(y)), names)
    return lambda new: forest.predict(new, threads)


def fit_polynomial(x: np.ndarray, y: np.ndarray, names: list[str], cfg: Mapping, data_set: int) -> Predictor:
    """A polynomial of `compare.polynomial.degree` in the corrected colours and the absolute magnitude.

    Of the colours only those of neighbouring bands are taken: the others are their sums, so the polynomials are the same and
    the least squares are not degenerate.

    Raises
    ------
    InputError
        When the features have no colour.
    """
    bands = bands_of(cfg, data_set)
    colours = [colour_name(cfg, a, b) for a, b in zip(bands[:-1], bands[1:], strict=True)]
    chosen = [k for k, name in enumerate(names) if name in colours or name.startswith("abs_")]
    if not chosen:
        raise InputError("sages.features", "have no colour and no absolute magnitude for the polynomial", "Switch one of them on")
    terms = PolynomialFeatures(cfg["compare"]["polynomial"]["degree"], include_bias=False)
    # one thread, float64: sums in one order
    with threadpool_limits(1, user_api="blas"):
        model = make_pipeline(StandardScaler(), terms, StandardScaler(), LinearRegression())
        model.fit(x[:, chosen].astype(np.float64), y)
    return lambda new: model.predict(new[:, chosen].astype(np.float64))


def keras_reproducible(seed: int):
    """Import Keras with TensorFlow on one processor thread and every random number seeded; return the module.

    Importing it takes seconds, so it is done only where a network is trained.
    """
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")  # its kernels sum in an order that differs between processors
    os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
    import keras
    import tensorflow as tf

    try:
        tf.config.threading.set_intra_op_parallelism_threads(1)
        tf.config.threading.set_inter_op_parallelism_threads(1)
    except RuntimeError:  # TensorFlow is already at work in this process; its number of threads can no longer be set
        log.warning("TensorFlow was started before; its sums may depend on the number of threads")
    tf.config.experimental.enable_op_determinism()
    keras.utils.set_random_seed(seed)
    return keras


def fit_network(x: np.ndarray, y: np.ndarray, settings: Mapping, loss: str, seed: int) -> Predictor:
    """A fully connected network on standardised features and label.

    Parameters
    ----------
    settings : mapping
        `layers`, `epochs`, `batch` (`sages.compare.network`).
    loss : str
        mse, mae or huber.

    Raises
    ------
    InputError
        For another loss.
    """
    keras = keras_reproducible(seed)
    losses = {"mse": "mean_squared_error", "mae": "mean_absolute_error", "huber": keras.losses.Huber(delta=_HUBER)}
    if loss not in losses:
        raise InputError("sages.compare.network.losses", f"names {loss!r}", f"Known: {', '.join(losses)}")
    scaler = StandardScaler().fit(x.astype(np.float64))
    centre, scale = y.mean(), y.std() or 1.0
    layers = [keras.layers.Dense(width, activation="relu") for width in settings["layers"]]
    model = keras.Sequential([keras.Input((x.shape[1],)), *layers, keras.layers.Dense(1)])
    model.compile(optimizer=keras.optimizers.Adam(_RATE), loss=losses[loss], steps_per_execution=20)
    model.fit(
        scaler.transform(x).astype(np.float32), ((y - centre) / scale).astype(np.float32), epochs=settings["epochs"],
        batch_size=settings["batch"], verbose=0, shuffle=True,
    )

    def predict(new: np.ndarray) -> np.ndarray:
        # called, not `model.predict`, which compiles anew for every shape
        z = scaler.transform(new).astype(np.float32)
        parts = [keras.ops.convert_to_numpy(model(z[k : k + 8192], training=False))[:, 0] for k in range(0, len(z), 8192)]
        return centre + scale * np.concatenate(parts).astype(np.float64)

    return predict


def run_compare(
    samples_path: str | Path, cfg: Mapping, seed: int, threads: int, output_table: str | Path, output_json: str | Path
) -> None:
    """Train the three methods on one model's training stars and measure them on its clean test stars (`sages.compare`).

    Parameters
    ----------
    samples_path : path
        Samples table of `sages.compare.data_set`.
    output_table : path
        One row a method: accuracy on the test stars and wall times.
    output_json : path
        The same, and the orders by scatter and by time.

    Raises
    ------
    InputError
        When there is no training star, no clean test star, or an unknown loss.
    """
    settings = cfg["compare"]
    model, data_set = settings["model"], settings["data_set"]
    label = label_and_classes(model)[0]
    frame = read_samples(samples_path, cfg, data_set, model)
    train, test = training_rows(frame, model, samples_path), clean_test_rows(frame)
    if not len(test):
        raise InputError(samples_path, f"has no test star outside the training sample for {model}", "Loosen the cuts of the test surveys")
    if settings["max_stars"] is not None and len(train) > settings["max_stars"]:
        chosen = np.random.default_rng(seed).choice(len(train), settings["max_stars"], replace=False)
        train = train.iloc[np.sort(chosen)].reset_index(drop=True)
    names, x = feature_matrix(train, cfg, data_set)
    x, new = check_matrix(x, names), check_matrix(feature_matrix(test, cfg, data_set)[1], names)
    y, truth = column(train, label), column(test, label)
    fits: dict[str, tuple[Callable[[], Predictor], int]] = {
        "forest": (lambda: fit_forest(x, y, names, cfg, seed, threads), threads),
        "polynomial": (lambda: fit_polynomial(x, y, names, cfg, data_set), 1),
    }
    for loss in settings["network"]["losses"]:
        fits[f"network ({loss})"] = (lambda loss=loss: fit_network(x, y, settings["network"], loss, seed), 1)
    if settings["network"]["losses"]:
        keras_reproducible(seed)  # the import is not the network's training time
    rows = []
    for method, (fit, used) in fits.items():
        started = time.perf_counter()
        predict = fit()
        fitted = time.perf_counter()
        predict(new[:1])  # compilation is not prediction
        begun = time.perf_counter()
        residual = predict(new) - truth
        seconds = {"fit_seconds": fitted - started, "predict_seconds": time.perf_counter() - begun, "threads": used}
        rows.append({"method": method, "n_train": len(y), **measures(residual, truth, label, cfg), **seconds})
        log.info("%s: sigma %.4f, fit %.1f s", method, rows[-1]["sigma"], seconds["fit_seconds"])
    table = pd.DataFrame(rows)[list(_COLUMNS)]
    write_table(output_table, table, _COLUMNS)
    write_json(output_json, {
        "data_set": data_set, "model": model, "label": label, "seed": seed,
        "network": settings["network"], "polynomial": settings["polynomial"],
        "methods": table.to_dict("records"),
        "order_by_robust_sigma": table.sort_values("robust_sigma")["method"].tolist(),
        "order_by_fit_seconds": table.sort_values("fit_seconds")["method"].tolist(),
    })


def measures(residual: np.ndarray, truth: np.ndarray, label: str, cfg: Mapping) -> dict:
    """Statistics of prediction minus label for one method (A-20)."""
    validation = cfg["validation"]
    fit = gaussian_fit(residual, validation["histogram_bin"][label], validation["fit_range_sigma"])
    wanted = ("mean", "sigma", "bias", "median", "std", "robust_sigma")
    r2 = float(r2_score(truth, truth + residual)) if len(truth) > 1 else np.nan
    return {"n_test": len(truth), **{key: fit[key] for key in wanted}, "r2": r2}
