"""Residuals against the reddening."""

from adapter import stage

with stage(snakemake):
    from starlabels.sages.validation.extinction import run_extinction
    from starlabels.sages.validation.truth import iter_truth

    out, params = snakemake.output, snakemake.params
    samples = dict(zip(params.sets, snakemake.input.samples, strict=True))
    predictions = {k: snakemake.input[f"set{k}"] for k in params.sets}
    truth = {k: iter_truth(paths, snakemake.input.truth) for k, paths in predictions.items()} if snakemake.input.truth else None
    run_extinction(
        predictions,
        list(snakemake.input.labels),
        samples,
        params.sages,
        params.simulated,
        out.summary,
        out.table,
        truth_frames=truth,
    )
