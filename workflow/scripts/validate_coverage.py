"""How often labels and the truth lie within the errors of this work."""

from adapter import stage

with stage(snakemake):
    from starlabels.sages.validation.coverage import run_coverage
    from starlabels.sages.validation.truth import iter_truth

    out, params = snakemake.output, snakemake.params
    samples = dict(zip(params.sets, snakemake.input.samples, strict=True))
    predictions = {k: snakemake.input[f"set{k}"] for k in params.sets}
    truth = {k: iter_truth(paths, snakemake.input.truth) for k, paths in predictions.items()} if snakemake.input.truth else None
    run_coverage(samples, predictions, params.sages, params.simulated, out.summary, out.table, truth_frames=truth)
