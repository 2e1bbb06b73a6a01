"""People and how they are signed in."""

from datetime import datetime

from sqlalchemy import String
from sqlmodel import Field, SQLModel

from annotator.models.words import Role, now


class User(SQLModel, table=True):
    """A person. Without password and link nobody can sign in as them, as with names that came from a file."""

    __tablename__ = "users"
    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(unique=True)
    role: Role = Field(sa_type=String)
    password_hash: str | None = None
    link_hash: str | None = Field(default=None, unique=True)
    link_expires_at: datetime | None = None
    disabled_at: datetime | None = None
    created_at: datetime = Field(default_factory=now)


class SignIn(SQLModel, table=True):
    """A browser that is signed in. Only the hash of its token is kept."""

    __tablename__ = "sign_in"
    id: int | None = Field(default=None, primary_key=True)
    token_hash: str = Field(unique=True)
    user_id: int = Field(foreign_key="users.id", index=True)
    expires_at: datetime


class FailedSignIn(SQLModel, table=True):
    """A wrong password, so that guessing can be slowed down."""

    __tablename__ = "failed_sign_in"
    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(index=True)
    failed_at: datetime = Field(default_factory=now)
