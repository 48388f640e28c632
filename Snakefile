# The paper, from raw data to PDF:
#
#     data -> train -> aggregate -> claims, figures, tables, numbers -> paper
#                      validation -----------^
#
# Every rule calls the command `dying-relu`; this file and workflow/ only say what depends on what.
# Another study than config/config.yaml:  snakemake --configfile config/smoke.yaml
from snakemake.utils import min_version

min_version("9.0")


report: "workflow/report/workflow.rst"


include: "workflow/rules/study.smk"


wildcard_constraints:
    study=STUDY.name,
    dataset=r"[a-z0-9_]+",
    shard=r"[a-z0-9_-]+",
    figure=r"[a-z0-9_]+",


# The default target: everything, down to the PDF. The tables are named although the PDF needs them: of what it only passes
# through, Snakemake would not make again what was deleted.
rule all:
    input:
        f"results/{STUDY.name}/paper.pdf",
        f"results/{STUDY.name}/study.yaml",
        f"results/{STUDY.name}/explorer.html",
        f"results/{STUDY.name}/verdicts.html",
        expand(
            "results/{study}/{table}{sum}",
            study=STUDY.name,
            table=[*(f"{table}.parquet" for table in TABLES + SIMULATIONS), "claims.csv", "provenance.json"],
            sum=AND_SUM,
        ),


include: "workflow/rules/data.smk"
include: "workflow/rules/train.smk"
include: "workflow/rules/validation.smk"
include: "workflow/rules/analysis.smk"
include: "workflow/rules/paper.smk"
include: "workflow/rules/verify.smk"
include: "workflow/rules/archive.smk"
include: "workflow/rules/benchmarks.smk"
include: "workflow/rules/start.smk"


# Parts of it, each with what it needs: `snakemake data`, `snakemake train`, ...
rule data:
    input:
        expand(
            "{cache}/{dataset}.safetensors{sum}",
            cache=DATA.cache,
            dataset=STUDY.datasets,
            sum=AND_SUM,
        ),


rule train:
    input:
        expand(
            "results/{study}/{table}.parquet{sum}",
            study=STUDY.name,
            table=TABLES,
            sum=AND_SUM,
        ),


rule claims:
    input:
        expand("results/{study}/claims.csv{sum}", study=STUDY.name, sum=AND_SUM),


rule figures:
    input:
        expand(
            "paper/generated/{study}/figures/{figure}.pdf",
            study=STUDY.name,
            figure=FIGURES,
        ),


rule paper:
    input:
        f"results/{STUDY.name}/paper.pdf",
