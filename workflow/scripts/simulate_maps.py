"""Files of the simulated sky that belong to no shard: the dust maps and the Harris catalogue."""

from adapter import stage

with stage(snakemake):
    from starlabels.sky.simulate import run_simulate_sky_files

    config = {"seed": snakemake.params.seed, "sky": snakemake.params.sky, "cells": snakemake.params.cells}
    config["sages"] = {"bands": snakemake.params.bands}
    run_simulate_sky_files(config, dict(snakemake.output.items()))
