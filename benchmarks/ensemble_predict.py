"""Predictions of an ensemble: all networks in one pass over the spectra against Keras' `predict`, network by network."""

import statistics

import numpy as np

from .contest import Contestant, Setting, contest
from .ensemble_train import engines, names_of, on_gpu
from .network_data import JAX, KERAS, published, sample
from .rows import Agreement, Row, compare, missing

NAME = "ensemble_predict"
SIZES = {
    "tiny": {"spectra": 300, "networks": 2, "rounds": 1},
    "bench": {"spectra": 12_288, "networks": 8, "rounds": 4},
    "large": {"spectra": 60_000, "networks": 80, "rounds": 3},
}
FLOOR, AIM = 2.5, 4.0
BATCH = 2048
CLOSE = 1e-5                 # of mean and dispersion in scaled labels, which lie between 0 and 1


def ensemble(networks: int) -> np.ndarray:
    """Weights of so many networks, untrained: their predictions differ by far more than those of trained ones."""
    from starlabels.network import Architecture, initial_weights

    return np.stack([initial_weights(Architecture(), 5, k) for k in range(networks)])


def ours(engine: str, spectra: int, networks: int, threads: int):
    """Mean and dispersion by an engine of the workflow."""
    from starlabels import network_jax, network_numba
    from starlabels.network import Architecture

    x, weights, a = sample(spectra, 3), ensemble(networks), Architecture()
    if engine == "numba":
        return lambda: network_numba.predict(x.flux, x.inputs, weights, a, threads)
    return lambda: network_jax.predict(x.flux, x.inputs, weights, a)


def keras_predict(spectra: int, networks: int):
    """Keras' `predict`, one network after another; mean and dispersion of what is then in memory."""
    from starlabels import network_keras
    from starlabels.network import Architecture

    x, weights, a = sample(spectra, 3), ensemble(networks), Architecture()
    model, flux = published(a), x.flux[:, :, None]

    def run():
        found = np.empty((networks, spectra, a.labels))
        for k, own in enumerate(weights):
            network_keras.set_weights(model, own, a)
            found[k] = model.predict([flux, x.inputs], batch_size=BATCH, verbose=0)
        return found.mean(axis=0), found.std(axis=0)

    return run


def judge(found, reference) -> Agreement:
    """Largest difference of mean and of dispersion."""
    apart = [float(np.abs(a - b).max()) for a, b in zip(found, reference, strict=True)]
    text = f"mean within {apart[0]:.0e}, dispersion within {apart[1]:.0e} of the scaled labels"
    return Agreement(max(apart) < CLOSE and bool(np.median(reference[1]) > 100 * CLOSE), text)


def run(setting: Setting) -> list[Row]:
    """Two rows an engine: the processor's time, which has the floor, and the clock on the wall; on a GPU the latter only."""
    size, there = SIZES[setting.size], engines()
    names = names_of(there)
    data = {k: size[k] for k in ("spectra", "networks")}
    case, peer = f"{size['spectra']} spectra x {size['networks']} networks", f"Keras predict, batch {BATCH}, one network at a time"
    runners = {
        e: Contestant("benchmarks.ensemble_predict:ours", {**data, "engine": e, "threads": setting.threads}, JAX if e == "jax" else KERAS)
        for e, reason in there.items() if not reason
    }  # fmt: skip
    runners["keras"] = Contestant("benchmarks.ensemble_predict:keras_predict", data, KERAS)
    found = contest(runners, setting, size["rounds"])
    rows, work = [], (size["spectra"] * size["networks"] / 1e6,) * 2
    for engine, reason in there.items():
        if reason:
            rows.append(missing(NAME, case, names[engine], peer, reason))
            continue
        agreement = judge(found[engine][-1].result, found["keras"][-1].result)
        arguments = (NAME, case, (names[engine], peer), found[engine], found["keras"], agreement)
        limits = {"floor": FLOOR, "aim": AIM} if engine == "numba" else {}
        clocks = (("cpu", "core-us a spectrum a network (processor time)"), ("wall", "us a spectrum a network (wall clock, same cores)"))
        peak = [found[e][-1].peak_mb for e in (engine, "keras")]
        for first, (clock, unit) in enumerate(clocks[on_gpu(names[engine]) :]):
            rate = [work[0] * 1e6 / statistics.median(getattr(m, clock) for m in found[e]) for e in (engine, "keras")]
            note = (f"{rate[0]:.0f} against {rate[1]:.0f} spectra (times networks) a {'core-' if clock == 'cpu' else ''}second; "
                    f"peak memory {peak[0]:.0f} MB against {peak[1]:.0f} MB")
            more = {} if first else {"note": note, **limits}
            rows.append(compare(*arguments, clock=clock, unit=unit, work=work, sizes=size, **more))
    return rows
