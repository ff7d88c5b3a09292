"""The conda files, the lock and its source name the same packages and versions."""

import re

import pytest
import yaml


@pytest.fixture
def locked(root):
    text = (root / "envs/requirements.txt").read_text()
    return dict(re.findall(r"^([a-z0-9-]+)==([^ ;\\]+)", text, re.M)), text


def _direct(root):
    lines = (root / "envs/requirements.in").read_text().splitlines()
    return {re.split(r"[;\s]", line)[0] for line in lines if line and not line.startswith("#")}


def test_every_pin_has_hashes_and_no_address(locked):
    pins, text = locked
    assert len(re.findall(r"--hash=sha256:[0-9a-f]{64}", text)) >= len(pins) > 50
    assert "http" not in text and "index-url" not in text


def test_lock_covers_what_is_asked_for(root, locked):
    assert _direct(root) <= set(locked[0])


@pytest.mark.parametrize("name", ["cpu", "gpu"])
def test_conda_files_pin_the_same_versions(root, locked, name):
    spec = yaml.safe_load((root / f"envs/{name}.yaml").read_text())
    entries = next(d["pip"] for d in spec["dependencies"] if isinstance(d, dict))
    found = {}
    for entry in entries:
        package, version = re.fullmatch(r"([a-z0-9-]+)(?:\[[a-z0-9-]+\])?==([^ ;]+)(?: ;.*)?", entry).groups()
        found[package] = version
    assert found == {package: locked[0][package] for package in found}
    tensorflow = {"cpu": "tensorflow-cpu", "gpu": "tensorflow"}[name]
    assert set(found) == {p for p in _direct(root) if not p.startswith("tensorflow")} | {tensorflow}
