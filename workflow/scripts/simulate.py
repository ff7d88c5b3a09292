"""Native files of one shard of the simulated sky, with its truth."""

from adapter import stage

with stage(snakemake):
    from starlabels.sky.simulate import run_simulate

    config = {"seed": snakemake.params.seed, "sky": snakemake.params.sky, "cells": snakemake.params.cells}
    config["sages"] = {"bands": snakemake.params.bands}
    run_simulate(snakemake.wildcards.shard, config, dict(snakemake.output.items()))
