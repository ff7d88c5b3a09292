"""Where JAX computes: how it is loaded, whether it has a GPU, and what fits into the GPU's memory.

JAX is set up before it is imported: sums in one fixed order, no TF32, and memory taken only when it is needed, so that several jobs can
share a GPU. One GPU then gives the same bytes again; another kind of GPU, or the processor, gives the same but for float32 rounding.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from .errors import InputError
from .network import Architecture

DRIVERS = ("/dev/nvidiactl", "/dev/dxg")          # of Linux; of its subsystem on Windows
HIDDEN = ("", "-1", "NoDevFiles")          # values of CUDA_VISIBLE_DEVICES that hide every GPU; the last one is an older SLURM's
_FLAGS = ("--xla_gpu_deterministic_ops=true", "--xla_gpu_autotune_level=0")          # sums do not hang on which algorithm won a race
_SHARE = 0.5          # of the memory that is free, for what is estimated here; the rest is for what the compiler adds, and for other jobs


@cache
def kernels():
    """The JAX functions, with JAX made repeatable and modest in memory before it is imported.

    Raises
    ------
    InputError
        When JAX is not installed, or cannot use the device that it is told to use.
    """
    os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")          # jobs may share a GPU
    given = os.environ.get("XLA_FLAGS", "")
    os.environ["XLA_FLAGS"] = " ".join([given, *(flag for flag in _FLAGS if flag.split("=")[0] not in given)]).strip()
    threads = os.environ.get("NPROC")
    os.environ["NPROC"] = "1"          # threads of the processor, read once: sums must not hang on their number
    try:
        from . import network_jax_kernels

        network_jax_kernels.jax.devices()
    except (ImportError, RuntimeError) as error:
        found = f"is jax, which cannot be used ({error})"
        raise InputError("rave.fit.engine", found, "Install it (envs/gpu.yaml), or take auto") from error
    finally:
        del os.environ["NPROC"]
        if threads is not None:
            os.environ["NPROC"] = threads
    return network_jax_kernels


def no_gpu() -> str:
    """Why JAX does not compute on a GPU; empty where it does.

    JAX is imported only where there is a driver and the environment does not hide the GPU.
    """
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible in HIDDEN:
        return f"CUDA_VISIBLE_DEVICES is {visible!r} and hides it"
    if os.environ.get("JAX_PLATFORMS") == "cpu":
        return "JAX_PLATFORMS is cpu"
    if not any(Path(driver).exists() for driver in DRIVERS):
        return "this machine has no NVIDIA driver"
    try:
        platform = kernels().jax.default_backend()
    except InputError as error:
        return f"JAX cannot be used ({error.__cause__})"
    return "" if platform == "gpu" else "JAX finds none that it can use; docs/gpu.md says what it needs"


def sees_gpu() -> bool:
    """Whether JAX would compute on a GPU; see `no_gpu`."""
    return not no_gpu()


def gpu_expected() -> bool:
    """Whether a user would be surprised that no GPU computes: one was handed to this job, or there is a driver, and nothing hides it."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible in HIDDEN or os.environ.get("JAX_PLATFORMS") == "cpu":
        return False
    return visible is not None or any(Path(driver).exists() for driver in DRIVERS)


def device() -> str:
    """Name of the device that JAX computes on."""
    return kernels().jax.devices()[0].device_kind


def free_bytes() -> int | None:
    """Memory that JAX may still take on its GPU (XLA_PYTHON_CLIENT_MEM_FRACTION of it all, less what this job has); None: no GPU."""
    stats = kernels().jax.devices()[0].memory_stats()
    return max(stats["bytes_limit"] - stats.get("bytes_in_use", 0), 0) if stats and "bytes_limit" in stats else None


def forward_bytes(a: Architecture, rows: int) -> int:
    """Memory, from above, of one network's outputs for `rows` stars, with what must be there at the same time."""
    return 4 * (2 * a.parameters + rows * (_widest(a) + a.pixels + a.inputs + a.dense + a.photometric))


def training_bytes(a: Architecture, batch: int) -> int:
    """Memory, from above, of one network in training: weights, moments and gradient, and the values of all layers of a batch."""
    layers = 0 if not (a.pixels and a.filters) else a.pixels * (1 + _neighbours(a)) * sum(a.channels)
    return 4 * (8 * a.parameters + 3 * batch * (layers + a.pixels + a.features + a.dense + a.photometric + a.joined))


def _neighbours(a: Architecture) -> int:
    """Right neighbours of a block of pixels that the convolution of `network_jax_kernels` puts beside it."""
    return -(-(a.kernel - 1) // 16)


def _widest(a: Architecture) -> int:
    """Values of a star in the two largest neighbouring layers, the first one twice in blocks with their neighbours; 0: no convolution."""
    pairs = zip(a.channels[:-1], a.channels[1:], strict=True)
    return max((a.pixels * ((3 + 2 * _neighbours(a)) * c + o) for c, o in pairs), default=0)


def networks_at_once(a: Architecture, batch: int, networks: int) -> int:
    """How many of so many networks are trained together: all without a GPU, else as many as fit, in groups of nearly one size."""
    free = free_bytes()
    if free is None or networks < 2:
        return networks
    most = max(int(_SHARE * free // training_bytes(a, batch)), 1)
    return -(-networks // -(-networks // most))


def rows_at_once(a: Architecture, most: int, least: int) -> int:
    """How many stars are predicted together: `most`, halved until they fit into the GPU, but not below `least`."""
    free, rows = free_bytes(), most
    while free is not None and rows > least and forward_bytes(a, rows) > _SHARE * free:
        rows = max(rows // 2, least)
    return rows


@contextmanager
def enough_memory(what: str) -> Iterator[None]:
    """Turn a GPU whose memory is used up into a clear error.

    Raises
    ------
    InputError
        When the device has too little free memory for `what`.
    """
    try:
        yield
    except kernels().jax.errors.JaxRuntimeError as error:
        if "RESOURCE_EXHAUSTED" not in str(error):
            raise
        found = f"is jax, and {device()} has too little free memory for {what}"
        remedy = "Let fewer jobs share it (--resources gpu=1), lower rave.ensemble.batch_networks, or take numba"
        raise InputError("rave.fit.engine", found, remedy) from error
