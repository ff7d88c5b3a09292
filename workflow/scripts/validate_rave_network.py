"""Layers of the network as Keras builds it (Figure 3)."""

from adapter import stage

with stage(snakemake):
    from starlabels.rave.validation.network_layers import run_network_layers

    params = snakemake.params
    run_network_layers(params.rave, params.simulated, snakemake.output.summary)
