"""Small networks and made-up samples, and the network once more in plain numpy: what the tests of the engines share."""

import numpy as np

from starlabels import network_kernels, network_numba
from starlabels.network import Architecture, Layer, unpack
from starlabels.network_fit import Sample, scores

SETTINGS = {"batch": 16, "learning_rate": 0.001, "epsilon": 1e-7, "epochs": 20, "patience": 40}
SMALL = {"pixels": 61, "kernel": 5, "dense": 8, "photometric": 7, "joined": 6, "inputs": 4, "labels": 3}
KINDS = {
    "both": {}, "spectra": {"inputs": 0}, "photometry": {"pixels": 0}, "no_convolution": {"filters": ()}, "kernel_10": {"kernel": 10},
    "nll": {"loss": "nll"}, "two_filters": {"filters": (4, 2)},
}


def small(kind: str, **changes) -> Architecture:
    return Architecture(**{**SMALL, **KINDS[kind], **changes})


class Deeper(Architecture):
    """A network with one more dense layer, which no fast engine computes."""

    @property
    def layers(self):
        found = super().layers
        return (*found[:-1], Layer("further", (self.joined, self.joined)), found[-1])


class Wider(Architecture):
    """A network in which the layer that joins the branches is a convolution of the same size."""

    @property
    def layers(self):
        return tuple(Layer(x.name, (1, *x.shape)) if x.name == "joined" else x for x in super().layers)


def made_up(n: int, a: Architecture, seed: int = 0) -> Sample:
    """Spectra and photometry that know their labels."""
    rng, law = np.random.default_rng(seed), np.random.default_rng(5)
    labels = rng.uniform(0, 1, (n, a.labels)).astype(np.float32)
    flux = 1 - 0.4 * labels @ law.uniform(0, 1, (a.labels, a.pixels)) + rng.normal(0, 0.01, (n, a.pixels))
    inputs = labels @ law.normal(0, 0.5, (a.labels, a.inputs)) + rng.normal(0, 0.01, (n, a.inputs))
    return Sample(flux.astype(np.float32), inputs.astype(np.float32), labels)


def forward(weights, flux, inputs, a: Architecture, dtype=np.float64, factors=None):
    """The network once more, in plain numpy."""
    layers = {k: (w.astype(dtype), b.astype(dtype)) for k, (w, b) in unpack(weights, a).items()}

    def dense(x, name, active=True):
        y = x @ layers[name][0] + layers[name][1]
        return np.where(y > 0, y, a.slope * y) if active else y

    branches = []
    if a.pixels:
        x = flux[:, :, None].astype(dtype)
        for k in range(1, len(a.filters) + 1):
            kernel, bias = layers[f"convolution_{k}"]
            windows = np.lib.stride_tricks.sliding_window_view(x, a.kernel, axis=1)          # rows, t, c, k
            x = np.einsum("ntck,kco->nto", windows, kernel) + bias
            x = np.where(x > 0, x, a.slope * x)
        x = x.reshape(len(x), -1)
        branches.append(dense(x if factors is None else x * factors, "dense"))
    if a.inputs:
        branches.append(dense(inputs.astype(dtype), "photometric"))
    return dense(dense(np.concatenate(branches, axis=1), "joined"), "labels", active=False)


def loss64(weights, sample, a, factors):
    out = forward(weights, sample.flux, sample.inputs, a, factors=factors)
    return scores(out, sample.labels, a)[0]


def numba_gradient(weights, sample, a, factors):
    """Loss and gradient by the kernels, in the order of the weight vector."""
    plan, at = network_numba.plan_of(a), network_numba.positions(a)
    n, found = len(sample.labels), np.zeros(a.parameters, np.float32)
    own = np.ascontiguousarray(factors.reshape(n, -1, a.channels[-1]).transpose(0, 2, 1)).reshape(n, -1) if a.pixels else factors
    space = network_kernels.workspace(plan, n)
    rows = np.arange(n)
    loss = network_kernels.gradient(weights[at], sample.flux, sample.inputs, sample.labels, rows, own, plan, found, *space)
    back = np.empty_like(found)
    back[at] = found
    return loss, back
