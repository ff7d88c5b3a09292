"""Labels of the stars of one cell."""

from adapter import stage

with stage(snakemake):
    from starlabels.sages.models import run_predict

    models = {name: snakemake.input[name] for name in snakemake.params.sages["models"]}
    run_predict(
        snakemake.input.features, models, snakemake.params.sages, int(snakemake.wildcards.k), snakemake.threads, snakemake.output[0]
    )
