"""Which engines there are, and how many GPUs a job asks for. Read where jobs are planned, so it imports no engine."""

from collections.abc import Mapping

from .variants import merged

#: Values of `rave.fit.engine`.
ENGINES = ("auto", "numba", "keras", "jax")
#: Those that compute on a GPU where there is one.
ON_GPU = ("auto", "jax")


def gpus(cfg: Mapping, variant: str) -> int:
    """GPUs that a job of a variant's networks asks for, 1 or 0; without one it computes on the processor.

    Parameters
    ----------
    cfg : mapping
        The `rave` part of the configuration.
    variant : str
        A key of `rave.variants`; it may have an engine of its own.

    Raises
    ------
    InputError
        As `variants.merged`.
    """
    return int(merged(cfg, variant)["fit"]["engine"] in ON_GPU)
