"""What the captions say of the ensembles: how many networks a value is the mean of."""

from collections.abc import Mapping

from ...io import read_json


def sentence(inputs: Mapping, first: str = "Mean over") -> str:
    """The kept and the trained networks of the inputs `networks` and, where a figure shows them too, `networks_alone`.

    Such as "Mean over 32 of 40 networks; spectra alone: 16 of 20."
    """
    text = f"{first} {kept(inputs['networks'])} networks"
    if "networks_alone" in inputs:
        text += f"; spectra alone: {kept(inputs['networks_alone'])}"
    return f"{text}."


def kept(ensemble) -> str:
    """Kept of trained networks, "32 of 40", of an ensemble.json."""
    content = read_json(ensemble)
    return f"{content['n_kept']} of {content['n_networks']}"
