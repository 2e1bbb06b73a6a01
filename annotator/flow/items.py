"""The catalogue beside a conversation, and what its annotator says of it: which items were mentioned, which was chosen.

The lists start as the source gives them; a correction is a fact with the whole list. Nothing here reads another person's.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from re import findall
from typing import Any

from sqlalchemy import bindparam, func, select
from sqlmodel import Session, col

from annotator.core.items import Fact, facts_of, join_numbers, mentions, numbers_of, split_numbers
from annotator.errors import BadInput, Conflict, NotFound
from annotator.flow.access import OWN_ASSIGNMENTS, mine, not_yours
from annotator.flow.review import check_open, my_place
from annotator.importers.vogue_extras import PICTURES
from annotator.models import Assignment, Conversation, Item, ItemDecision, ItemField, User, Utterance

MOST = 100
"""So many items are shown with pictures. Of a larger catalogue those that the conversation mentions are; others can be named."""

_MOST_NUMBERS = 1000
_CHANGED = "This list was changed in another window meanwhile. It says {} now; choose again if you want something else."
_TYPES = frozenset(PICTURES.values())
_HAS_PICTURE = (col(Item.picture).is_not(None) & col(Item.picture_type).in_(_TYPES)).label("has_picture")
_ITEMS = select(col(Item.id), col(Item.number), col(Item.name), col(Item.meta), _HAS_PICTURE).order_by(col(Item.number), col(Item.id))
_OWN = OWN_ASSIGNMENTS.where(col(Assignment.id) == bindparam("assignment")).with_only_columns(Conversation)


@dataclass(frozen=True, slots=True)
class ItemCard:
    """One item beside the dialogue; `id` is None where the project has nothing but its number."""

    id: int | None
    number: int
    name: str
    has_picture: bool = False
    facts: tuple[Fact, ...] = ()


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The items of one conversation of mine, and my lists of them; `whole` where no other item can be named.

    `seen` says how often each list was corrected: a list that is saved on top of another comes from a page that is not up to date.
    """

    assignment_id: int
    conversation: str
    cards: tuple[ItemCard, ...]
    lists: Mapping[ItemField, tuple[int, ...]]
    seen: Mapping[ItemField, int]
    whole: bool
    locked: bool


@dataclass(frozen=True, slots=True)
class Picture:
    """The picture of an item as it was imported; `tag` changes when it does."""

    content: bytes
    media_type: str

    @property
    def tag(self) -> str:
        """Tells two pictures apart."""
        return sha256(self.media_type.encode() + self.content).hexdigest()[:32]


def my_catalogue(session: Session, user: User, assignment_id: int) -> Catalogue:
    """The catalogue beside a conversation of mine, the same in every condition: it is no proposal."""
    place = my_place(session, user, assignment_id)
    conversation = session.scalars(_OWN, mine(user) | {"assignment": assignment_id}).one()
    lists = item_lists(session, assignment_id)
    cards, whole = _cards(session, conversation, {number for numbers in lists.values() for number in numbers})
    locked = place.closed_at is not None or bool(place.handed_in)
    return Catalogue(assignment_id, conversation.key, tuple(cards), lists, _seen(session, assignment_id), whole, locked)


def catalogue_of(session: Session, conversation: Conversation) -> list[ItemCard]:
    """The items that a conversation is about, by number; none where it speaks of no item and names no catalogue."""
    return _cards(session, conversation, set())[0]


def item_lists(session: Session, assignment_id: int) -> dict[ItemField, tuple[int, ...]]:
    """Which items were mentioned and chosen, as the assignment's annotator says, else as the source does."""
    meta = session.scalar(
        select(col(Conversation.meta))
        .join(Assignment, col(Assignment.conversation_id) == col(Conversation.id))
        .where(col(Assignment.id) == assignment_id)
    )
    if meta is None:
        raise not_yours()
    rows = session.execute(
        select(col(ItemDecision.field), col(ItemDecision.numbers))
        .where(col(ItemDecision.assignment_id) == assignment_id)
        .order_by(col(ItemDecision.id))
    )
    corrected = {row.field: split_numbers(row.numbers) for row in rows}
    return {field: corrected.get(field, numbers_of(meta.get(field))) for field in ItemField}


def _seen(session: Session, assignment_id: int) -> dict[ItemField, int]:
    here = col(ItemDecision.assignment_id) == assignment_id
    made = select(func.count(col(ItemDecision.id)))  # counted here: numbers of rows would tell how much others do
    return {field: session.scalar(made.where(here, col(ItemDecision.field) == field)) or 0 for field in ItemField}


@dataclass(frozen=True, slots=True)
class Marked:
    """What somebody says of the items: the whole list of a field. `seen` is how many corrections they knew, None for any."""

    field: ItemField
    numbers: tuple[int, ...]
    act_key: str
    seen: int | None = None


def mark_items(session: Session, user: User, assignment_id: int, marked: Marked) -> Catalogue:
    """Say which items of a conversation of mine were mentioned, or chosen.

    The same `act_key` again changes nothing, nor does a list that says what stands already. Raises `BadInput` for a number that the
    catalogue does not have, `Conflict` where the conversation is handed in, its round closed, or the list another one than was seen.
    """
    place = my_place(session, user, assignment_id)
    field, act_key, wanted = marked.field, marked.act_key, tuple(dict.fromkeys(marked.numbers))
    same_key = (col(ItemDecision.assignment_id) == assignment_id, col(ItemDecision.act_key) == act_key)
    repeated = session.scalars(select(ItemDecision).where(*same_key)).one_or_none()
    if repeated is None:
        check_open(session, place)
        before = my_catalogue(session, user, assignment_id)
        _check_numbers(before, wanted)
        if set(wanted) != set(before.lists[field]):
            if marked.seen not in (None, before.seen[field]):
                raise Conflict(_CHANGED.format(_listed(before.lists[field])))
            session.add(ItemDecision(assignment_id=assignment_id, field=field, numbers=join_numbers(wanted), act_key=act_key))
            session.flush()
    elif (repeated.field, repeated.numbers) != (field, join_numbers(wanted)):
        raise Conflict("This page was used already and shows an older state. Reload it to see what stands, then choose again.")
    return my_catalogue(session, user, assignment_id)


def _check_numbers(catalogue: Catalogue, numbers: tuple[int, ...]) -> None:
    """What the source lists stays possible, whatever the catalogue has."""
    if len(numbers) > _MOST_NUMBERS:
        raise BadInput(f"These are {len(numbers)} items; a list holds at most {_MOST_NUMBERS}.")
    known = [card.number for card in catalogue.cards]
    for number in numbers:
        if number in known:
            continue
        if catalogue.whole:
            raise BadInput(f"The catalogue of {catalogue.conversation} has no item {number}. It has {_listed(known)}.")
        if not 0 < number < 10**9:
            raise BadInput(f"{number} is no item's number. Items are counted from 1.")


def _listed(numbers: Iterable[int]) -> str:
    return ", ".join(map(str, numbers)) or "none"


def picture(session: Session, item_id: int) -> Picture:
    """An item's picture, or `NotFound` where it has none that a browser may be given."""
    found = session.execute(select(col(Item.picture), col(Item.picture_type)).where(col(Item.id) == item_id, _HAS_PICTURE)).one_or_none()
    if found is None:
        raise NotFound("There is no picture of this item.")
    return Picture(found.picture, found.picture_type)


def _cards(session: Session, conversation: Conversation, listed: set[int]) -> tuple[list[ItemCard], bool]:
    """The items of the conversation's catalogue and what its lists name besides, by number; and whether that is all there is."""
    listed = listed.union(*(numbers_of(conversation.meta.get(field)) for field in ItemField))
    texts = session.scalars(select(col(Utterance.text)).where(col(Utterance.conversation_id) == conversation.id))
    spoken = listed.union(*map(mentions, texts))
    name = _catalogue_name(session, conversation, spoken)
    statement = _ITEMS.where(col(Item.number).in_(spoken) if name is None else col(Item.catalogue) == name)
    rows = session.execute(statement.limit(MOST + 1)).all()
    whole = name is not None and len(rows) <= MOST
    if len(rows) > MOST:
        rows = session.execute(statement.where(col(Item.number).in_(spoken))).all()
    # Where catalogues share numbers and none is named, the first that was imported.
    cards = {row.number: _card(row) for row in reversed(rows)}
    bare = (listed if whole else spoken) - cards.keys()
    cards |= {number: ItemCard(None, number, f"Item {number}") for number in bare}
    return [cards[number] for number in sorted(cards)], whole


def _card(row: Any) -> ItemCard:
    return ItemCard(row.id, row.number, row.name, bool(row.has_picture), facts_of(row.meta))


def _catalogue_name(session: Session, conversation: Conversation, spoken: set[int]) -> str | None:
    """The catalogue a conversation is about: the one it names itself or in its id (`c1_a_1`), else the only one there is.

    The only one is taken where the conversation speaks of its items; others may be of something else.
    """
    known: list[str] = list(session.scalars(select(col(Item.catalogue)).distinct()))
    for name in (str(conversation.meta.get("catalogue") or ""), *map(str, findall("_([A-Za-z0-9]+)(?=_)", conversation.key))):
        if name and name in known:
            return name
    if len(known) != 1:
        return None
    of_it = select(col(Item.id)).where(col(Item.catalogue) == known[0], col(Item.number).in_(spoken))
    return known[0] if session.scalars(of_it.limit(1)).first() is not None else None
