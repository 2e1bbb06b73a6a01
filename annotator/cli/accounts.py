"""People: add them, give them one-time links."""

from typing import Annotated

import typer

from annotator.cli.shared import Db, Json, Project, opened, say, show
from annotator.models import Role
from annotator.settings import Settings

app = typer.Typer(no_args_is_help=True, help="People: add them, give them one-time links.")


@app.command("add")
def user_add(name: str, role: Annotated[Role, typer.Option()] = Role.ANNOTATOR, project: Project = None, db: Db = None) -> None:
    """Add a person and print their one-time link."""
    from annotator.flow import accounts

    with opened(project, db) as (settings, database), database.writing() as session:
        _print_link(settings, name, accounts.add_user(session, name, role))


@app.command("link")
def user_link(name: str, project: Project = None, db: Db = None) -> None:
    """Print a new one-time link: for whom lost theirs, or forgot the password."""
    from annotator.flow import accounts

    with opened(project, db) as (settings, database), database.writing() as session:
        _print_link(settings, name, accounts.new_link(session, name))


def _print_link(settings: Settings, name: str, token: str) -> None:
    print(f"{settings.base_url.rstrip('/')}/link/{token}")
    say(f"Give this link to {name}. It works once, for 7 days.")


@app.command("list")
def user_list(project: Project = None, db: Db = None, as_json: Json = False) -> None:
    """List everybody."""
    from annotator.flow import accounts

    with opened(project, db) as (_, database), database.reading() as session:
        people = [(user.name, str(user.role), accounts.state_of(user)) for user in accounts.list_users(session)]
    if as_json:
        show([{"name": name, "role": role, "state": state} for name, role, state in people])
    for name, role, state in people if not as_json else []:
        print(f"{name:20}{role:12}{state}")


@app.command("disable")
def user_disable(name: str, project: Project = None, db: Db = None) -> None:
    """Sign a person out and let them in no more; their labels stay."""
    from annotator.flow import accounts

    with opened(project, db) as (_, database), database.writing() as session:
        accounts.disable(session, name)
    print(f"{name} is disabled. A new link lets them in again.")
