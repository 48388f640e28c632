# The paper, from raw data to PDF:
#
#     data -> train -> aggregate -> claims, figures, tables, numbers -> paper
#
# Every rule calls the command `dying-relu`; this file and workflow/ only say what depends on what.
# Another study than config/config.yaml:  snakemake --configfile config/smoke.yaml
from snakemake.utils import min_version

min_version("9.0")


include: "workflow/rules/study.smk"


wildcard_constraints:
    study=STUDY.name,
    dataset=r"[a-z0-9_]+",
    shard=r"[a-z0-9_-]+",
    figure=r"[a-z0-9_]+",


# The default target: everything, down to the PDF.
rule all:
    input:
        f"results/{STUDY.name}/paper.pdf",
        f"results/{STUDY.name}/study.yaml",


include: "workflow/rules/data.smk"
include: "workflow/rules/train.smk"
include: "workflow/rules/analysis.smk"
include: "workflow/rules/paper.smk"


# Parts of it: `snakemake train`, `snakemake figures`, `snakemake paper`.
rule train:
    input:
        expand("results/{study}/{table}.parquet", study=STUDY.name, table=TABLES),


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
