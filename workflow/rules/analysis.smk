# From the study's tables to what the paper prints.
from pathlib import Path

# A figure is a module of dying_relu.analysis.figures with a caption of the same name.
FIGURES = sorted(
    caption.stem
    for caption in Path("workflow/report").glob("*.rst")
    if Path(f"src/dying_relu/analysis/figures/{caption.stem}.py").exists()
)
# Figures of other tables than the study's.
FIGURE_TABLES = {"born_dead": ["born_dead"]}
LATEX_TABLES = [
    "verdicts",
    "claims_rules",
    "validation",
    "rates",
    "deaths",
    "remedies",
    "definitions",
    "examples",
    "settings",
    "study",
]


# Seconds each; on a cluster they do not wait in its queue.
localrules:
    settle,
    tables,
    numbers,


rule settle:
    input:
        expand("results/{{study}}/{table}.parquet", table=TABLES),
    output:
        verdicts=report(
            "results/{study}/claims.csv",
            caption="../report/claims.rst",
            category="Claims",
            labels={"table": "verdicts"},
        ),
        sum="results/{study}/claims.csv.sha256",
    log:
        "results/{study}/logs/claims.log",
    params:
        folder=subpath(input[0], parent=True),
        code=code_digest("dying_relu.analysis.claims"),
    threads: 1
    shell:
        "dying-relu claims --results {params.folder:q} --out {output.verdicts:q} > {log:q} 2>&1"


for figure in FIGURES:

    rule:
        name:
            f"figure_{figure}"
        input:
            expand("results/{{study}}/{table}.parquet", table=FIGURE_TABLES.get(figure, TABLES)),
        output:
            pdf=f"paper/generated/{{study}}/figures/{figure}.pdf",
            png=report(
                f"paper/generated/{{study}}/figures/{figure}.png",
                caption=f"../report/{figure}.rst",
                category="Figures",
                labels={"figure": figure.replace("_", " ")},
            ),
        log:
            f"results/{{study}}/logs/figures/{figure}.log",
        localrule: True
        params:
            figure=figure,
            folder=subpath(input[0], parent=True),
            code=code_digest(f"dying_relu.analysis.figures.{figure}"),
        threads: 1
        shell:
            "dying-relu figure {params.figure:q} --results {params.folder:q} --out {output.pdf:q} > {log:q} 2>&1"


rule tables:
    input:
        expand("results/{{study}}/{table}.parquet", table=[*TABLES, "validation"]),
        "results/{study}/claims.csv",
        "results/{study}/provenance.json",
        study=ancient(CONFIG),
    output:
        expand("paper/generated/{{study}}/tables/{table}.tex", table=LATEX_TABLES),
    log:
        "results/{study}/logs/tables.log",
    params:
        folder=subpath(input[0], parent=True),
        out=subpath(output[0], parent=True),
        spec=STUDY.fingerprint,
        code=code_digest("dying_relu.analysis.tables"),
    threads: 1
    shell:
        "dying-relu tables --results {params.folder:q} --config {input.study:q} --out {params.out:q} > {log:q} 2>&1"


rule numbers:
    input:
        expand("results/{{study}}/{table}.parquet", table=[*TABLES, *SIMULATIONS]),
        "results/{study}/claims.csv",
        "results/{study}/provenance.json",
        study=ancient(CONFIG),
    output:
        json="results/{study}/numbers.json",
        tex="paper/generated/{study}/numbers.tex",
    log:
        "results/{study}/logs/numbers.log",
    params:
        folder=subpath(input[0], parent=True),
        spec=STUDY.fingerprint,
        code=code_digest("dying_relu.analysis.numbers"),
    threads: 1
    shell:
        "dying-relu numbers --results {params.folder:q} --config {input.study:q}"
        " --out {output.json:q} --out {output.tex:q} > {log:q} 2>&1"
