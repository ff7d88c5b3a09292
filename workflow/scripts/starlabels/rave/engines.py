"""Which engine computes the networks of the RAVE paper, and training and prediction of several networks with it."""

import logging
import os
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module

import numpy as np
from threadpoolctl import threadpool_limits
from tqdm import tqdm

from .. import network_jax, network_jax_device, network_keras, network_numba
from ..errors import InputError
from ..network import Architecture, initial_weights
from ..network_fit import Course, Fitted, fit
from .gpus import ENGINES, ON_GPU

log = logging.getLogger(__name__)


def engine_of(cfg: Mapping, architecture: Architecture) -> str:
    """The engine, "numba", "keras" or "jax", that a configuration and an architecture ask for.

    Left to itself it is JAX on a GPU, else numba, each for the architectures that it can compute, else Keras.

    Raises
    ------
    InputError
        When the engine is unknown, or numba is asked for and cannot compute the architecture.
    """
    engine = cfg["fit"]["engine"]
    if engine not in ENGINES:
        raise InputError("rave.fit.engine", f"is {engine!r}", f"Known engines: {', '.join(ENGINES)}")
    if engine == "numba":
        network_numba.plan_of(architecture)
    if engine == "auto":
        if network_jax.sees_gpu() and network_jax.supports(architecture):
            return "jax"
        return "numba" if network_numba.supports(architecture) else "keras"
    return engine


def backend_of(cfg: Mapping, engine: str) -> str:
    """What an engine computes on, for the record: the device of JAX ("cpu", or the name of the GPU), Keras' back end, "cpu" with numba."""
    return {"keras": lambda: cfg["fit"]["backend"], "jax": network_jax.device}.get(engine, lambda: "cpu")()


def versions_of(cfg: Mapping, engine: str) -> dict[str, str]:
    """Versions of the packages that an engine computes with, by their names; imports them."""
    packages = ("keras", cfg["fit"]["backend"]) if engine == "keras" else (engine,)
    return {name: import_module(name).__version__ for name in packages}


def train_networks(
    data, architecture: Architecture, settings: Mapping, engine: str, networks: Sequence[int], seed: int, threads: int, name: str
) -> list[tuple[Fitted, float]]:
    """Train networks: with numba one a thread, with Keras one after another, with JAX all in one computation (or groups that fit a GPU).

    The log says which engine computes and on what, and why not on a GPU where the settings would have it.

    Parameters
    ----------
    data : fit.TrainingSet
    settings : mapping
        `rave.fit` of the configuration.
    name : str
        For the progress bar and the log.

    Returns
    -------
    list of (Fitted, float)
        Each with its seconds; where networks are trained together, with an equal share of the seconds of all.
    """
    _tell({"fit": settings}, engine, f"{name}: {len(networks)} networks trained", logging.INFO)
    with tqdm(total=len(networks), desc=name, unit="network", mininterval=5, disable=None) as bar:

        def progress(course: Course) -> None:
            text = f"network {course.network}: epoch {course.epoch}, test loss {course.history['test_loss'][-1]:.2e}"
            bar.set_postfix_str(text, refresh=False)
            bar.update(0 if course.runs else 1)

        if engine == "jax":
            started = time.perf_counter()
            starts = np.stack([initial_weights(architecture, seed, network) for network in networks])
            done = network_jax.train_many(architecture, starts, data.train, data.test, settings, seed, networks, progress)
            seconds = (time.perf_counter() - started) / len(networks)
            for network, fitted in zip(networks, done, strict=True):
                _report(name, network, fitted, seconds)
            return [(fitted, seconds) for fitted in done]

        def one(network: int) -> tuple[Fitted, float]:
            started = time.perf_counter()
            runner = maker(architecture, initial_weights(architecture, seed, network), data.train, settings)
            fitted = fit(runner, data.train, data.test, architecture, settings, seed, network, progress)
            seconds = time.perf_counter() - started
            _report(name, network, fitted, seconds)
            return fitted, seconds

        if engine == "keras":
            _choose_keras({"fit": settings})
        maker = network_numba.NumbaEngine if engine == "numba" else network_keras.KerasEngine
        # numba's np.dot takes scipy's BLAS, a library of its own, when it is first compiled or loaded; a limit holds only what is there
        import_module("scipy.linalg.cython_blas")
        # linear algebra on one thread: its sums must not hang on the number of processors, and the networks share these
        with threadpool_limits(1, user_api="blas"), ThreadPoolExecutor(max(int(threads), 1) if engine == "numba" else 1) as pool:
            return list(pool.map(one, networks))


def predict_networks(
    flux: np.ndarray, inputs: np.ndarray, networks: np.ndarray, architecture: Architecture, cfg: Mapping, threads: int
) -> tuple[np.ndarray, np.ndarray]:
    """Mean and population standard deviation over networks, as `network_numba.predict`, by the engine that is asked for.

    JAX without a GPU leaves to numba what numba can compute: weights are the same for every engine. The log says what computed.
    """
    engine = engine_of(cfg, architecture)
    if engine == "jax" and network_numba.supports(architecture) and not network_jax.sees_gpu():
        engine = "numba"
    _tell(cfg, engine, "labels predicted", logging.DEBUG)
    if engine == "keras":
        _choose_keras(cfg)
        return network_keras.predict(flux, inputs, networks, architecture)
    if engine == "numba":
        return network_numba.predict(flux, inputs, networks, architecture, threads)
    return network_jax.predict(flux, inputs, networks, architecture)


def _choose_keras(cfg: Mapping) -> None:
    """Keras' back end, told to take memory of a GPU only when it needs it: other jobs may share it."""
    os.environ.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")
    network_keras.choose_backend(cfg["fit"]["backend"])


def _tell(cfg: Mapping, engine: str, what: str, level: int) -> None:
    """Say in the log which engine computes and on what; and why it is not a GPU, aloud where a user would expect one."""
    asked = cfg["fit"].get("engine")
    reason = network_jax.no_gpu() if asked in ON_GPU else ""
    if reason:
        surprise = asked == "jax" or network_jax_device.gpu_expected()
        log.log(logging.WARNING if surprise else logging.DEBUG, "WARNING: no GPU computes the networks: %s", reason)
    log.log(level, "%s by the engine %s on %s", what, engine, backend_of(cfg, engine))


def _report(name: str, network: int, fitted: Fitted, seconds: float) -> None:
    last, failed = fitted.history["test_loss"][-1], f", FAILED: {fitted.failed}" if fitted.failed else ""
    log.info("%s: network %d: %d epochs, test loss %.3g, %.0f s%s", name, network, fitted.epochs, last, seconds, failed)
