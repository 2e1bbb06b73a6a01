"""What a file says that people say of a conversation's items, stored as facts. Labels are `flow/intake_facts.py`'s."""

from sqlalchemy import select
from sqlmodel import Session, col

from annotator.core.items import join_numbers, split_numbers
from annotator.core.transcript import ItemLists
from annotator.errors import Conflict
from annotator.models import ItemDecision, ItemField


def store_item_lists(session: Session, assignment_id: int, said: ItemLists, who: str, conversation: str) -> int:
    """Store the lists that are not there yet and return how many; one that says something else than the newest is refused."""
    rows = session.scalars(select(ItemDecision).where(col(ItemDecision.assignment_id) == assignment_id).order_by(col(ItemDecision.id)))
    have = {row.field: split_numbers(row.numbers) for row in rows}
    stored = 0
    for field, numbers in ((ItemField.MENTIONED, said.mentioned_items), (ItemField.CHOSEN, said.gt_items)):
        if numbers is None or (field in have and set(have[field]) == set(numbers)):
            continue
        if field in have:
            raise Conflict(
                f"{who} says that {field} of conversation {conversation} are {_words(have[field])} where the file says "
                f"{_words(numbers)}. What people said is never overwritten: import it under another name."
            )
        session.add(ItemDecision(assignment_id=assignment_id, field=field, numbers=join_numbers(numbers)))
        stored += 1
    session.flush()
    return stored


def _words(numbers: tuple[int, ...]) -> str:
    return ", ".join(map(str, numbers)) or "none"
