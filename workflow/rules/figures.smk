# Every figure and table of the papers, as config/figures.yaml lists them.

FIGURE_SETTINGS = ("bands", "data_sets", "cuts", "classes", "samples", "forest", "models", "validation", "clusters", "cool_mask", "published")


def figure_inputs(wildcards):
    """Paths of a figure's inputs: files under the paper's results, one a data set or one a cell where the entry says so."""
    name = wildcards.get("figure") or wildcards.get("table")
    entry = PLAN.figure(wildcards.paper, name)
    return {key: PLAN.result_files(wildcards.paper, path) for key, path in entry["inputs"].items()}


def figure_code(wildcards):
    name = wildcards.get("figure") or wildcards.get("table")
    script = "figure.py" if wildcards.get("figure") else "table.py"
    return code(script, f"starlabels.figures.{wildcards.paper}.{name}")


wildcard_constraints:
    figure="fig[0-9x][a-z0-9_]*",
    table="table[0-9]+_[a-z0-9_]+",


rule rulegraph:
    input:
        rules=["Snakefile" if workflow.basedir == "." else workflow.snakefile],
        code=code("rulegraph.py"),
    output:
        f"{SAGES}/rulegraph.dot",
    params:
        snakefile=workflow.main_snakefile,
        configfiles=[str(path) for path in workflow.overwrite_configfiles or []],
    log:
        f"{RESULTS}/logs/rulegraph.log",
    benchmark:
        f"{RESULTS}/benchmarks/rulegraph/all.tsv"
    conda:
        ENV
    script:
        "../scripts/rulegraph.py"


rule figure:
    input:
        unpack(figure_inputs),
        code=figure_code,
    output:
        pdf=f"{FIGURES}/{{paper}}/{{figure}}.pdf",
        png=f"{FIGURES}/{{paper}}/{{figure}}.png",
        numbers=f"{FIGURES}/{{paper}}/{{figure}}.csv",
    params:
        entry=lambda wildcards: PLAN.figure(wildcards.paper, wildcards.figure),
        cfg=settings(*FIGURE_SETTINGS),
        simulated=SIMULATED,
    log:
        f"{RESULTS}/logs/figure/{{paper}}_{{figure}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/figure/{{paper}}_{{figure}}.tsv"
    conda:
        ENV
    script:
        "../scripts/figure.py"


rule table:
    input:
        unpack(figure_inputs),
        code=figure_code,
    output:
        tex=f"{FIGURES}/{{paper}}/{{table}}.tex",
        csv=f"{FIGURES}/{{paper}}/{{table}}.csv",
    params:
        entry=lambda wildcards: PLAN.figure(wildcards.paper, wildcards.table),
        cfg=settings(*FIGURE_SETTINGS),
        simulated=SIMULATED,
    log:
        f"{RESULTS}/logs/table/{{paper}}_{{table}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/table/{{paper}}_{{table}}.tsv"
    conda:
        ENV
    script:
        "../scripts/table.py"
