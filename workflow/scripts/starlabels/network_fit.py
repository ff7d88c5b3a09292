"""How a network is trained (Guiglion et al. 2020, Section 3.3), whatever engine computes it.

Each epoch passes through the training spectra in a new order. The run ends when the test loss has not fallen below its lowest
value for `patience` epochs; the weights of the last epoch are kept, as published. The test sample so takes part in the
training: it is no independent test.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from .network import Architecture, stream

HISTORY = ("train_loss", "test_loss", "test_r2", "test_accuracy")


@dataclass(frozen=True)
class Sample:
    """Scaled float32 arrays in C order: flux (n, pixels), inputs (n, inputs), labels (n, labels); no columns for a branch left out."""

    flux: np.ndarray
    inputs: np.ndarray
    labels: np.ndarray


class Engine(Protocol):
    """What computes a network: `NumbaEngine`, `KerasEngine`."""

    name: str

    def epoch(self, order: np.ndarray, keys: np.ndarray) -> float:
        """Train once over the rows `order`; `keys` (uint32) set the dropout of each batch. Returns the mean loss."""

    def outputs(self, sample: Sample) -> np.ndarray:
        """Outputs (n, outputs) of the network as it stands."""

    @property
    def weights(self) -> np.ndarray:
        """Weights (parameters,) of float32 in the order of `network.py`."""


@dataclass
class Fitted:
    """A trained network.

    Attributes
    ----------
    weights : ndarray (parameters,) of float32
        Of the last epoch.
    history : dict of list
        A value an epoch for each name of HISTORY.
    failed : str
        Why the network is of no use; empty when it is.
    """

    weights: np.ndarray
    history: dict[str, list[float]] = field(default_factory=lambda: {name: [] for name in HISTORY})
    failed: str = ""

    @property
    def epochs(self) -> int:
        """Epochs trained."""
        return len(self.history["test_loss"])


def scores(outputs: np.ndarray, labels: np.ndarray, architecture: Architecture) -> tuple[float, float, float, float]:
    """Loss, mean squared error, R^2 and accuracy of outputs against scaled labels.

    R^2 is the mean over the labels of 1 - (squared error / variance), labels that do not vary left out. The accuracy is the
    share of stars whose largest scaled label is the same in prediction and truth, which is what Keras reports under that name for several
    outputs; the paper does not say what its Figure 5 shows (B-15).
    """
    truth, n = np.asarray(labels, np.float64), architecture.labels
    found = np.asarray(outputs[:, :n], np.float64)
    squares = (found - truth) ** 2
    error = squares.mean()
    loss = error
    if architecture.loss == "nll":
        spread = np.asarray(outputs[:, n:], np.float64)
        with np.errstate(over="ignore", invalid="ignore"):
            loss = 0.5 * (np.exp(-spread) * squares + spread).mean()
    variance = truth.var(axis=0)
    varies = variance > 0
    r2 = np.mean(1 - squares.mean(axis=0)[varies] / variance[varies]) if varies.any() else np.nan
    same = np.mean(found.argmax(axis=1) == truth.argmax(axis=1))
    return float(loss), float(error), float(r2), float(same)


def fit(
    engine: Engine, train: Sample, test: Sample, architecture: Architecture, settings: Mapping, seed: int, network: int,
    progress: Callable[[int, float], None] | None = None,
) -> Fitted:
    """Train one network.

    Parameters
    ----------
    engine : Engine
        With the starting weights and the training sample.
    settings : mapping
        `epochs` (at most), `patience`, `batch` (`rave.fit` of the configuration).
    seed, network : int
        Order and dropout hang on these two only.
    progress : callable, optional
        Told the epoch and the test loss.

    Returns
    -------
    Fitted
        Failed when a loss is not finite, or when the network ends no better than a prediction of the training sample's
        mean labels for every test star.
    """
    n, batch = len(train.labels), int(settings["batch"])
    done = Fitted(engine.weights)
    useless = float(np.mean((test.labels.astype(np.float64) - train.labels.mean(axis=0, dtype=np.float64)) ** 2))
    best, waited, error = np.inf, 0, np.inf
    for epoch in range(1, int(settings["epochs"]) + 1):
        order = stream(seed, network, "order", epoch).permutation(n)
        keys = stream(seed, network, "dropout", epoch).integers(0, 2**32, -(-n // batch), np.uint32)
        loss = engine.epoch(order, keys)
        test_loss, error, r2, accuracy = scores(engine.outputs(test), test.labels, architecture)
        for name, value in zip(HISTORY, (loss, test_loss, r2, accuracy), strict=True):
            done.history[name].append(value)
        if progress:
            progress(epoch, test_loss)
        if not (np.isfinite(loss) and np.isfinite(test_loss)):
            done.failed = f"the loss is not finite in epoch {epoch}"
            break
        waited = 0 if test_loss < best else waited + 1
        best = min(best, test_loss)
        if waited >= int(settings["patience"]):
            break
    done.weights = engine.weights
    if not done.failed and not error < useless:
        done.failed = f"the last test error {error:.3g} is no better than that of the mean labels, {useless:.3g}"
    return done
