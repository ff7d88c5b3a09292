"""What the numbers were measured on."""

import importlib.metadata
import os
import platform
import re
import shutil
import subprocess
from pathlib import Path

LIBRARIES = (
    "numpy", "scipy", "numba", "scikit-learn", "scikit-learn-intelex", "keras", "tensorflow", "tensorflow-cpu", "jax", "astropy",
    "astropy-healpix", "pandas", "pyarrow",
)  # fmt: skip


def _cpu() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text()
        return re.search(r"model name\s*:\s*(.+)", text).group(1).strip()
    except (OSError, AttributeError):
        return platform.processor() or platform.machine()


def _system() -> str:
    try:
        return f"{platform.freedesktop_os_release()['PRETTY_NAME']}, {platform.system()} {platform.release()}"
    except (OSError, KeyError):
        return platform.platform()


def _output(*command: str) -> str:
    """What a program prints, or nothing when it is not there."""
    if shutil.which(command[0]) is None:
        return ""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


def describe() -> dict[str, str]:
    """Processor, cores, memory, system, load, graphics processor."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    gpu = _output("nvidia-smi", "--query-gpu=name,memory.total", "--format=csv,noheader").strip()
    return {
        "processor": _cpu(),
        "cores": str(os.cpu_count()),
        "memory": f"{memory:.0f} GiB",
        "system": _system(),
        "Python": platform.python_version(),
        "load before": f"{os.getloadavg()[0]:.1f}",
        "GPU": gpu or "none",
    }


def versions() -> dict[str, str]:
    """Versions of the libraries and programs that take part; "not installed" for those that are not there."""
    found = {}
    for name in LIBRARIES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            found[name] = "not installed"
    if found["tensorflow"] != "not installed" or found["tensorflow-cpu"] != "not installed":  # either of the two will do
        found = {n: v for n, v in found.items() if not (n.startswith("tensorflow") and v == "not installed")}
    stilts = re.search(r"STILTS version (\S+)", _output("stilts", "-version"))
    java = re.search(r'version "([^"]+)"', _output("java", "-version"))
    return found | {"STILTS": stilts.group(1) if stilts else "not installed", "Java": java.group(1) if java else "not installed"}
