"""Native tables and spectra of one shard of the simulated RAVE survey, with their truth."""

from adapter import stage

with stage(snakemake):
    from starlabels.sky.rave.simulate import run_simulate_rave

    config = {"seed": snakemake.params.seed, "sky": snakemake.params.sky, "sages": {"bands": snakemake.params.bands}}
    run_simulate_rave(snakemake.wildcards.shard, config, dict(snakemake.output.items()))
