"""Taxonomy versions: which one the project uses, and that no code in use goes away unnoticed."""

from functools import lru_cache

from sqlalchemy import select
from sqlmodel import Session, col

from annotator.core.labelled import split_codes
from annotator.core.taxonomy import Code, Taxonomy, parse_taxonomy
from annotator.errors import BadInput, Conflict, NotFound
from annotator.models import LABELLING, Decision, Gold, TaxonomyVersion, Utterance, now
from annotator.settings import Settings


@lru_cache(maxsize=16)
def parsed(source: str, name: str = "taxonomy.yaml") -> Taxonomy:
    """A taxonomy by its text; parsing is slow beside a request."""
    return parse_taxonomy(source, name)


def read_taxonomy(settings: Settings) -> Taxonomy:
    """The project's `taxonomy.yaml`."""
    path = settings.taxonomy_file
    try:
        return parsed(path.read_text(encoding="utf-8"), path.name)
    except FileNotFoundError as error:
        raise BadInput(f"{path} does not exist. Is this a project folder? `annotator init DIR` makes one.") from error
    except UnicodeDecodeError as error:
        raise BadInput(f"{path.name}: not UTF-8 text (byte {error.start + 1}). Save the file as UTF-8.") from error


def adopt(session: Session, taxonomy: Taxonomy) -> TaxonomyVersion:
    """Make this the newest version, unless it is; refuse it when labels use a code that it lacks."""
    newest = current_version(session)
    if newest is not None and newest.fingerprint == taxonomy.fingerprint:
        return newest
    if newest is not None:
        _check_codes_in_use(session, newest, taxonomy)
    version = version_of(session, taxonomy.fingerprint)
    version.source, version.adopted_at = taxonomy.source, now()
    session.add(version)
    session.flush()
    return version


def current_version(session: Session) -> TaxonomyVersion | None:
    """The version adopted last."""
    statement = select(TaxonomyVersion).where(col(TaxonomyVersion.source) != "")
    return session.scalars(
        statement.order_by(col(TaxonomyVersion.adopted_at).desc(), col(TaxonomyVersion.id).desc()).limit(1)
    ).one_or_none()


def current(session: Session) -> tuple[TaxonomyVersion, Taxonomy]:
    """The newest version with its codes."""
    version = current_version(session)
    if version is None:
        raise BadInput("The project has no taxonomy yet. Put a taxonomy.yaml into its folder and run `annotator taxonomy`.")
    return version, parsed(version.source)


def find_version(session: Session, beginning: str) -> TaxonomyVersion:
    """The one version, known with its codes, whose fingerprint begins so."""
    stored = select(TaxonomyVersion).where(col(TaxonomyVersion.source) != "").order_by(col(TaxonomyVersion.id))
    versions = session.scalars(stored).all()
    found = [version for version in versions if version.fingerprint.startswith(beginning)]
    if not found:
        known = ", ".join(version.fingerprint for version in versions) or "none"
        raise NotFound(f"There is no taxonomy version {beginning!r}. Known: {known}.")
    if len(found) > 1:
        raise BadInput(f"{beginning!r} begins several versions: {', '.join(one.fingerprint for one in found)}. Give more of it.")
    return found[0]


def find_code(session: Session, role: str, code: str, fingerprint: str = "") -> Code:
    """One code of the version with this fingerprint, or of the newest."""
    stored = select(TaxonomyVersion).where(col(TaxonomyVersion.fingerprint) == fingerprint, col(TaxonomyVersion.source) != "")
    version = session.scalars(stored).one_or_none()
    taxonomy = parsed(version.source) if version else current(session)[1]
    found = taxonomy.by_role.get(role, {}).get(code)
    if found is None:
        raise NotFound(f"The taxonomy has no code {code} for {role}.")
    return found


_parsed_versions: dict[str, Taxonomy] = {}


def taxonomy_of(session: Session, version_id: int, fingerprint: str) -> Taxonomy:
    """The codes of a version. A fingerprint never changes its meaning, so a process reads each version once."""
    if fingerprint not in _parsed_versions:
        _parsed_versions[fingerprint] = parsed(session.get_one(TaxonomyVersion, version_id).source)
    return _parsed_versions[fingerprint]


def version_of(session: Session, fingerprint: str) -> TaxonomyVersion:
    """The version with this fingerprint; noted without its codes where only an import names it."""
    version = session.scalars(
        select(TaxonomyVersion).where(col(TaxonomyVersion.fingerprint) == fingerprint)
    ).one_or_none()
    if version is None:
        version = TaxonomyVersion(fingerprint=fingerprint)
        session.add(version)
        session.flush()
    return version


def _check_codes_in_use(session: Session, newest: TaxonomyVersion, taxonomy: Taxonomy) -> None:
    before = parsed(newest.source)
    gone = [code for code in before.codes if not taxonomy.known(code.role, code.code)]
    used = codes_in_use(session) if gone else {}
    for code in gone:
        count = used.get((code.role, code.code), 0)
        if count:
            raise Conflict(
                f"taxonomy.yaml lacks {code.role} {code.code} ({code.name}), which {count} label{'s use' if count > 1 else ' uses'}. "
                "Put the code back; renaming and merging codes with their labels comes with a later version."
            )


def codes_in_use(session: Session) -> dict[tuple[str, str], int]:
    """How many decisions and gold labels hold each (role, code), taken-back ones included."""
    counts: dict[tuple[str, str], int] = {}
    decisions = select(col(Utterance.role), col(Decision.codes)).join(Utterance, col(Utterance.id) == col(Decision.utterance_id))
    golds = select(col(Utterance.role), col(Gold.codes)).join(Utterance, col(Utterance.id) == col(Gold.utterance_id))
    for statement in (decisions.where(col(Decision.kind).in_(LABELLING)), golds):
        for role, codes in session.execute(statement):
            for code in split_codes(codes):
                counts[role, code] = counts.get((role, code), 0) + 1
    return counts
