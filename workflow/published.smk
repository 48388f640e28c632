# The published paper, typeset from the tables in results/published without training, and the explorer of the published study:
#
#     snakemake --snakefile workflow/published.smk --configfile config/published.yaml
from snakemake.utils import min_version

min_version("9.0")


report: "report/workflow.rst"


include: "rules/study.smk"


wildcard_constraints:
    study=STUDY.name,
    figure=r"[a-z0-9_]+",


rule all:
    input:
        "paper/dying-relu.pdf",
        f"results/{STUDY.name}/explorer.html",


include: "rules/analysis.smk"
include: "rules/paper.smk"
include: "rules/archive.smk"
include: "rules/benchmarks.smk"
include: "rules/start.smk"


rule publish:
    input:
        f"results/{STUDY.name}/paper.pdf",
    output:
        "paper/dying-relu.pdf",
    log:
        f"results/{STUDY.name}/logs/publish.log",
    threads: 1
    shell:
        "cp {input:q} {output:q} > {log:q} 2>&1"
