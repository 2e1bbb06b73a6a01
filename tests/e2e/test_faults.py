"""No key is lost: while the server is slow, away, or started again; over a reload, a sign-out and two windows."""

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import PASSWORD, Stage
from playwright.sync_api import Route, expect

from annotator.settings import Settings
from annotator.web.deps import COOKIE

from .desk import Desk
from .facts import ask, assignment, decisions, standing
from .server import Server

pytestmark = pytest.mark.browser

TALK = "s1_d_1"
NEXT = "s2_d_2"


@pytest.fixture
def server(built: Stage, tmp_path: Path, serve: Callable[..., Server]) -> Server:
    """A server of this test's own, to pause and to kill."""
    shutil.copytree(built.settings.project, tmp_path / "project")
    return serve(tmp_path / "project")


@pytest.fixture
def stage(server: Server, built: Stage) -> Stage:
    return Stage(Settings(project=server.project), built.tokens)


def saved_codes(server: Server) -> list[tuple[int, str]]:
    """What was saved, in the order of saving."""
    return [(row["position"], row["codes"]) for row in decisions(server.project, "alice")]


def test_a_burst_of_60_keys_is_saved_in_order_by_a_server_that_hangs(server: Server, desk: Desk) -> None:
    server.pause(seconds=2)
    # OTH has the key o and ACK the key a for both roles: two keys an utterance.
    desk.press(*["Shift+o", "a"] * 30).at(31).saved()
    assert saved_codes(server) == [(n, codes) for n in range(1, 31) for codes in ("OTH", "OTH|ACK")]


def test_a_burst_with_undo_is_saved_in_order(server: Server, desk: Desk, labels: Callable[[], dict[int, str]]) -> None:
    server.pause(seconds=2)
    desk.press(*["a", "u", "o"] * 20).at(21).saved()
    assert labels() == dict.fromkeys(range(1, 21), "OTH")
    assert len(decisions(server.project)) == 60


def test_a_code_key_right_after_u_labels_the_undone_utterance(server: Server, desk: Desk, labels: Callable[[], dict[int, str]]) -> None:
    desk.press("o", "o", "o").saved()
    server.pause(seconds=1)
    desk.press("u", "a").at(4).saved()
    assert labels() == {1: "OTH", 2: "OTH", 3: "ACK"}


def test_enter_right_after_u_confirms_the_undone_utterance(server: Server, desk: Desk, labels: Callable[[], dict[int, str]]) -> None:
    desk.press("o", "o").saved()
    server.pause(seconds=1)
    desk.press("u", "Enter").at(3).saved()
    assert labels() == {1: "OTH", 2: "PCT|PEP"}


@pytest.mark.parametrize(
    ("keys", "after"),
    [
        (("u", "a"), {1: "OTH", 2: "OTH", 3: "ACK"}),
        (("u", "u", "a"), {1: "OTH", 2: "ACK"}),
        (("u", "Shift+a", "l", "o"), {1: "OTH", 2: "OTH", 3: "ACK|INT", 4: "OTH"}),
        (("u", "/", "n", "e", "u", "t", "Enter"), {1: "OTH", 2: "OTH", 3: "NR"}),
    ],
)
def test_keys_after_u_wait_for_the_server_where_only_it_knows_what_is_undone(
    server: Server, desk: Desk, labels: Callable[[], dict[int, str]], keys: tuple[str, ...], after: dict[int, str]
) -> None:
    desk.press("o", "o", "o").saved()
    desk.page.reload()
    server.pause(seconds=1)
    desk.press(*keys).at(max(after) + 1).saved()
    assert labels() == after


def test_keys_after_u_go_along_into_the_other_conversation(server: Server, desk: Desk) -> None:
    desk.press("o", "o").saved()
    desk.open(assignment(server.project, "alice", NEXT), at=5)
    server.pause(seconds=1)
    desk.press("u", "Shift+a", "l")
    expect(desk.page.locator("h1")).to_contain_text(TALK)
    desk.at(3).says(2, "ACK|INT").saved()
    assert standing(server.project, "alice") == {(TALK, 1): "OTH", (TALK, 2): "ACK|INT"}


def test_holding_u_down_undoes_once(server: Server, desk: Desk, labels: Callable[[], dict[int, str]]) -> None:
    desk.press("o", "o", "o").saved()
    desk.page.reload()
    server.pause(seconds=1)
    for _ in range(5):
        desk.page.keyboard.down("u")
    desk.page.keyboard.up("u")
    desk.at(3).saved()
    assert labels() == {1: "OTH", 2: "OTH"}


def test_the_queue_goes_out_when_a_killed_server_is_back(server: Server, desk: Desk) -> None:
    desk.press("o").saved()
    server.kill()
    desk.press(*["a"] * 10).at(12).retrying()
    server.start()
    desk.saved()
    assert saved_codes(server) == [(1, "OTH"), *((n, "ACK") for n in range(2, 12))]


def test_the_queue_survives_a_reload(server: Server, desk: Desk) -> None:
    server.kill()
    desk.press(*["a"] * 10, "u").at(10).retrying()
    hold_saves(desk)
    server.start()
    desk.page.reload()
    assert len(desk.queue()) == 11
    release_saves(desk)
    desk.saved().says(9, "ACK").says(10, "", "open")
    assert saved_codes(server)[:10] == [(n, "ACK") for n in range(1, 11)]
    assert len(decisions(server.project)) == 11


def hold_saves(desk: Desk) -> None:
    """Let no save reach the server."""
    desk.page.route("**/review/**", lambda route: route.abort() if route.request.method == "POST" else route.continue_())


def release_saves(desk: Desk) -> None:
    desk.page.unroute_all()


def test_an_answer_lost_on_its_way_saves_once(server: Server, desk: Desk) -> None:
    lost = []

    def lose_the_first_answer(route: Route) -> None:
        if route.request.method == "POST" and not lost:
            lost.append(route.fetch().status)
            route.abort()
        else:
            route.continue_()

    desk.page.route("**/review/**", lose_the_first_answer)
    desk.press("o", "a").saved()
    assert lost == [200]
    assert saved_codes(server) == [(1, "OTH"), (2, "ACK")]


def test_a_server_that_hangs_longer_than_the_desk_waits_saves_once(server: Server, desk: Desk) -> None:
    server.pause()
    desk.press("o", "a").at(3).retrying()
    server.resume()
    desk.saved()
    assert saved_codes(server) == [(1, "OTH"), (2, "ACK")]


def test_a_network_that_answers_for_the_server_is_not_believed(server: Server, desk: Desk) -> None:
    desk.page.route("**/review/**", lambda route: route.fulfill(status=200, body="<h1>Welcome to the hotel</h1>"))
    desk.press("o").at(2).retrying()
    release_saves(desk)
    desk.saved()
    assert saved_codes(server) == [(1, "OTH")]


def test_a_refused_label_is_taken_off_the_page(server: Server, desk: Desk) -> None:
    ask(server.project, "insert into submission values (1, ?, 1, 0, '2026-01-01 00:00:00')", assignment(server.project, "alice", TALK))
    desk.press("o").warns("Open it again to change it").says(1, "", "open")
    expect(desk.status).to_have_text("not saved")
    assert desk.queue() == []
    assert decisions(server.project) == []


def test_labels_wait_while_signed_out_and_are_sent_after_signing_in(server: Server, desk: Desk) -> None:
    ask(server.project, "delete from sign_in")
    desk.press("o", "a").warns("You are not signed in any more")
    expect(desk.page).to_have_url(re.compile("/sign-in"))
    desk.type("alice").press("Tab").type(PASSWORD).press("Enter")
    desk.says(1, "OTH").says(2, "ACK").saved()
    assert saved_codes(server) == [(1, "OTH"), (2, "ACK")]


def test_nobody_elses_queue_is_sent_by_who_signs_in_next(server: Server, desk: Desk) -> None:
    ask(server.project, "delete from sign_in")
    desk.press("o", "a").warns("You are not signed in any more")
    expect(desk.page).to_have_url(re.compile("/sign-in"))
    desk.type("bob").press("Tab").type(PASSWORD).press("Enter")
    expect(desk.page.get_by_role("heading", name="Not found")).to_be_visible()
    desk.open(assignment(server.project, "bob", TALK), at=3).press("a").at(4).saved()
    assert [(row["who"], row["position"]) for row in decisions(server.project)] == [("bob", 3)]


def test_a_page_that_is_still_open_saves_nothing_in_the_name_of_who_signs_in_beside_it(server: Server, stage: Stage, desk: Desk) -> None:
    hold_saves(desk)
    desk.press("o", "a").retrying()
    desk.page.context.add_cookies([{"name": COOKIE, "value": stage.tokens["bob"], "url": server.url}])
    beside = Desk(desk.page.context.new_page()).open(assignment(server.project, "bob", TALK), at=5)
    beside.press("a").at(6).saved()
    release_saves(desk)
    desk.press("u").warns("You are not signed in any more")
    expect(desk.page).to_have_url(re.compile("/sign-in"))
    assert [(row["who"], row["position"]) for row in decisions(server.project)] == [("bob", 5)]
    desk.type("alice").press("Tab").type(PASSWORD).press("Enter")
    desk.says(1, "OTH").says(2, "", "open").saved()
    assert standing(server.project, "alice") == {(TALK, 1): "OTH"}


def test_two_windows_undo_each_their_own_newest_act(server: Server, desk: Desk, labels: Callable[[], dict[int, str]]) -> None:
    other = Desk(desk.page.context.new_page()).open(assignment(server.project, "alice", TALK), at=10)
    desk.press("o", "o").saved()
    other.press("a", "a").saved()
    desk.press("u").at(2).says(2, "", "open").saved()
    assert labels() == {1: "OTH", 10: "ACK", 11: "ACK"}


def test_handing_in_waits_for_the_last_save(server: Server, desk: Desk) -> None:
    desk.press(*["o"] * 31).saved()
    server.pause()
    desk.press("o", "Tab", "Enter").warns("not saved yet")
    server.resume()
    desk.saved().press("Enter")
    expect(desk.page).to_have_url(re.compile("/review$"))
    assert len(standing(server.project, "alice")) == 32


def test_the_second_of_two_windows_is_told_what_stands_and_overwrites_nothing(server: Server, desk: Desk) -> None:
    other = Desk(desk.page.context.new_page()).open(assignment(server.project, "alice", TALK), at=1)
    desk.press("Shift+o", "a").at(2).saved()
    server.pause(seconds=1)
    other.press("p", "k", "f", "Enter", "Shift+o", "u", "j", "a").at(3)
    other.warns("Utterance 1 (now OTH + ACK): This was changed in another window").warns("2 later acts of yours on it were not saved")
    other.says(1, "OTH|ACK", "changed").says(2, "ACK").saved()
    assert saved_codes(server) == [(1, "OTH"), (1, "OTH|ACK"), (2, "ACK")]
    other.press("k", "k", "p").at(2).says(1, "A").saved()
    assert standing(server.project, "alice") == {(TALK, 1): "A", (TALK, 2): "ACK"}


def test_a_turn_confirmed_in_a_second_window_leaves_alone_what_the_first_labelled(
    server: Server, desk: Desk, labels: Callable[[], dict[int, str]]
) -> None:
    other = Desk(desk.page.context.new_page()).open(assignment(server.project, "alice", TALK), at=2)
    desk.press("j", "j", "a").saved()
    other.press("Shift+Enter").at(6).says(3, "ACK").saved()
    assert labels() == {2: "PCT|PEP", 3: "ACK", 4: "IQ", 5: "IQ"}
    other.press("u").at(2).says(2, "", "open").says(3, "ACK").saved()
    assert labels() == {3: "ACK"}


def test_a_server_killed_and_started_again_in_a_burst_loses_nothing_and_asks_for_no_sign_in(server: Server, desk: Desk) -> None:
    for n in range(30):
        if n == 10:
            server.kill()
        if n == 20:
            server.start()
        desk.press("Shift+o", "a")
    desk.at(31).saved()
    assert saved_codes(server) == [(n, codes) for n in range(1, 31) for codes in ("OTH", "OTH|ACK")]
    desk.page.reload()
    expect(desk.page.locator("h1")).to_contain_text(TALK)


def test_ten_seconds_without_network_lose_nothing(server: Server, desk: Desk) -> None:
    desk.press("o").saved()
    desk.page.context.set_offline(True)
    desk.press("a", "Enter", "Shift+Enter", "u", "a").at(5).retrying()
    desk.page.wait_for_timeout(10_000)
    desk.retrying().page.context.set_offline(False)
    desk.saved()
    assert standing(server.project, "alice") == {(TALK, 1): "OTH", (TALK, 2): "ACK", (TALK, 3): "IQ", (TALK, 4): "ACK"}


def test_what_a_closed_window_left_is_sent_by_another(server: Server, desk: Desk) -> None:
    hold_saves(desk)
    desk.press("o", "a").at(3).retrying()
    desk.page.close(run_before_unload=False)
    other = Desk(desk.page.context.new_page())
    other.page.goto("/review")
    expect(other.page.locator("[data-outbox]")).to_contain_text("2 acts of yours from before are saved now.")
    assert other.queue() == []
    assert saved_codes(server) == [(1, "OTH"), (2, "ACK")]


def test_an_act_on_what_a_closed_window_left_knows_of_it(server: Server, desk: Desk) -> None:
    hold_saves(desk)
    desk.press("o", "a").at(3).retrying()
    desk.page.close()
    other = Desk(desk.page.context.new_page())
    other.page.route("**/review/**", lambda route: route.abort() if route.request.method == "POST" else route.continue_())
    other.open(assignment(server.project, "alice", TALK), at=2).says(2, "ACK").press("l").retrying()
    release_saves(other)
    other.at(3).says(1, "OTH").says(2, "INT").saved()
    assert saved_codes(server) == [(1, "OTH"), (2, "ACK"), (2, "INT")]


def test_one_act_key_saves_once_however_often_it_is_sent(server: Server, desk: Desk) -> None:
    send = """async (url) => {
        const body = () => new URLSearchParams([["act", "label"], ["codes", "OTH"], ["act_key", "the-same-key"]]);
        const send = () => fetch(url, {method: "POST", body: body(), headers: {"HX-Request": "true"}});
        const answers = await Promise.all([...Array(20)].map(send));
        return answers.map((answer) => answer.status);
    }"""
    assert set(desk.page.evaluate(send, f"/review/{assignment(server.project, 'alice', TALK)}/1")) == {200}
    assert saved_codes(server) == [(1, "OTH")]
