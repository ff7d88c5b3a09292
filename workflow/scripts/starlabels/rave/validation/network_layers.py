"""The layers of the network as Keras builds it: names, shapes, numbers of parameters, connections (Section 3.1; Figure 3)."""

from collections.abc import Iterator, Mapping

from ...errors import InputError
from ...io import write_json
from ...network import of_configuration
from ...network_keras import build, choose_backend

# what a box states beyond its shape: kind of layer -> (key of its Keras configuration, words)
SETTINGS = {
    "Conv1D": (("filters", "{} filters"), ("kernel_size", "kernel {}"), ("padding", "{}")),
    "Dense": (("units", "{} neurons"),),
    "Dropout": (("rate", "rate {:g}"),),
    "LeakyReLU": (("negative_slope", "slope {:g}"),),
}
PAPER = {"n_pixels": 912, "parameters": 58549}


def layers_of(model) -> list[dict]:
    """One entry a layer of a functional Keras model, in the model's order.

    Returns
    -------
    list of dict
        name; kind (class of the layer); settings (text); output_shape (without the batch axis); parameters; inputs (names of the
        layers that it reads).
    """
    entries = {entry["name"]: entry for entry in model.get_config()["layers"]}
    found = []
    for layer in model.layers:
        entry = entries[layer.name]
        found.append({
            "name": layer.name, "kind": entry["class_name"], "settings": settings_text(entry["class_name"], entry["config"]),
            "output_shape": [int(n) for n in layer.output.shape[1:]], "parameters": int(layer.count_params()),
            "inputs": list(dict.fromkeys(_sources(entry["inbound_nodes"]))),
        })
    return found


def settings_text(kind: str, config: Mapping) -> str:
    """The settings of a layer in words; nothing for a layer without any."""
    words = []
    for key, form in SETTINGS.get(kind, ()):
        if config.get(key) is not None:
            value = config[key]
            words.append(form.format(value[0] if isinstance(value, (list, tuple)) else value))
    activation = config.get("activation")
    if isinstance(activation, str) and activation not in ("linear", ""):
        words.append(activation.replace("_", " "))
    return ", ".join(words)


def _sources(node) -> Iterator[str]:
    """Names of the layers whose outputs appear anywhere in Keras's description of a layer's inputs."""
    if isinstance(node, Mapping):
        if "keras_history" in node:
            yield node["keras_history"][0]
        else:
            for value in node.values():
                yield from _sources(value)
    elif isinstance(node, (list, tuple)):
        for value in node:
            yield from _sources(value)


def summary_of(model, cfg: Mapping, simulated: bool) -> dict:
    """The layers, their number of parameters in all, and how the network is trained.

    Raises
    ------
    InputError
        When the model is not made of connected layers.
    """
    layers = layers_of(model)
    names = {layer["name"] for layer in layers}
    loose = [layer["name"] for layer in layers if layer["kind"] != "InputLayer" and not set(layer["inputs"]) & names]
    if loose:
        raise InputError(f"network, layer {loose[0]}", "is connected to no other layer", "Check rave.network")
    inputs = {layer["name"]: layer["output_shape"] for layer in layers if layer["kind"] == "InputLayer"}
    pixels, parameters = max((shape[0] for shape in inputs.values()), default=0), int(model.count_params())
    claim = {
        "value": {"n_pixels": pixels, "parameters": parameters}, "paper": PAPER,
        "what": "pixels of a spectrum and parameters of the network, counted on the built model",
    }
    return {
        "parameters": parameters, "inputs": inputs, "layers": layers,
        "training": {"loss": cfg["network"]["loss"], "batch": cfg["fit"]["batch"], "learning_rate": cfg["fit"]["learning_rate"]},
        "claims": {"rave.network": claim}, "simulated": bool(simulated),
    }


def run_network_layers(cfg: Mapping, simulated: bool, out_json, network: str = "photometry") -> dict:
    """Build the network of a configuration and describe it for Figure 3.

    Parameters
    ----------
    cfg : mapping
        The paper's configuration (`spectra`, `inputs`, `labels`, `network`, `fit`).
    out_json : path
        The entries of `summary_of`.
    network : str
        One of `network.NETWORKS`; the published one has both branches.
    """
    choose_backend(cfg["fit"]["backend"])
    content = summary_of(build(of_configuration(cfg, network)), cfg, simulated)
    write_json(out_json, content)
    return content
