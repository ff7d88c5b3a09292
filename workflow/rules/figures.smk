# Every figure and table of the papers, as config/figures.yaml lists them.


RULE_FILES = sorted(glob.glob(f"{workflow.basedir}/workflow/rules/*.smk"))


wildcard_constraints:
    figure="fig[0-9xA][a-z0-9_]*",
    table="table[0-9]+_[a-z0-9_]+",


rule rulegraph:
    input:
        rules=RULE_FILES,
        code=code("rulegraph.py"),
    output:
        f"{SAGES}/rulegraph.dot",
    log:
        f"{RESULTS}/logs/rulegraph.log",
    benchmark:
        f"{RESULTS}/benchmarks/rulegraph/all.tsv"
    conda:
        ENV
    params:
        snakefile=workflow.main_snakefile,
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
    log:
        f"{RESULTS}/logs/figure/{{paper}}_{{figure}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/figure/{{paper}}_{{figure}}.tsv"
    conda:
        ENV
    params:
        entry=figure_entry,
        cfg=figure_settings,
        simulated=SIMULATED,
    script:
        "../scripts/figure.py"


rule table:
    input:
        unpack(figure_inputs),
        code=figure_code,
    output:
        tex=f"{FIGURES}/{{paper}}/{{table}}.tex",
        csv=f"{FIGURES}/{{paper}}/{{table}}.csv",
    log:
        f"{RESULTS}/logs/table/{{paper}}_{{table}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/table/{{paper}}_{{table}}.tsv"
    conda:
        ENV
    params:
        entry=figure_entry,
        cfg=figure_settings,
        simulated=SIMULATED,
    script:
        "../scripts/table.py"


rule captions:
    input:
        pictures=lambda wildcards: [path for path in figure_files(wildcards.paper, "figures") if path.endswith(".png")],
        code=code("captions.py"),
    output:
        f"{FIGURES}/{{paper}}/captions.md",
    log:
        f"{RESULTS}/logs/captions/{{paper}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/captions/{{paper}}.tsv"
    conda:
        ENV
    params:
        entries=lambda wildcards: PLAN.entries(wildcards.paper),
        simulated=SIMULATED,
    script:
        "../scripts/captions.py"
