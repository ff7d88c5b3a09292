"""The authors' public training sample in the form of our own."""

from adapter import stage

with stage(snakemake):
    from starlabels.rave.public_sample import run_public_sample

    given, params = snakemake.input, snakemake.params
    outputs = dict(snakemake.output.items())
    image = next(iter(given.image), None)      # a list of one file, or of none
    run_public_sample(given.labels, given.parameters, params.rave, params.seed, outputs, image)
