"""Sizes of the samples, shares of stars, and the flow of the cuts."""

from adapter import stage

with stage(snakemake):
    from starlabels.rave.validation.counts import run_counts

    given, params = snakemake.input, snakemake.params
    run_counts(
        list(given.stars), given.training, list(given.flows), given.selection, given.ensemble, list(given.obsdata), list(given.apogee),
        params.rave, params.simulated, snakemake.output.summary, summary_paths=list(given.get("summaries", [])),
        benchmark_paths=list(given.get("benchmarks", [])), networks_timed=params.get("networks_timed"),
    )
