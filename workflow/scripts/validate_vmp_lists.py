"""Sizes and metallicities of the lists of very metal-poor stars (Section 2.2)."""

from adapter import stage

with stage(snakemake):
    from starlabels.sages.validation.cmd import run_vmp_lists

    lists = {name: snakemake.input[name] for name in snakemake.params.lists}
    run_vmp_lists(lists, snakemake.params.simulated, snakemake.output[0])
