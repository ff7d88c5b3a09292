"""Training of the networks: our engines against Keras' `fit` as published, in core-seconds an epoch a network.

As published: TensorFlow, one network after another, batches of 16, the validation sample after each epoch, threads as TensorFlow
likes on the cores that it is given. The processor's time is compared, which counts for Keras only what its threads really used.
"""

from collections.abc import Mapping

import numpy as np

from .contest import Contestant, Setting, contest, once
from .network_data import JAX, KERAS, SETTINGS, published, sample
from .rows import Agreement, Row, compare, missing

NAME = "ensemble_train"
# epochs: of a timed call; networks: of a timed call of ours (jax_networks: of JAX on a processor, gpu_networks: on a GPU, which takes an
# ensemble at once); compared: epochs after which losses are compared
_PAPER = {"train": 3669, "test": 1000}
SIZES = {
    "tiny": {"train": 64, "test": 32, "epochs": 1, "networks": 2, "jax_networks": 2, "gpu_networks": 4, "compared": 2, "rounds": 1},
    "bench": {**_PAPER, "epochs": 2, "networks": 4, "jax_networks": 2, "gpu_networks": 40, "compared": 6, "rounds": 4},
    "large": {**_PAPER, "epochs": 10, "networks": 8, "jax_networks": 8, "gpu_networks": 100, "compared": 20, "rounds": 5},
}
FLOOR, AIM = 5.0, 8.0
FIRST, LAST = 1e-3, 0.25         # largest relative difference of the losses: of the first epoch; of the lowest test losses later
SEED = 11


def ours(engine: str, train: int, test: int, epochs: int, networks: int, threads: int):
    """Training of new networks by an engine of the workflow; gives their histories of losses, shape (2, networks, epochs)."""
    from starlabels.network import Architecture
    from starlabels.rave.engines import train_networks
    from starlabels.rave.fit import TrainingSet

    data = TrainingSet(sample(train, 1), sample(test, 2), {}, False)
    settings = {**SETTINGS, "epochs": epochs, "patience": epochs, "backend": KERAS["KERAS_BACKEND"]}

    def run() -> np.ndarray:
        found = train_networks(data, Architecture(), settings, engine, range(networks), SEED, threads, engine)
        return np.array([[fitted.history[loss] for fitted, _ in found] for loss in ("train_loss", "test_loss")])

    return run


def keras_fit(train: int, test: int, epochs: int):
    """Keras' `fit` of one network; gives the last validation loss."""
    from starlabels.network import Architecture

    learn, check = sample(train, 1), sample(test, 2)
    model = published(Architecture())

    def run() -> float:
        history = model.fit([learn.flux[:, :, None], learn.inputs], learn.labels, batch_size=SETTINGS["batch"], epochs=epochs,
                            validation_data=([check.flux[:, :, None], check.inputs], check.labels), verbose=0)
        return history.history["val_loss"][-1]

    return run


def judge(found: np.ndarray, reference: np.ndarray) -> Agreement:
    """Losses of the same networks, once by an engine and once by Keras: same weights at the start, same order, same dropout.

    Rounding sends any two implementations apart after some hundred steps, and a float64 run that is perturbed by 1e-7 likewise.
    So the first epoch must agree closely, and the lowest test loss of the later ones in what was learnt.
    """
    first = float(np.abs(found[:, :, 0] / reference[:, :, 0] - 1)[0].max())
    last = float(np.abs(found[1].min(axis=1) / reference[1].min(axis=1) - 1).max())
    text = f"loss of the first epoch within {first:.0e}, lowest test loss of {found.shape[2]} epochs within {last:.0%} of Keras"
    return Agreement(bool(np.isfinite(found).all()) and first <= FIRST and last <= LAST, text)


def engines() -> dict[str, str]:
    """Our engines, each with the reason why it is not available (empty: it is)."""
    found = {"numba": ""}
    try:
        from starlabels import network_jax

        network_jax.device()
        found["jax"] = ""
    except Exception as error:      # a JAX that does not fit its driver raises what it likes
        found["jax"] = str(error).strip().splitlines()[0]
    return found


def device() -> str:
    """What JAX computes on: "CPU", or "GPU" and its name."""
    from starlabels import network_jax

    return f"GPU, {network_jax.device()}" if network_jax.sees_gpu() else "CPU"


def names_of(there: Mapping[str, str]) -> dict[str, str]:
    """Names of our engines in the table; what JAX computes on belongs to its name."""
    return {e: f"engine {e}" + (f" ({device()})" if e == "jax" and not reason else "") for e, reason in there.items()}


def on_gpu(name: str) -> bool:
    """Whether the engine of that name computes on a GPU, which no clock of the processor sees: it has the wall clock's row only."""
    return "(GPU" in name


def run(setting: Setting) -> list[Row]:
    """Two rows an engine: the processor's time, which has the floor, and the clock on the wall; on a GPU the latter only."""
    size, there = SIZES[setting.size], engines()
    data, names = {k: size[k] for k in ("train", "test")}, names_of(there)
    case = f"{size['train']} + {size['test']} spectra x 912 pixels + 9 inputs, batch {SETTINGS['batch']}"
    peer = "Keras fit, one network at a time"

    def contestant(engine: str, epochs: int, networks: int) -> Contestant:
        arguments = {**data, "engine": engine, "epochs": epochs, "networks": networks, "threads": setting.threads}
        return Contestant("benchmarks.ensemble_train:ours", arguments, JAX if engine == "jax" else KERAS)

    work = {"numba": size["networks"], "jax": size["gpu_networks" if on_gpu(names["jax"]) else "jax_networks"]}
    runners = {e: contestant(e, size["epochs"], work[e]) for e, reason in there.items() if not reason}
    runners["keras"] = Contestant("benchmarks.ensemble_train:keras_fit", {**data, "epochs": size["epochs"]}, KERAS)
    found = contest(runners, setting, size["rounds"])

    setting.say(f"  losses of two networks after {size['compared']} epochs")
    losses = {e: once(e, contestant(e, size["compared"], 2), setting) for e in runners}
    rows = []
    for engine, reason in there.items():
        if reason:
            rows.append(missing(NAME, case, names[engine], peer, reason))
            continue
        agreement = judge(losses[engine], losses["keras"])
        more = {"work": (work[engine] * size["epochs"], size["epochs"]), "agreement": agreement, "sizes": size}
        arguments = (NAME, case, (names[engine], peer), found[engine], found["keras"])
        limits = {"floor": FLOOR, "aim": AIM} if engine == "numba" else {}
        peak = f"{found[engine][-1].peak_mb:.0f} MB against {found['keras'][-1].peak_mb:.0f} MB"
        note = f"{work[engine]} networks in {setting.threads} threads; peak memory {peak}"
        if not on_gpu(names[engine]):
            rows.append(compare(*arguments, clock="cpu", unit="core-s an epoch a network (processor time)", note=note, **limits, **more))
            note = ""
        rows.append(compare(*arguments, unit="s an epoch a network (wall clock, same cores)", note=note, **more))
    return rows
