"""Where the networks are computed: the choice of the engine, what the log says of it, what fits a GPU, and what a job asks for."""

import logging
import os
import re
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest
import yaml
from paths import ROOT
from unit.rave.made_up_networks import SETTINGS, made_up, small

from starlabels import network_jax, network_jax_device, network_keras, network_numba
from starlabels.errors import InputError
from starlabels.network import Architecture, initial_weights
from starlabels.rave import engines
from starlabels.rave.gpus import ENGINES, gpus

pytest.importorskip("jax")
GIB = 2**30


def configured(engine, **changes):
    return {"fit": {**SETTINGS, "engine": engine, "backend": "tensorflow", **changes}}


def starts_of(a, networks):
    return np.stack([initial_weights(a, 1, k) for k in networks])


@pytest.fixture
def machine(monkeypatch, tmp_path):
    """A machine with or without a driver, in whose JAX there is a GPU or not."""

    real = network_jax_device.kernels()

    def make(driver=True, backend="gpu", stats=None, error=None, **environment):
        for name in ("CUDA_VISIBLE_DEVICES", "JAX_PLATFORMS"):
            monkeypatch.delenv(name, raising=False)
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(network_jax_device, "DRIVERS", (str(tmp_path if driver else tmp_path / "none"),))
        device = SimpleNamespace(device_kind="NVIDIA Test", memory_stats=lambda: stats)
        asked = []

        class Jax:
            errors = real.jax.errors

            def default_backend(self):
                return backend

            def devices(self):
                return [device]

        def kernels():
            asked.append(1)
            if error:
                raise InputError("rave.fit.engine", "is jax, which cannot be used", "Install it") from error
            return SimpleNamespace(jax=Jax(), LAYERS=real.LAYERS)

        monkeypatch.setattr(network_jax_device, "kernels", kernels)
        monkeypatch.setattr(network_jax, "kernels", kernels)
        return asked

    return make


# --- is there a GPU ---------------------------------------------------------------------------------------------------


def test_auto_takes_jax_where_jax_sees_a_gpu_and_numba_elsewhere(machine):
    a = Architecture()
    machine()
    assert engines.engine_of(configured("auto"), a) == "jax" and engines.backend_of(configured("auto"), "jax") == "NVIDIA Test"
    machine(backend="cpu")
    assert engines.engine_of(configured("auto"), a) == "numba" and engines.backend_of(configured("auto"), "numba") == "cpu"
    machine(driver=False)
    assert engines.engine_of(configured("auto"), a) == "numba"
    machine(error=ImportError("No module named 'jax'"))
    assert engines.engine_of(configured("auto"), a) == "numba"


@pytest.mark.parametrize(("given", "reason", "asked"), [
    ({}, "", True),
    ({"backend": "cpu"}, "JAX finds none", True),
    ({"error": ImportError("No module named 'jax'")}, "JAX cannot be used (No module named 'jax')", True),
    ({"driver": False}, "no NVIDIA driver", False),
    ({"CUDA_VISIBLE_DEVICES": ""}, "CUDA_VISIBLE_DEVICES is ''", False),
    ({"CUDA_VISIBLE_DEVICES": "-1"}, "CUDA_VISIBLE_DEVICES is '-1'", False),
    ({"CUDA_VISIBLE_DEVICES": "NoDevFiles"}, "CUDA_VISIBLE_DEVICES is 'NoDevFiles'", False),
    ({"CUDA_VISIBLE_DEVICES": "0"}, "", True),
    ({"JAX_PLATFORMS": "cpu"}, "JAX_PLATFORMS is cpu", False),
])  # fmt: skip
def test_the_reason_is_named_and_jax_is_imported_only_where_there_may_be_a_gpu(given, reason, asked, machine):
    calls = machine(**given)
    found = network_jax_device.no_gpu()
    assert reason in found and bool(found) == bool(reason) and network_jax.sees_gpu() == (not reason)
    assert bool(calls) == asked


@pytest.mark.parametrize(("given", "expected"), [
    ({}, True), ({"driver": False}, False), ({"driver": False, "CUDA_VISIBLE_DEVICES": "0"}, True),
    ({"CUDA_VISIBLE_DEVICES": ""}, False), ({"JAX_PLATFORMS": "cpu"}, False),
])  # fmt: skip
def test_a_gpu_is_expected_where_there_is_a_driver_or_the_scheduler_gave_one(given, expected, machine):
    machine(**given)
    assert network_jax_device.gpu_expected() == expected


def test_jax_is_loaded_modest_and_repeatable():
    """Memory on demand, fixed order of sums; what a user has set stays."""
    code = (
        "import os, sys; sys.path[:0] = ['workflow/scripts']\n"
        "from starlabels import network_jax_device as d; d.kernels()\n"
        "print(os.environ['XLA_PYTHON_CLIENT_PREALLOCATE'], os.environ['XLA_FLAGS'], os.environ.get('NPROC'))\n"
    )
    clean = {k: v for k, v in os.environ.items() if not k.startswith("XLA") and k != "NPROC"}
    runs = [
        subprocess.run([sys.executable, "-c", code], cwd=ROOT, env={**clean, **own}, stdout=subprocess.PIPE, text=True, check=True)
        for own in ({}, {"XLA_PYTHON_CLIENT_PREALLOCATE": "true", "XLA_FLAGS": "--xla_gpu_autotune_level=2", "NPROC": "3"})
    ]
    runs = [done.stdout.split() for done in runs]
    assert runs[0] == ["false", "--xla_gpu_deterministic_ops=true", "--xla_gpu_autotune_level=0", "None"]
    assert runs[1] == ["true", "--xla_gpu_autotune_level=2", "--xla_gpu_deterministic_ops=true", "3"]


# --- what the log says ------------------------------------------------------------------------------------------------


def said(caplog):
    return [(r.levelname, r.getMessage()) for r in caplog.records if r.name == engines.log.name]


@pytest.mark.parametrize(("engine", "given", "level", "text"), [
    ("auto", {"driver": False}, "DEBUG", "this machine has no NVIDIA driver"),
    ("auto", {"backend": "cpu"}, "WARNING", "JAX finds none that it can use"),
    ("auto", {"driver": False, "CUDA_VISIBLE_DEVICES": "0"}, "WARNING", "this machine has no NVIDIA driver"),
    ("numba", {"backend": "cpu"}, None, None),
])  # fmt: skip
def test_training_says_what_computes_and_why_no_gpu(engine, given, level, text, machine, caplog):
    machine(**given)
    a, caplog = small("photometry"), caplog
    caplog.set_level(logging.DEBUG, logger="starlabels")
    cfg = configured(engine, epochs=2)
    data = SimpleNamespace(train=made_up(40, a), test=made_up(20, a, 1))
    found = engines.train_networks(data, a, cfg["fit"], engines.engine_of(cfg, a), [0, 1], 1, 2, "main/photometry")
    assert [fitted.epochs for fitted, _ in found] == [2, 2]
    lines = said(caplog)
    assert ("INFO", "main/photometry: 2 networks trained by the engine numba on cpu") in lines
    warned = [line for line in lines if line[1].startswith("WARNING: no GPU computes the networks: ")]
    assert [(k, text in v) for k, v in warned] == ([(level, True)] if level else [])


@pytest.mark.parametrize(("engine", "driver", "level"), [
    ("auto", True, "WARNING"), ("auto", False, "DEBUG"), ("jax", True, "WARNING"), ("jax", False, "WARNING"), ("numba", True, None),
])  # fmt: skip
def test_prediction_without_a_gpu_is_numba_and_says_so(engine, driver, level, machine, caplog):
    machine(backend="cpu", driver=driver)
    a = small("both")
    sample, nets = made_up(30, a), starts_of(a, range(3))
    caplog.set_level(logging.DEBUG, logger="starlabels")
    mean, _ = engines.predict_networks(sample.flux, sample.inputs, nets, a, configured(engine), 1)
    assert np.array_equal(mean, network_numba.predict(sample.flux, sample.inputs, nets, a)[0])
    *warned, (_, last) = said(caplog)
    assert [k for k, text in warned if text.startswith("WARNING: no GPU")] == [k for k, _ in warned] == ([level] if level else [])
    assert last == "labels predicted by the engine numba on cpu"


def test_keras_takes_memory_of_a_gpu_only_as_it_needs_it(machine, monkeypatch):
    machine()
    monkeypatch.delenv("TF_FORCE_GPU_ALLOW_GROWTH", raising=False)
    monkeypatch.setattr(network_keras, "choose_backend", lambda name: told.append((name, engines.os.environ["TF_FORCE_GPU_ALLOW_GROWTH"])))
    monkeypatch.setattr(network_keras, "predict", lambda *given: "keras")
    told = []
    assert engines.predict_networks(None, None, None, small("both"), configured("keras"), 1) == "keras"
    assert told == [("tensorflow", "true")]


# --- what fits a GPU --------------------------------------------------------------------------------------------------


def stats(free, used=0):
    return {"bytes_limit": free + used, "bytes_in_use": used}


def test_on_the_processor_all_networks_are_trained_at_once(machine):
    machine(backend="cpu", stats=None)
    a = Architecture()
    assert network_jax_device.free_bytes() is None
    assert network_jax_device.networks_at_once(a, 16, 500) == 500 and network_jax_device.rows_at_once(a, 256, 256) == 256


def test_groups_of_networks_are_as_large_as_the_gpu_and_of_nearly_one_size(machine):
    a = Architecture()
    each = network_jax_device.training_bytes(a, 16)
    for free, networks, expected in (
        (80 * GIB, 100, 100), (60 * each, 100, 25), (62 * each, 100, 25), (80 * each, 100, 34), (0, 3, 1), (0, 0, 0)
    ):  # fmt: skip
        machine(stats=stats(free, 3 * GIB))
        assert network_jax_device.free_bytes() == free
        found = network_jax_device.networks_at_once(a, 16, networks)
        assert found == expected and (found <= 1 or found * each <= free / 2)


def test_rows_are_halved_until_they_fit(machine):
    a = Architecture()
    need = network_jax_device.forward_bytes(a, 4096)
    assert need < 4 * GIB
    for free, expected in ((80 * GIB, 4096), (2 * need, 4096), (2 * need - 1, 2048), (need // 2, 512), (0, 256)):
        machine(stats=stats(free))
        assert network_jax_device.rows_at_once(a, 4096, 256) == expected


@pytest.mark.parametrize("changes", [{}, {"pixels": 0}, {"filters": ()}, {"kernel": 50}])
def test_estimates_of_memory_hold_for_what_the_compiler_plans(changes):
    """From above, and not by orders of magnitude: what XLA itself plans for 8 networks, and for the outputs of 256 stars."""
    a, kernels, batch, networks, steps = Architecture(**changes), network_jax_device.kernels(), 16, 8, 4
    jax, shape = kernels.jax, kernels.jax.ShapeDtypeStruct
    f, u, i = np.float32, np.uint32, np.int32
    state = (shape((networks, a.parameters), f),) * 3
    sample = tuple(shape((64, n), f) for n in (a.pixels, a.inputs, a.labels))
    given = (shape((steps, networks, batch), i), shape((steps, networks), u), shape((steps, batch), f), shape((steps,), f), shape((), f))
    plan = kernels.train_epoch.lower(state, sample, *given, a).compile().memory_analysis()
    used = plan.temp_size_in_bytes + networks * a.parameters * 12
    assert 0.1 < used / (networks * network_jax_device.training_bytes(a, batch)) < 1
    with jax.enable_x64(True):
        stars = shape((256, a.pixels), f), shape((256, a.inputs), f)
        plan = kernels.moments.lower(shape((80, a.parameters), f), *stars, a).compile().memory_analysis()
    assert 0.1 < plan.temp_size_in_bytes / network_jax_device.forward_bytes(a, 256) < 1


def test_groups_of_networks_are_the_networks_trained_together(monkeypatch):
    """Only rounding may differ; the order of the networks stays."""
    a, networks, settings = small("both"), [4, 0, 7, 2, 9], {**SETTINGS, "epochs": 2}
    train, test = made_up(60, a), made_up(30, a, 1)
    whole = network_jax.train_many(a, starts_of(a, networks), train, test, settings, 1, networks)
    sizes, group = [], network_jax._train_group
    monkeypatch.setattr(network_jax, "networks_at_once", lambda *given: 2)
    monkeypatch.setattr(network_jax, "_train_group", lambda *given: (sizes.append(len(given[1])), group(*given))[1])
    parts = network_jax.train_many(a, starts_of(a, networks), train, test, settings, 1, networks)
    assert sizes == [2, 2, 1]
    for one, other in zip(parts, whole, strict=True):
        assert np.allclose(one.history["test_loss"], other.history["test_loss"], rtol=1e-5)
        assert np.abs(one.weights - other.weights).max() < 1e-5
    assert not np.allclose(whole[0].weights, whole[1].weights, atol=1e-3)


def test_a_full_gpu_is_one_clear_error(machine):
    machine()
    failure = network_jax_device.kernels().jax.errors.JaxRuntimeError
    with pytest.raises(InputError, match="NVIDIA Test has too little free memory for 40 networks.*--resources gpu=1.*batch_networks"):
        with network_jax_device.enough_memory("40 networks"):
            raise failure("RESOURCE_EXHAUSTED: Out of memory while trying to allocate 1 bytes.")
    with pytest.raises(failure, match="INTERNAL"):
        with network_jax_device.enough_memory("40 networks"):
            raise failure("INTERNAL: something else")


# --- what a job asks for ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("engine", "expected"), [("auto", 1), ("jax", 1), ("numba", 0), ("keras", 0)])
def test_jobs_ask_for_a_gpu_where_the_engine_may_use_one(engine, expected):
    cfg = yaml.safe_load((ROOT / "config/rave.yaml").read_text())["rave"]
    assert cfg["fit"]["engine"] == "auto" and gpus(cfg, "main") == 1
    cfg["fit"]["engine"] = engine
    cfg["variants"]["own"] = {"fit": {"engine": "keras"}}
    assert gpus(cfg, "main") == gpus(cfg, "nll") == expected and gpus(cfg, "own") == 0


def test_the_schema_knows_the_same_engines():
    text = (ROOT / "workflow/schemas/config.schema.yaml").read_text()
    found = [re.findall(r"\w+", names) for names in re.findall(r"engine: \{enum: \[(.*?)\]", text)]
    assert sorted(ENGINES) in [sorted(names) for names in found]


@pytest.mark.parametrize(("given", "flag"), [
    ({"gpu": 1}, " --gpus=1"), ({"gpu": 0}, ""), ({}, ""), ({"gpu": 1, "gpu_model": "h100"}, " --gpus=h100:1"),
])  # fmt: skip
def test_slurm_is_asked_for_a_gpu_by_a_number_above_zero(given, flag):
    slurm = pytest.importorskip("snakemake_executor_plugin_slurm")

    class Resources(dict):
        __getattr__ = dict.__getitem__

    assert slurm.set_gres_string(SimpleNamespace(resources=Resources(mem_mb=4000, **given))) == flag
