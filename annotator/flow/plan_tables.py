"""A plan of a round as tables to download."""

from annotator.core.table import as_csv
from annotator.errors import NotFound
from annotator.flow.planning import Plan


def plan_csv(plan: Plan, table: str) -> str:
    """One table of a plan: `annotators` (what each gets), `codes` (what can be estimated), `conversations` (who gets what) or `changes`."""
    whole = plan.as_dict()
    if table not in ("annotators", "codes", "conversations", "changes"):
        raise NotFound(f"A plan has no table {table!r}; it has annotators, codes, conversations and changes.")
    found = whole["places" if table == "conversations" else table]
    rows = ([", ".join(cell) if isinstance(cell, tuple) else cell for cell in row.values()] for row in found)
    return as_csv(list(found[0]) if found else [], rows)
