"""Where JAX has a GPU, the benchmarks of the networks show it: named, by the clock on the wall only, with as many networks as suit it."""

import numpy as np
import pytest

from benchmarks import ensemble_predict, ensemble_train
from benchmarks.contest import Setting
from benchmarks.rows import Measured
from starlabels import network_jax

LOSSES = np.full((2, 2, 6), 0.1)
MOMENTS = np.full((300, 9), 0.5), np.full((300, 9), 0.1)


@pytest.fixture
def rows(monkeypatch, tmp_path):
    """Rows of a benchmark, and the arguments of its contestants; nothing is computed."""

    def make(module, gpu):
        given = {}

        def contest(contestants, setting, rounds):
            given.update({name: c.arguments for name, c in contestants.items()})
            return {name: [Measured(MOMENTS, 2.0, 4.0, 100.0)] * rounds for name in contestants}

        monkeypatch.setattr(network_jax, "sees_gpu", lambda: gpu)
        monkeypatch.setattr(network_jax, "device", lambda: "NVIDIA Test")
        monkeypatch.setattr(module, "contest", contest)
        monkeypatch.setattr(ensemble_train, "once", lambda *given: LOSSES)
        return module.run(Setting("tiny", 2, tmp_path, lambda text: None)), given

    return make


@pytest.mark.parametrize("module", [ensemble_train, ensemble_predict])
@pytest.mark.parametrize("gpu", [True, False])
def test_rows_of_a_gpu(rows, module, gpu):
    found, given = rows(module, gpu)
    name = f"engine jax ({'GPU, NVIDIA Test' if gpu else 'CPU'})"
    assert {row.ours for row in found} == {"engine numba", name} and set(given) == {"numba", "jax", "keras"}
    units = {ours: [row.unit for row in found if row.ours == ours] for ours in ("engine numba", name)}
    assert ["processor time" in unit for unit in units["engine numba"]] == [True, False]
    assert ["processor time" in unit for unit in units[name]] == ([False] if gpu else [True, False])
    assert all(row.agreement.agrees for row in found) and all(row.floor is None for row in found if row.ours == name)
    assert [row.note != "" for row in found if row.ours == name] == ([True] if gpu else [True, False])


@pytest.mark.parametrize(("gpu", "networks"), [(True, 4), (False, 2)])
def test_a_gpu_trains_more_networks_at_once_and_the_time_is_of_each(rows, gpu, networks):
    found, given = rows(ensemble_train, gpu)
    assert given["jax"]["networks"] == networks == ensemble_train.SIZES["tiny"]["gpu_networks" if gpu else "jax_networks"]
    wall = next(row for row in found if row.ours.startswith("engine jax") and "wall" in row.unit)
    assert wall.ours_time == 2.0 / networks and wall.ratio == networks


def test_the_rate_in_the_note_is_of_the_clock_that_is_shown(rows):
    for gpu, text in ((True, "300 against 300 spectra (times networks) a s"), (False, "150 against 150 spectra (times networks) a core-s")):
        found, _ = rows(ensemble_predict, gpu)
        assert next(row.note for row in found if row.ours.startswith("engine jax")).startswith(text)
