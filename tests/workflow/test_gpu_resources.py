"""What the jobs of the networks ask for: a GPU where their engine may use one, and none where that is taken back."""

import re

import pytest

RULES = ("train_cnn", "predict_cnn", "predict_cnn_training")


@pytest.fixture(scope="module")
def project(new_project):
    return new_project("gpu")


def asked(project, *args, **options):
    """{rule: set of numbers of GPUs} of the jobs that a dry-run shows; rules that name none are left out."""
    text = project.run("rave", "-n", "-F", *args, **options).stdout
    found = {}
    for name, body in re.findall(r"^(?:local)?rule (\w+):\n((?:    .*\n)+)", text, re.M):
        for number in re.findall(r"\bgpu=(\d+)", body):
            found.setdefault(name, set()).add(int(number))
    return found


def test_by_default_the_networks_ask_for_one_and_nothing_else_does(project):
    assert asked(project) == {rule: {1} for rule in RULES}


@pytest.mark.parametrize(("engine", "expected"), [("numba", 0), ("keras", 0), ("jax", 1)])
def test_it_hangs_on_the_engine(project, engine, expected):
    own = project.override("engine.yaml", rave={"fit": {"engine": engine}})
    assert asked(project, configfile=["tiny.yaml", own]) == {rule: {expected} for rule in RULES}


def test_it_can_be_taken_back_from_the_command_line(project):
    none = {rule: {0} for rule in RULES}
    assert asked(project, "--set-resources", *(f"{rule}:gpu=0" for rule in RULES)) == none
    assert asked(project, "--resources", "gpu=0") == none
