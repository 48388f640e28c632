# From the study's tables to what the paper prints.
from pathlib import Path

from dying_relu.analysis import entries
from dying_relu.paper import figure_order

# Found by what the modules of the package, and of extensions, define; their captions are kept where the report can read them.
FIGURES = list(entries.FIGURES.names())
LATEX_TABLES = list(entries.TABLES.names())
# The report sorts by labels.
FIGURE_LABELS = figure_order.labels(Path("paper/main.tex"), FIGURES)
CAPTIONS = entries.write_captions(Path(".snakemake/captions"))


# Seconds each; on a cluster they do not wait in its queue.
localrules:
    settle,
    verdict_page,
    explorer,
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
            labels={"table": "verdicts, as CSV"},
        ),
        sum="results/{study}/claims.csv.sha256",
    log:
        "results/{study}/logs/claims.log",
    params:
        folder=subpath(input[0], parent=True),
        code=entries.rules_digest(),
    threads: 1
    shell:
        "dying-relu claims --results {params.folder:q} --out {output.verdicts:q} > {log:q} 2>&1"


# The verdicts where a reader of the report sees them without a download.
rule verdict_page:
    input:
        verdicts=rules.settle.output.verdicts,
    output:
        page=report(
            "results/{study}/verdicts.html",
            caption="../report/claims.rst",
            category="Claims",
            labels={"table": "verdicts"},
        ),
        # For the report's first page (report/workflow.rst).
        part="results/{study}/verdicts.part.html",
    log:
        "results/{study}/logs/verdict_page.log",
    params:
        folder=subpath(input.verdicts, parent=True),
        code=[code_digest("dying_relu.analysis.explorer"), entries.rules_digest()],
    threads: 1
    shell:
        "dying-relu verdicts --results {params.folder:q} --out {output.page:q} --part {output.part:q} > {log:q} 2>&1"


# One page to explore the study with, offline.
rule explorer:
    input:
        expand("results/{{study}}/{table}.parquet", table=["runs", "layers"]),
        verdicts=rules.settle.output.verdicts,
    output:
        report(
            "results/{study}/explorer.html",
            caption="../report/explorer.rst",
            category="Explorer",
            labels={"page": "the explorer"},
        ),
    log:
        "results/{study}/logs/explorer.log",
    params:
        folder=subpath(input.verdicts, parent=True),
        code=[code_digest("dying_relu.analysis.explorer"), entries.rules_digest()],
    threads: 1
    shell:
        "dying-relu explorer --results {params.folder:q} --out {output:q} > {log:q} 2>&1"


for figure in FIGURES:

    rule:
        name:
            f"figure_{figure}"
        input:
            expand("results/{{study}}/{table}.parquet", table=entries.FIGURES.constant(figure, "TABLES")),
        output:
            pdf=f"paper/generated/{{study}}/figures/{figure}.pdf",
            png=report(
                f"paper/generated/{{study}}/figures/{figure}.png",
                caption=str(CAPTIONS[figure]),
                category="Figures",
                labels={"figure": FIGURE_LABELS[figure]},
            ),
        log:
            f"results/{{study}}/logs/figures/{figure}.log",
        localrule: True
        params:
            figure=figure,
            folder=subpath(input[0], parent=True),
            code=entries.FIGURES.digest(figure),
        threads: 1
        shell:
            "dying-relu figure {params.figure:q} --results {params.folder:q} --out {output.pdf:q} > {log:q} 2>&1"


rule tables:
    input:
        expand("results/{{study}}/{table}.parquet", table=[*TABLES, *SIMULATIONS]),
        "results/{study}/claims.csv",
        "results/{study}/provenance.json",
        study=ancient(local(CONFIG)),
    output:
        expand("paper/generated/{{study}}/tables/{table}.tex", table=LATEX_TABLES),
    log:
        "results/{study}/logs/tables.log",
    params:
        folder=subpath(input[0], parent=True),
        out=subpath(output[0], parent=True),
        spec=STUDY.fingerprint,
        code=[entries.TABLES.digest(), entries.rules_digest()],
    threads: 1
    shell:
        "dying-relu tables --results {params.folder:q} --config {input.study:q} --out {params.out:q} > {log:q} 2>&1"


rule numbers:
    input:
        expand("results/{{study}}/{table}.parquet", table=[*TABLES, *SIMULATIONS]),
        "results/{study}/claims.csv",
        "results/{study}/provenance.json",
        study=ancient(local(CONFIG)),
    output:
        json="results/{study}/numbers.json",
        tex="paper/generated/{study}/numbers.tex",
    log:
        "results/{study}/logs/numbers.log",
    params:
        folder=subpath(input[0], parent=True),
        spec=STUDY.fingerprint,
        code=[entries.NUMBERS.digest(), entries.rules_digest()],
    threads: 1
    shell:
        "dying-relu numbers --results {params.folder:q} --config {input.study:q}"
        " --out {output.json:q} --out {output.tex:q} > {log:q} 2>&1"
