"""The cross-match against the simulated truth."""

from adapter import stage

with stage(snakemake):
    from starlabels.sages.crossmatch_truth import run_crossmatch_truth

    params = snakemake.params
    catalogs = {name: snakemake.input[name] for name in params.datasets}
    run_crossmatch_truth(
        params.cells,
        catalogs,
        list(snakemake.input.pairs),
        list(snakemake.input.truth),
        params.sages,
        params.nside,
        snakemake.output.summary,
        snakemake.output.table,
    )
