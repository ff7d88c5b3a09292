"""The conda files, the image's definition, the locks and their sources name the same packages and versions. Nothing is built here."""

import re
import subprocess

import pytest
import yaml
from paths import ROOT

LOCKS = ["requirements", "requirements-gpu"]
ENVIRONMENTS = ["cpu", "gpu"]
#: Sections of an Apptainer definition that the image uses; any other is a misspelt one.
SECTIONS = {"arguments", "files", "post", "environment", "test", "runscript", "labels", "help"}


def text_of(name):
    return (ROOT / "envs" / name).read_text()


def pins(text):
    return dict(re.findall(r"^([a-z0-9-]+)==([^ ;\\]+)", text, re.M))


def _direct(root):
    lines = (root / "envs/requirements.in").read_text().splitlines()
    return {re.split(r"[;\s]", line)[0] for line in lines if line and not line.startswith("#")}


@pytest.fixture
def locked():
    return pins(text_of("requirements.txt"))


@pytest.fixture
def locked_gpu():
    return pins(text_of("requirements-gpu.txt"))


@pytest.mark.parametrize(("lock", "least"), [("requirements", 50), ("requirements-gpu", 10)])
def test_every_pin_has_hashes_and_no_address(lock, least):
    text = text_of(f"{lock}.txt")
    entries = re.split(r"\n(?=[a-z0-9])", text.strip())
    assert len(pins(text)) > least          # a package may have two versions, for two Pythons
    assert all(re.match(r"[a-z0-9-]+==", entry) and re.search(r"--hash=sha256:[0-9a-f]{64}", entry) for entry in entries)
    assert "http" not in text and "index-url" not in text


def test_lock_covers_what_is_asked_for(root, locked):
    assert _direct(root) <= set(locked)


# --- JAX on a GPU -----------------------------------------------------------------------------------------------------


def test_the_lock_of_the_gpu_adds_to_the_other_and_changes_nothing(locked, locked_gpu):
    assert not set(locked) & set(locked_gpu)
    assert {"jax-cuda12-plugin", "jax-cuda12-pjrt"} <= set(locked_gpu) and all(re.match("jax-cuda12-|nvidia-", name) for name in locked_gpu)


def test_the_plugins_of_jax_are_of_its_version(locked, locked_gpu):
    asked = re.search(r"^jax-cuda12-plugin\[with-cuda\]==([\d.]+)", text_of("requirements-gpu.in"), re.M)
    versions = {asked.group(1), locked["jax"], locked["jaxlib"], locked_gpu["jax-cuda12-plugin"], locked_gpu["jax-cuda12-pjrt"]}
    assert len(versions) == 1


def test_the_page_of_the_gpu_names_files_versions_and_rules_that_there_are(root, locked):
    page = (root / "docs/gpu.md").read_text()
    named = set(re.findall(r"(?:envs|tests|config)/[\w./-]+\w", page))
    assert len(named) > 5 and not [name for name in named if not (root / name).is_file()]
    assert set(re.findall(r"jax\[cuda12\]==([\d.]+\d)", page)) == {locked["jax"]}
    rules = "".join(path.read_text() for path in (root / "workflow/rules").glob("*.smk"))
    asking = re.findall(r"(\w+):gpu=0", page)
    assert sorted(asking) == sorted(re.findall(r"^rule (\w+):\n(?:(?: .*)?\n)*? +gpu=", rules, re.M)) and len(asking) == 3


# --- conda ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_conda_files_pin_the_same_versions(name, root, locked, locked_gpu):
    spec = yaml.safe_load(text_of(f"{name}.yaml"))
    assert spec["name"] == f"starlabels-{name}" and spec["channels"] == ["conda-forge", "nodefaults"]
    entries = next(d["pip"] for d in spec["dependencies"] if isinstance(d, dict))
    found = {}
    for entry in entries:
        package, extra, version = re.fullmatch(r"([a-z0-9-]+)(\[[a-z0-9-]+\])?==([^ ;]+)(?: ;.*)?", entry).groups()
        assert package not in found and extra == ("[cuda12]" if (name, package) == ("gpu", "jax") else None)
        found[package] = version
    every = {**locked, **locked_gpu}
    assert found == {package: every[package] for package in found}
    # Keras computes on the processor: its jobs ask for no GPU
    direct = {p for p in _direct(root) if not p.startswith("tensorflow")} | {"tensorflow-cpu"}
    assert set(found) == direct | (set(locked_gpu) if name == "gpu" else set())


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_conda_files_have_the_python_of_the_locks(name, root):
    python = [d for d in yaml.safe_load(text_of(f"{name}.yaml"))["dependencies"] if isinstance(d, str) and d.startswith("python")]
    target = re.search(r'target-version = "py(\d)(\d+)"', (root / "pyproject.toml").read_text()).groups()
    assert python == [f"python ={'.'.join(target)}"]


# --- Apptainer --------------------------------------------------------------------------------------------------------


@pytest.fixture
def definition():
    """Header and sections of the image's definition: {name: lines}."""
    found, section = {"": []}, ""
    for line in text_of("starlabels.def").splitlines():
        if line.startswith("#"):
            continue
        if line.startswith("%"):
            section = line[1:].strip()
            assert section not in found
            found[section] = []
        elif line.strip():
            found[section].append(line.strip())
    return found


def test_the_definition_has_a_header_and_known_sections(definition):
    header = dict(line.split(": ") for line in definition.pop(""))
    assert header["Bootstrap"] == "docker" and re.fullmatch(r"python:3\.11-slim-\w+", header["From"])
    assert set(definition) == SECTIONS and all(definition.values())


def test_the_image_installs_the_locks_with_their_hashes(definition, root):
    copied = dict(line.split() for line in definition["files"])
    assert sorted(copied) == sorted(f"envs/{lock}.txt" for lock in LOCKS) and all((root / name).is_file() for name in copied)
    installs = [line for line in definition["post"] if "pip install" in line]
    assert [line.split()[-1] for line in installs] == [copied["envs/requirements.txt"], copied["envs/requirements-gpu.txt"]]
    assert all("--no-deps --require-hashes -r" in line for line in installs)


def test_the_gpu_is_a_build_argument_and_off_unless_asked_for(definition):
    assert definition["arguments"] == ["gpu=no"]
    used = {name for lines in definition.values() for line in lines for name in re.findall(r"\{\{ *(\w+) *\}\}", line)}
    assert used == {"gpu"}


@pytest.mark.parametrize(("gpu", "files"), [("no", ["requirements"]), ("yes", ["requirements", "requirements-gpu"])])
def test_the_build_script_installs_what_the_argument_says(definition, gpu, files):
    """Run by a shell in which `python` only prints what it was told."""
    script = "python() { echo \"$@\"; }\n" + "\n".join(definition["post"]).replace("{{ gpu }}", gpu)
    done = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True)
    assert re.findall(r"-r /opt/starlabels/([\w-]+)\.txt$", done.stdout, re.M) == files


@pytest.mark.parametrize("section", ["environment", "test", "runscript"])
def test_the_scripts_of_the_image_are_shell(definition, section):
    done = subprocess.run(["sh", "-n", "-c", "\n".join(definition[section])], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_what_the_image_tests_is_in_the_lock(definition, root, locked):
    imported = re.search(r"import ([\w, ]+)", " ".join(definition["test"])).group(1).split(", ")
    assert {{"sklearn": "scikit-learn"}.get(name, name) for name in imported} <= set(locked) and len(imported) > 5
