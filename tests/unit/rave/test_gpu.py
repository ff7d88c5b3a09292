"""The JAX engine on a GPU against the processor. Each test runs on the processor too, so that what it asks is known to hold there."""

import subprocess
import sys
from functools import partial

import numpy as np
import pytest
from paths import ROOT
from unit.rave.made_up_networks import SETTINGS, made_up, numba_gradient, small

from starlabels import network_jax, network_jax_device, network_numba
from starlabels.network import Architecture, initial_weights
from starlabels.rave import engines

pytest.importorskip("jax")
NO_GPU = network_jax_device.no_gpu()
DEVICES = ["cpu", pytest.param("gpu", marks=pytest.mark.skipif(bool(NO_GPU), reason=f"no GPU: {NO_GPU}"))]
only_gpu = pytest.mark.skipif(bool(NO_GPU), reason=f"no GPU: {NO_GPU}")
CLOSE = 1e-5          # of outputs that lie between 0 and 1


@pytest.fixture(params=DEVICES)
def device(request):
    """JAX computes on the processor, or on the GPU."""
    jax = network_jax_device.kernels().jax
    with jax.default_device(jax.devices(request.param)[0]):
        yield request.param


def starts_of(a, networks):
    return np.stack([initial_weights(a, 1, k) for k in networks])


def test_what_is_computed_lies_on_the_device(device):
    jax = network_jax_device.kernels().jax
    assert {d.platform for d in jax.device_put(np.ones(3, np.float32)).devices()} == {device}


@pytest.mark.parametrize("kind", ["published", "both", "spectra", "photometry", "nll", "no_convolution"])
def test_the_gradient_is_that_of_numba(device, kind):
    """TF32 would miss by 1e-3."""
    a = Architecture() if kind == "published" else small(kind)
    sample, weights, kernels = made_up(16, a), initial_weights(a, 2, 1), network_jax_device.kernels()
    call = kernels.jax.jit(partial(kernels.gradient, a=a))
    loss, found = call(weights, sample.flux, sample.inputs, sample.labels, np.full(16, 1 / 16, np.float32), np.uint32(7))
    expected_loss, expected = numba_gradient(weights, sample, a, network_numba.dropout_factors(7, 16, a))
    assert abs(float(loss) - expected_loss) < 2e-6 * abs(expected_loss)
    assert np.abs(np.asarray(found) - expected).max() < 1e-5 * np.abs(expected).max()


def test_dropout_is_the_same_to_the_bit(device):
    a = Architecture()
    found = network_jax_device.kernels().dropout_factors(np.uint32(2**31 + 17), 16, a)
    assert np.array_equal(np.asarray(found), network_numba.dropout_factors(2**31 + 17, 16, a))


def test_some_steps_of_training_agree_with_numba(device):
    a, networks, settings = small("both"), [0, 3, 5], {**SETTINGS, "epochs": 2}
    train, test = made_up(25 * 16 - 5, a), made_up(30, a, 1)
    starts = starts_of(a, networks)
    found = network_jax.train_many(a, starts, train, test, settings, 1, networks)
    for k, start, one in zip(networks, starts, found, strict=True):
        other = engines.fit(network_numba.NumbaEngine(a, start, train, settings), train, test, a, settings, 1, k)
        assert np.abs(one.weights - other.weights).max() < 2e-4 < 0.1 * np.abs(other.weights - start).max()
        assert np.allclose(one.history["test_loss"], other.history["test_loss"], rtol=1e-4)


@pytest.mark.parametrize("networks", [1, 8])
def test_predictions_agree_with_numba(device, networks):
    a = Architecture()
    sample, nets = made_up(700, a), starts_of(a, range(networks))
    found, expected = (engine.predict(sample.flux, sample.inputs, nets, a) for engine in (network_jax, network_numba))
    assert all(np.abs(x - y).max() < CLOSE for x, y in zip(found, expected, strict=True))
    assert np.median(expected[1]) > 100 * CLOSE or networks == 1


def test_the_same_bytes_again(device):
    a, networks, settings = small("both"), [0, 1, 2, 3], {**SETTINGS, "epochs": 3}
    train, test = made_up(100, a), made_up(40, a, 1)
    one, other = (network_jax.train_many(a, starts_of(a, networks), train, test, settings, 1, networks) for _ in range(2))
    assert [f.weights.tobytes() for f in one] == [f.weights.tobytes() for f in other]


# --- what only a GPU can show -----------------------------------------------------------------------------------------


@only_gpu
def test_auto_takes_the_gpu():
    cfg = {"fit": {**SETTINGS, "engine": "auto", "backend": "tensorflow"}}
    assert engines.engine_of(cfg, Architecture()) == "jax" and engines.backend_of(cfg, "jax") != "cpu"
    assert network_jax_device.free_bytes() > 0


SHARED = """
import sys
sys.path[:0] = ["workflow/scripts", "tests"]
import numpy as np
from starlabels import network_jax, network_jax_device
from starlabels.network import Architecture, initial_weights
from unit.rave.made_up_networks import made_up
a = Architecture()
sample, nets = made_up(5000, a), np.stack([initial_weights(a, 1, k) for k in range(4)])
print("up", flush=True)
sys.stdin.readline()
mean, _ = network_jax.predict(sample.flux, sample.inputs, nets, a)
print(network_jax_device.kernels().jax.default_backend(), float(mean.sum()), flush=True)
sys.stdin.readline()
"""


@only_gpu
def test_three_jobs_share_a_gpu():
    """All three hold the GPU at the same time: memory is not taken beforehand."""
    start = partial(subprocess.Popen, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    jobs = [start([sys.executable, "-c", SHARED]) for _ in range(3)]
    try:
        assert [job.stdout.readline() for job in jobs] == ["up\n"] * 3
        for job in jobs:
            job.stdin.write("go\n")
            job.stdin.flush()
        found = {job.stdout.readline() for job in jobs}
        assert len(found) == 1 and found.pop().startswith("gpu ")
    finally:
        for job in jobs:
            job.communicate("end\n", timeout=60)
    assert [job.returncode for job in jobs] == [0, 0, 0]
