# From raw catalogues to every figure and table of the papers.
#
#   snakemake --cores N            the default run: a simulated sky, the papers' figures
#   snakemake --cores N sages      one paper        (also: figures, tables, catalogs, studies)
#   snakemake -n                   what would run   (every job is known beforehand); `estimate`: what it would cost
#
# Choices stand in config/; what each means in docs/configuration.md.


configfile: "config/config.yaml"
configfile: "config/sages.yaml"
configfile: "config/rave.yaml"
configfile: "config/datasets.yaml"


include: "workflow/rules/common.smk"
include: "workflow/rules/acquire.smk"
include: "workflow/rules/catalogs.smk"
include: "workflow/rules/crossmatch.smk"
include: "workflow/rules/features.smk"
include: "workflow/rules/public.smk"
include: "workflow/rules/train.smk"
include: "workflow/rules/predict.smk"
include: "workflow/rules/validate.smk"
include: "workflow/rules/validate_rave.smk"
include: "workflow/rules/figures.smk"
include: "workflow/rules/studies.smk"
include: "workflow/rules/studies_rave.smk"
include: "workflow/rules/estimate.smk"


localrules:
    all,
    sages,
    rave,
    figures,
    tables,
    catalogs,


rule all:
    """Everything of the papers that the configuration names: figures, tables, catalogues, validation."""
    default_target: True
    input:
        [targets(paper) for paper in config["papers"]],


rule sages:
    """Everything of Gu et al. 2025."""
    input:
        targets("sages"),


rule rave:
    """Everything of Guiglion et al. 2020."""
    input:
        targets("rave"),


rule figures:
    """The figures."""
    input:
        [figure_files(paper, "figures") for paper in config["papers"]],


rule tables:
    """The tables."""
    input:
        [figure_files(paper, "tables") for paper in config["papers"]],


rule catalogs:
    """The final catalogues."""
    input:
        [catalog_files(paper) for paper in config["papers"]],


onsuccess:
    report_success(log)


onerror:
    report_error(log)
