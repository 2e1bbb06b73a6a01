"""One conversation as a run sees it: what it proposes and why, for leads; decisions of people are not shown."""

from dataclasses import dataclass
from itertools import groupby

from fastapi import APIRouter, Request
from starlette.responses import Response

from annotator.flow import first_pass
from annotator.flow.certainty import Said
from annotator.models import Run
from annotator.web.deps import reading
from annotator.web.render import Page, render_page

router = APIRouter()


@dataclass(frozen=True, kw_only=True)
class ProposalsPage(Page):
    """A run's proposals for a conversation, turn by turn, beside those of the other run."""

    run: Run
    other: Run | None
    conversation: str
    said: list[Said]

    @property
    def turns(self) -> list[list[Said]]:
        """The utterances by turn."""
        return [list(turn) for _, turn in groupby(self.said, lambda one: one.turn_position)]

    @property
    def roles(self) -> list[str]:
        """The roles, in the order they speak."""
        return list(dict.fromkeys(one.role for one in self.said))


@router.get("/tagging/{run_id}/conversation/{conversation_id}")
def show(request: Request, run_id: int, conversation_id: int) -> Response:
    with reading(request) as (session, user):
        run, other, conversation, said = first_pass.look_into(session, user, run_id, conversation_id)
    return render_page("proposals.html", ProposalsPage(user=user, run=run, other=other, conversation=conversation, said=said))
