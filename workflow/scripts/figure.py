"""One figure: PDF, PNG and the numbers drawn."""

from adapter import stage

with stage(snakemake):
    from starlabels.figures.make import make_figure

    out, params = snakemake.output, snakemake.params
    inputs = {name: snakemake.input[name] for name in params.entry["inputs"]}
    outputs = {"pdf": out.pdf, "png": out.png, "numbers": out.numbers}
    make_figure(snakemake.wildcards.figure, inputs, params.cfg, params.entry, params.simulated, outputs)
