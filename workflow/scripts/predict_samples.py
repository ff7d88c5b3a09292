"""Labels of the training (out-of-bag) and test stars."""

from adapter import stage

with stage(snakemake):
    from starlabels.sages.models import run_predict_samples

    models = {name: snakemake.input[name] for name in snakemake.params.sages["models"]}
    run_predict_samples(
        snakemake.input.sample, models, snakemake.params.sages, int(snakemake.wildcards.k), snakemake.threads, snakemake.output[0]
    )
