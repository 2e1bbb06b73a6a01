"""The catalogue beside a conversation, and what its annotator says of the items."""

import uuid
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlmodel import Session, col

from annotator.core.items import mentions
from annotator.db import Database
from annotator.errors import AnnotatorError, BadInput, Conflict, Forbidden, NotFound
from annotator.flow.accounts import get_user
from annotator.flow.desk import open_desk
from annotator.flow.intake import import_paths
from annotator.flow.intake_report import Options
from annotator.flow.items import Catalogue, Marked, catalogue_of, item_lists, mark_items, my_catalogue, picture
from annotator.flow.review import reopen
from annotator.models import Conversation, Item, ItemDecision, ItemField
from flow.steps import assignment, blind, close_round, hand_in, rolled_back

MENTIONED, CHOSEN = ItemField.MENTIONED, ItemField.CHOSEN


def conversation(session: Session, key: str = "s1_d_1") -> Conversation:
    return session.scalars(select(Conversation).where(col(Conversation.key) == key)).one()


def imported(session: Session, folder: Path, key: str, said: str) -> Conversation:
    """A conversation of one utterance that names no catalogue."""
    (folder / f"{key}.txt").write_text(f"Seeker: {said}", encoding="utf-8")
    import_paths(session, [folder / f"{key}.txt"], None, Options())
    return conversation(session, key)


def mark(session: Session, name: str, field: ItemField, *numbers: int, key: str = "", seen: int | None = None) -> Catalogue:
    at = assignment(session, name, "s1_d_1")
    return mark_items(session, get_user(session, name), at, Marked(field, numbers, key or uuid.uuid4().hex, seen))


def rows(session: Session) -> list[tuple[str, str]]:
    return [(row.field, row.numbers) for row in session.scalars(select(ItemDecision).order_by(col(ItemDecision.id)))]


# the catalogue


def numbers(session: Session, of: Conversation) -> list[int]:
    return [card.number for card in catalogue_of(session, of)]


def test_a_conversation_has_the_items_of_the_catalogue_that_it_names(session: Session) -> None:
    session.add(Item(number=40, catalogue="e", name="Hat"))
    session.flush()
    cards = catalogue_of(session, conversation(session))
    assert [card.number for card in cards] == list(range(1, 13))
    assert (cards[0].name[:13], cards[0].has_picture, cards[0].facts[0]) == ("Harl & Finch ", True, ("brand", "Harl & Finch"))


def test_the_catalogue_in_a_conversations_id_is_its_own(session: Session, tmp_path: Path) -> None:
    session.add(Item(number=40, catalogue="e", name="Hat"))
    session.flush()
    assert numbers(session, imported(session, tmp_path, "x7_e_1", "Hello.")) == [40]


def test_the_only_catalogue_is_that_of_a_conversation_which_speaks_of_its_items(session: Session, tmp_path: Path) -> None:
    assert numbers(session, imported(session, tmp_path, "shop", "I like Item05.")) == list(range(1, 13))
    assert numbers(session, imported(session, tmp_path, "camp", "I need three items of firewood.")) == []


def test_of_several_catalogues_the_items_that_are_mentioned_show(session: Session, tmp_path: Path) -> None:
    session.add(Item(number=40, catalogue="e", name="Hat"))
    session.flush()
    found = catalogue_of(session, imported(session, tmp_path, "shop", "I like Item05, item 40 and item 41."))
    assert [(card.number, card.name[:9], card.id is None) for card in found] == [
        (5, "Loomhaven", False), (40, "Hat", False), (41, "Item 41", True),
    ]  # fmt: skip


def test_what_the_source_lists_shows_whether_the_catalogue_has_it_or_not(session: Session) -> None:
    one = conversation(session)
    one.meta = one.meta | {"gt_items": [77]}
    session.flush()
    assert numbers(session, one) == [*range(1, 13), 77]
    mark(session, "alice", MENTIONED, 1, 77)


def test_of_a_very_large_catalogue_only_what_is_spoken_of_shows_and_others_can_be_named(session: Session) -> None:
    session.add_all(Item(number=number, catalogue="d", name="x") for number in range(13, 3001))
    session.flush()
    assert numbers(session, conversation(session)) == [1, 4, 8]
    assert mark(session, "alice", MENTIONED, 1, 2999).lists[MENTIONED] == (1, 2999)
    assert [card.name for card in mark(session, "alice", MENTIONED, 2999).cards if card.number == 2999] == ["x"]


def test_the_desk_says_which_items_an_utterance_mentions(session: Session) -> None:
    opened = open_desk(session, get_user(session, "alice"), assignment(session, "alice", "s1_d_1"))
    assert {row.items for row in opened.rows} > {(), (1,)}
    assert all(row.items == mentions(row.text) for row in opened.rows)


def test_vogue_lists_as_mentioned_what_its_texts_mention(vogue_db: Database) -> None:
    first = {"a": 1, "b": 13, "c": 25}
    with vogue_db.reading() as session:
        for one in session.scalars(select(Conversation)):
            start = first[one.meta["catalogue"]]
            spoken = [number for number in numbers(session, one) if start <= number < start + 12]
            assert spoken == sorted(one.meta["mentioned_items"])


# pictures


def test_a_picture_is_what_was_imported(session: Session) -> None:
    first = session.scalars(select(Item).where(col(Item.number) == 1)).one()
    found = picture(session, first.id or 0)
    assert (found.content, found.media_type) == (first.picture, "image/svg+xml")
    other = picture(session, (first.id or 0) + 1)
    assert other.tag != found.tag == picture(session, first.id or 0).tag


@pytest.mark.parametrize(("content", "kind"), [(None, ""), (None, "image/png"), (b"<p>", "text/html"), (b"x", "")])
def test_what_is_no_picture_is_not_given_out(session: Session, content: bytes | None, kind: str) -> None:
    first = session.scalars(select(Item)).first()
    assert first is not None
    first.picture, first.picture_type = content, kind
    session.flush()
    with pytest.raises(NotFound, match="no picture"):
        picture(session, first.id or 0)
    assert not catalogue_of(session, conversation(session))[0].has_picture


# the lists


def test_the_lists_start_as_the_source_has_them(session: Session) -> None:
    assert item_lists(session, assignment(session, "alice", "s1_d_1")) == {MENTIONED: (1, 4, 8), CHOSEN: (1,)}


def test_a_correction_is_one_fact_with_the_whole_list_and_the_newest_counts(session: Session) -> None:
    mark(session, "alice", MENTIONED, 1, 4, 9)
    mark(session, "alice", CHOSEN)
    assert mark(session, "alice", CHOSEN, 4).lists == {MENTIONED: (1, 4, 9), CHOSEN: (4,)}
    assert rows(session) == [("mentioned_items", "1|4|9"), ("gt_items", ""), ("gt_items", "4")]
    assert conversation(session).meta["mentioned_items"] == [1, 4, 8]


def test_nobody_sees_what_another_says(session: Session) -> None:
    before = my_catalogue(session, get_user(session, "bob"), assignment(session, "bob", "s1_d_1"))
    mark(session, "alice", CHOSEN, 4)
    assert my_catalogue(session, get_user(session, "bob"), assignment(session, "bob", "s1_d_1")) == before


def test_the_catalogue_is_the_same_blind_and_assisted(session: Session) -> None:
    def shown() -> Catalogue:
        return my_catalogue(session, get_user(session, "alice"), assignment(session, "alice", "s1_d_1"))

    before = shown()
    blind(session, "r1", "s1_d_1")
    assert shown() == before


def test_the_same_request_again_adds_nothing(session: Session) -> None:
    for _ in range(2):
        mark(session, "alice", CHOSEN, 4, key="key-of-one-act")
    assert rows(session) == [("gt_items", "4")]
    hand_in(session, "alice", "s1_d_1")
    mark(session, "alice", CHOSEN, 4, key="key-of-one-act")  # its answer was lost
    with pytest.raises(Conflict, match="used already"):
        mark(session, "alice", CHOSEN, 5, key="key-of-one-act")


def test_saying_what_stands_already_adds_nothing(session: Session) -> None:
    mark(session, "alice", MENTIONED, 8, 4, 1, 1)
    assert rows(session) == []


def test_a_list_of_a_page_that_is_not_up_to_date_is_refused_with_what_stands(session: Session) -> None:
    one = mark(session, "alice", CHOSEN, 4, key="of-one-tab", seen=0)
    with pytest.raises(Conflict, match="changed in another window meanwhile. It says 4 now"):
        mark(session, "alice", CHOSEN, 7, seen=0)
    assert rows(session) == [("gt_items", "4")]
    assert mark(session, "alice", CHOSEN, 4, seen=0) == one, "what stands already may be said by anybody"
    assert mark(session, "alice", CHOSEN, 4, key="of-one-tab", seen=0) == one, "its answer was lost"
    assert mark(session, "alice", MENTIONED, 2, seen=0).seen[CHOSEN] == one.seen[CHOSEN], "each list has its own"
    again = mark(session, "alice", CHOSEN, 7, seen=one.seen[CHOSEN])
    assert mark(session, "alice", CHOSEN, seen=again.seen[CHOSEN]).lists[CHOSEN] == ()


def test_an_imported_list_is_a_state_too(session: Session) -> None:
    session.add(ItemDecision(assignment_id=assignment(session, "alice", "s1_d_1"), field=CHOSEN, numbers="5"))
    session.flush()
    with pytest.raises(Conflict, match="It says 5 now"):
        mark(session, "alice", CHOSEN, 7, seen=0)


@pytest.mark.parametrize("number", [0, -1, 13, 3000])
def test_what_the_catalogue_does_not_have_is_refused(session: Session, number: int) -> None:
    with pytest.raises(BadInput, match=f"catalogue of s1_d_1 has no item {number}. It has 1, 2, 3"):
        mark(session, "alice", MENTIONED, 1, number)
    assert rows(session) == []


@pytest.mark.parametrize(("number", "fits"), [(1, True), (3000, True), (0, False), (-1, False), (10**9, False)])
def test_without_a_catalogue_any_counting_number_is_an_item(session: Session, number: int, fits: bool) -> None:
    for item in session.scalars(select(Item)):
        session.delete(item)
    session.flush()
    if fits:
        assert mark(session, "alice", CHOSEN, number).lists[CHOSEN] == (number,)
    else:
        with pytest.raises(BadInput, match="is no item's number"):
            mark(session, "alice", CHOSEN, number)


def test_a_list_has_an_end(session: Session) -> None:
    with pytest.raises(BadInput, match="These are 1001 items; a list holds at most 1000"):
        mark(session, "alice", CHOSEN, *range(1, 1002))


def test_what_is_handed_in_or_closed_is_refused_with_the_sentences_of_labels(session: Session) -> None:
    hand_in(session, "alice", "s1_d_1")
    with pytest.raises(Conflict, match="You have handed in s1_d_1. Open it again"):
        mark(session, "alice", CHOSEN, 4)
    assert my_catalogue(session, get_user(session, "alice"), assignment(session, "alice", "s1_d_1")).locked
    reopen(session, get_user(session, "alice"), assignment(session, "alice", "s1_d_1"))
    mark(session, "alice", CHOSEN, 4)
    close_round(session, "r1")
    with pytest.raises(Conflict, match="This round is closed"):
        mark(session, "alice", CHOSEN, 5)


@pytest.mark.parametrize(("name", "error"), [("bob", NotFound), ("cem", NotFound), ("lea", NotFound), ("rui", Forbidden)])
def test_only_whose_conversation_it_is_may_see_and_say(session: Session, name: str, error: type[AnnotatorError]) -> None:
    at, user = assignment(session, "alice", "s1_d_1"), get_user(session, name)
    with pytest.raises(error):
        my_catalogue(session, user, at)
    with pytest.raises(error):
        mark_items(session, user, at, Marked(CHOSEN, (4,), "a-key-of-this-test"))
    assert rows(session) == []


marks = st.lists(
    st.tuples(st.sampled_from(ItemField), st.sets(st.integers(1, 12), max_size=4), st.sampled_from(["", "one-key-1", "one-key-2"])),
    max_size=8,
)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(marks)
def test_the_lists_are_what_was_said_last(shared_db: Database, said: list[tuple[ItemField, set[int], str]]) -> None:
    with rolled_back(shared_db) as session:
        stands = {MENTIONED: {1, 4, 8}, CHOSEN: {1}}
        used: dict[str, object] = {}
        for field, wanted, key in said:
            if key in used:
                if used[key] != (field, wanted):
                    with pytest.raises(Conflict):
                        mark(session, "alice", field, *sorted(wanted), key=key)
                continue
            if key and wanted != stands[field]:
                used[key] = (field, wanted)
            mark(session, "alice", field, *sorted(wanted), key=key)
            stands[field] = wanted
        found = item_lists(session, assignment(session, "alice", "s1_d_1"))
        assert {field: set(numbers) for field, numbers in found.items()} == stands
