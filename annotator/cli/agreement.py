"""Agreement between people."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from annotator.cli import agreement_figures, verification
from annotator.cli.shared import Db, Json, Project, say, show
from annotator.core.agreement import Asked

app = typer.Typer()


@app.command()
def agree(
    file: Annotated[Path | None, typer.Argument(help="A long CSV; default: what was handed in in the project.")] = None,
    round: Annotated[str | None, typer.Option(help="Only this round.")] = None,
    condition: Annotated[Literal["blind", "assisted"] | None, typer.Option(help="Only labels given so.")] = None,
    between: Annotated[str | None, typer.Option(metavar="A,B", help="Only these two annotators.")] = None,
    threshold: Annotated[
        float | None, typer.Option(min=-1, max=1, help="What the lower 95 % limit is held against; default: the gate's, or the project's.")
    ] = None,
    gate: Annotated[
        float | None, typer.Option(min=-1, max=1, help="Exit 1 where the lower 95 % limit is under this, or there is none.")
    ] = None,
    plan: Annotated[bool, typer.Option("--plan", help="How many more conversations, and which codes can never be told.")] = False,
    half_width: Annotated[float, typer.Option(min=0.005, max=1, help="How precise --plan makes kappa, to either side.")] = 0.05,
    code_half_width: Annotated[float, typer.Option(min=0.005, max=1, help="The same of a code's kappa.")] = 0.1,
    what_if: Annotated[
        list[str] | None, typer.Option("--what-if", metavar="OLD=NEW", help="The figures if a code were another; ROLE/OLD=NEW; repeatable.")
    ] = None,
    taxonomy: Annotated[Path | None, typer.Option(metavar="FILE", help="The taxonomy.yaml of a table's codes.")] = None,
    bootstrap: Annotated[int, typer.Option(min=0, max=100_000, help="So many bootstraps of conversations for every pair.")] = 0,
    seed: Annotated[int, typer.Option(help="The bootstrap's.")] = 1,
    as_json: Json = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV.")] = False,
    as_latex: Annotated[
        bool, typer.Option("--latex", help="Print the tables as LaTeX; what only pairs have is left out of more than ten.")
    ] = False,
    out: Annotated[Path | None, typer.Option("--out", metavar="DIR", help="Write everything into this folder too.")] = None,
    verify: Annotated[bool, typer.Option("--verify", help="Work every figure out anew with other libraries and say what differs.")] = False,
    saved: Annotated[
        Path | None, typer.Option("--report", metavar="PATH", help="Verify this saved `agree --json`, not figures made now.")
    ] = None,
    project: Project = None,
    db: Db = None,
) -> None:
    """Cohen's kappa between annotators, per role and over roles: intervals, codes, confusions, what to do about them."""
    place = (project, db)
    asked = Asked(
        round, condition, agreement_figures.two(between), threshold=agreement_figures.threshold_of(threshold, gate, place),
        half_width=half_width, code_half_width=code_half_width, draws=bootstrap, seed=seed,
    )  # fmt: skip
    source = agreement_figures.Source(file, taxonomy, asked, place)
    if verify or saved is not None:
        verification.refuse({"--csv": as_csv, "--latex": as_latex, "--plan": plan, "--what-if": bool(what_if), "--out": out is not None})
        figures = verification.verify(source, saved, as_json)
    else:
        output = _Output(as_json, as_csv, as_latex, plan)
        figures = agreement_figures.make(source, agreement_figures.becoming(what_if or ()), out, output.most_pairs(bool(what_if)))
        for warning in figures["warnings"]:
            say(f"Warning: {warning}")
        output.print(figures)
    if gate is not None:
        agreement_figures.check_gate(figures, gate)


@dataclass(frozen=True)
class _Output:
    """What to print."""

    as_json: bool
    as_csv: bool
    as_latex: bool
    plan: bool

    def most_pairs(self, what_if: bool) -> int | None:
        """Of how many pairs every figure is needed for it at most; None where it is of all of them."""
        from annotator.flow.agreement_report import FEW_PAIRS

        if self.as_json or self.as_csv:
            return None
        return 0 if (self.plan or what_if) and not self.as_latex else FEW_PAIRS

    def print(self, figures: dict[str, Any]) -> None:
        """Print it: of several forms the first; in words the plan and what would be alone where they are asked for."""
        from annotator.core.agreement.tables import for_paper, tables
        from annotator.flow import agreement_report

        if self.as_json:
            show(figures)
        elif self.as_csv:
            print(agreement_report.as_csv(figures), end="")
        elif self.as_latex:
            if "pairs" not in figures:
                say("Reading aids and categories are left out, as there are more than ten pairs of annotators: --out has them.")
            print("\n".join(for_paper(table).latex() for table in tables(figures)), end="")
        else:
            words = []
            if "what_if_asked" in figures:
                words.append(agreement_report.what_if_text(figures["what_if_asked"]))
            if self.plan:
                words.append(agreement_report.plan_text(figures))
            print("\n\n".join(words or [agreement_report.as_text(figures)]))
