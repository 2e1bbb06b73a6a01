"""The settings of a project: `annotator.toml`, then environment variables, then options. Read once, passed down."""

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource

from annotator.core.agreement.asked import THRESHOLD
from annotator.errors import BadInput

_LOOPBACK = ("127.0.0.1", "localhost", "::1")


class Settings(BaseSettings):
    """All settings. Every field is also an environment variable with the prefix `ANNOTATOR_`."""

    model_config = SettingsConfigDict(env_prefix="ANNOTATOR_", extra="forbid", frozen=True)

    project: Path = Path()
    """The project folder."""
    database_url: str = ""
    """Where the database is; empty: `annotator.db` in the project folder."""
    base_url: str = "http://127.0.0.1:8000"
    """The address people open; sign-in links start with it."""
    allow_http: bool = False
    """Serve other machines without https. Only for a network you trust."""
    sign_in_days: int = 30
    """How long a browser stays signed in."""
    agreement_threshold: float = Field(default=THRESHOLD, ge=-1, le=1)
    """What the lower 95 % limit of agreement is held against."""

    model: str = ""
    """The model that a provider is asked for; empty: the provider's own choice."""
    thinking: str = ""
    """How much the model thinks: minimal, low, medium or high."""
    tier: str = ""
    """`standard`, or `flex`: half the price, slower."""
    rpm: str = ""
    """Requests a minute that the provider's account allows."""
    endpoint: str = ""
    """Where the provider is, if not at its own address."""

    @property
    def provider(self) -> dict[str, str]:
        """What is set for providers."""
        return {"model": self.model, "thinking": self.thinking, "tier": self.tier, "rpm": self.rpm, "endpoint": self.endpoint}

    @property
    def database(self) -> str:
        """The database's URL."""
        return self.database_url or f"sqlite:///{self.project / 'annotator.db'}"

    @property
    def taxonomy_file(self) -> Path:
        """The project's taxonomy."""
        return self.project / "taxonomy.yaml"

    @property
    def secure(self) -> bool:
        """Whether people reach us by https, so that cookies may be bound to it."""
        return self.base_url.startswith("https://")

    def check_serving(self, host: str) -> None:
        """Refuse to serve other machines in the clear."""
        if host in _LOOPBACK or self.secure or self.allow_http:
            return
        raise BadInput(
            f"Serving on {host} lets other machines in, but base_url is {self.base_url}. Set base_url in annotator.toml to the "
            "https address people will open (a proxy in front ends https), or allow_http = true on a network you trust."
        )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Options win over the environment, the environment over the project's `annotator.toml`."""
        project = Path(init_settings().get("project") or env_settings().get("project") or ".")
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls, project / "annotator.toml")


def read_settings(project: Path | None = None, database_url: str | None = None) -> Settings:
    """Read the settings of a project folder; options given here win."""
    given: dict[str, Any] = {"project": project, "database_url": database_url}
    try:
        settings = Settings(**{name: value for name, value in given.items() if value is not None})
    except ValidationError as error:
        first = error.errors()[0]
        raise BadInput(f"annotator.toml or environment: {'.'.join(map(str, first['loc']))}: {first['msg']}.") from error
    except ValueError as error:  # tomllib.TOMLDecodeError
        raise BadInput(f"annotator.toml is not readable: {error}.") from error
    if urlsplit(settings.base_url).scheme not in ("http", "https"):
        raise BadInput(f"base_url is {settings.base_url!r}; it must start with http:// or https://.")
    return settings
