"""All settings in one class; each is an environment variable with the prefix SEEKPOINT_, or a line
of `settings.env` in the home (docs/reference/settings.md lists them).
"""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Mapping
from functools import cache, cached_property
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict, SettingsError

from indexer.errors import UsageError, os_reason
from indexer.messages import HIDDEN

log = logging.getLogger(__name__)

DEFAULT_HOME = Path("~/.seekpoint")


class Settings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="SEEKPOINT_", extra="ignore", frozen=True)

    home: Annotated[
        Path, Field(description="Folder of all state: catalog, snapshots, artefacts, models")
    ] = DEFAULT_HOME
    database_url: Annotated[
        str, Field(description="SQLAlchemy URL of the catalog; empty: SQLite in the home")
    ] = ""
    database_read_url: Annotated[
        str,
        Field(
            description="URL of a streaming replica of that PostgreSQL, from which searches read; "
            "empty: none"
        ),
    ] = ""
    database_read_lag_s: Annotated[
        float,
        Field(
            gt=0,
            description="Seconds by which the replica may be behind; else the primary is asked",
        ),
    ] = 2.0
    frames_url: Annotated[
        str,
        Field(
            description="Object storage for the vectors of frames, such as s3://bucket/folder; "
            "empty: they are in the database (docs/guides/scale.md)"
        ),
    ] = ""
    s3_endpoint: Annotated[
        str,
        Field(description="Server of the object storage; empty: Amazon's, as its client finds it"),
    ] = ""
    artefact_root: Annotated[
        Path | None,
        Field(
            description=(
                "Folder of thumbnails and proxies, shared between machines; default: in the home"
            )
        ),
    ] = None
    roots: Annotated[
        dict[str, Path],
        Field(
            description=(
                'Named media roots of this machine, as JSON: {"archive": "/mnt/archive"}; '
                'others belong to the root "local" = /'
            )
        ),
    ] = {}

    device: Annotated[
        str, Field(description='Where models run: "auto", "cpu", "cuda", "cuda:1"')
    ] = "auto"
    dtype: Annotated[
        Literal["auto", "float32", "bfloat16", "float16"],
        Field(
            description="Number format of models; auto: the fastest that the device computes well"
        ),
    ] = "auto"
    threads: Annotated[
        int, Field(ge=0, description="CPU threads for models and decoding; 0: all cores")
    ] = 0
    batch_size: Annotated[int, Field(ge=1, description="Frames that an embedder takes at once")] = (
        32
    )

    embedder: Annotated[
        str, Field(description="lite, siglip2, clip, qwen3-vl-embedding or demo")
    ] = "lite"
    embedder_path: Annotated[
        str,
        Field(
            description="Local folder or hub id of the embedder's weights (not for lite and demo)"
        ),
    ] = ""

    change_model: Annotated[
        bool,
        Field(
            description=(
                "Plan with the embedder above also where most videos are served with another "
                "one: what is planned is computed anew, and found by machines with this embedder"
            )
        ),
    ] = False

    adaptive: Annotated[
        bool,
        Field(
            description=(
                "Decode in full only where something happens; what lies between is filled from "
                "the keyframes around it (`seekpoint ingest --adaptive`)"
            )
        ),
    ] = False
    adaptive_budget: Annotated[
        float,
        Field(
            gt=0,
            le=1,
            description="Share of a chunk that an adaptive ingest decodes in full at most",
        ),
    ] = 1.0

    speech: Annotated[
        bool, Field(description="Recognise speech (subtitles that a file has win over it)")
    ] = True
    speech_model: Annotated[
        str,
        Field(
            description=(
                "Whisper for CTranslate2: embedded (tiny, English), multilingual (base, about 100 "
                "languages), a folder or a hub id"
            )
        ),
    ] = "embedded"
    speech_language: Annotated[
        str,
        Field(
            description=(
                "Language of the speech, such as de; empty: detected once for each video, where "
                "the model knows languages"
            )
        ),
    ] = ""
    sound: Annotated[
        bool, Field(description="Recognise sounds, such as applause, a dog or an engine")
    ] = True
    screen_text: Annotated[bool, Field(description="Read text on screen")] = True

    text_model: Annotated[
        str,
        Field(
            description=(
                "Model of sentence-transformers for the meaning of what is said and written: a "
                "folder or a hub id; empty: the two embedded models"
            )
        ),
    ] = ""

    lego_path: Annotated[
        str, Field(description="Folder of a LEGO (GroundingGPT) checkpoint; empty: none")
    ] = ""

    lego_clip_path: Annotated[
        str,
        Field(
            description=(
                "Folder of LEGO's CLIP tower (openai/clip-vit-large-patch14-336); empty: "
                "found beside the checkpoint"
            )
        ),
    ] = ""
    lego_dtype: Annotated[
        Literal["auto", "bfloat16", "float16", "float32", "int8", "int4"],
        Field(description="Number format of LEGO; int8 and int4 need a GPU and bitsandbytes"),
    ] = "auto"
    grounder: Annotated[
        Literal["", "lego", "endpoint", "transformers"],
        Field(
            description=(
                "Which grounder gives a second opinion; empty: endpoint where SEEKPOINT_GROUNDER_"
                "URL is set, else lego where SEEKPOINT_LEGO_PATH is, else none"
            )
        ),
    ] = ""
    grounder_url: Annotated[
        str,
        Field(
            description=(
                "Server of a vision-language model that speaks OpenAI's chat completions, up to "
                "and including /v1"
            )
        ),
    ] = ""
    grounder_model: Annotated[
        str,
        Field(
            description=(
                "Name of the model at the endpoint; for transformers the folder or hub id of a "
                "Qwen3-VL kind, such as TimeLens-8B"
            )
        ),
    ] = ""
    grounder_key: Annotated[
        str, Field(repr=False, description="Key of the endpoint, where it wants one")
    ] = ""
    grounder_frames: Annotated[
        int,
        Field(
            ge=1,
            le=256,
            description="Pictures of a window that endpoint and transformers read at most",
        ),
    ] = 32
    grounder_frame_side: Annotated[
        int, Field(ge=64, le=2160, description="Their short side in pixels")
    ] = 448
    grounder_concurrency: Annotated[
        int, Field(ge=1, description="Requests to the endpoint at the same time")
    ] = 4
    grounder_timeout_s: Annotated[
        float, Field(gt=0, description="Seconds for an answer of the endpoint")
    ] = 120.0
    grounder_attempts: Annotated[
        int, Field(ge=1, description="Attempts at a request that fails in a way that may pass")
    ] = 3
    grounder_max_requests: Annotated[
        int,
        Field(
            ge=0,
            description="Budget of a process in requests to the endpoint, retries included; 0: any",
        ),
    ] = 0
    grounder_max_tokens: Annotated[
        int,
        Field(
            ge=0,
            description="Budget of a process in tokens of the endpoint, pictures included; 0: any",
        ),
    ] = 0
    grounder_replaces: Annotated[
        bool,
        Field(
            description=(
                "The grounder's span replaces the localizer's where a tested rule accepts it; "
                "off: it is shown beside"
            )
        ),
    ] = False

    frame_rate_hz: Annotated[
        float, Field(gt=0, le=60, description="Base rate of sampled frames, per second")
    ] = 2.0
    chunk_s: Annotated[float, Field(ge=60, le=120, description="Length of a chunk, seconds")] = 90.0
    segment_min_s: Annotated[
        float, Field(ge=0.5, description="Shortest segment, seconds (a shorter shot is its own)")
    ] = 2.0
    segment_max_s: Annotated[float, Field(le=60, description="Longest segment, seconds")] = 8.0
    chunk_timeout_s: Annotated[
        float, Field(gt=0, description="Seconds after which the reading of a chunk is killed")
    ] = 300.0
    max_frame_pixels: Annotated[int, Field(gt=0, description="Larger pictures are refused")] = (
        16384 * 8704
    )
    reader_memory_mb: Annotated[
        int,
        Field(
            ge=200,
            description=(
                "Memory (MB) that each process which reads or converts a media file may take; "
                "files that need more are refused"
            ),
        ),
    ] = 4000
    max_attempts: Annotated[
        int, Field(ge=1, description="Attempts at a chunk before it is given up as failed")
    ] = 3

    lease_s: Annotated[
        float,
        Field(
            ge=1,
            description=(
                "Seconds after which work is taken from a process that stopped renewing "
                "its hold (it was lost)"
            ),
        ),
    ] = 60.0

    broker_url: Annotated[
        str,
        Field(description=("Redis that notifies workers: redis://host:6379/0; empty: no workers")),
    ] = ""
    reaper_interval_s: Annotated[
        float,
        Field(
            ge=0.2,
            description="Seconds between two runs of the reaper: what lost workers held is "
            "requeued, and workers are notified of what Redis forgot",
        ),
    ] = 15.0
    work_slice_s: Annotated[
        float,
        Field(
            gt=0,
            description="Seconds that a worker stays at one kind of work before it looks what is "
            "most urgent",
        ),
    ] = 60.0
    task_timeout_s: Annotated[
        float,
        Field(
            gt=0,
            description=(
                "Seconds after which a worker that does not end its work slice is killed; LEGO "
                "on a CPU needs more"
            ),
        ),
    ] = 3600.0
    shutdown_s: Annotated[
        float,
        Field(
            ge=0,
            description=("Seconds that a stopping worker has for its chunk; then it releases it"),
        ),
    ] = 60.0
    worker_memory_mb: Annotated[
        int,
        Field(
            ge=0,
            description=(
                "Memory (RSS, MB) above which a worker's child is replaced after its work slice; "
                "0: any"
            ),
        ),
    ] = 16_000
    ground_wait_s: Annotated[
        float,
        Field(
            gt=0,
            description=(
                "Seconds that a search waits for a worker with a grounder, where this machine has "
                "none"
            ),
        ),
    ] = 120.0
    proxies_ahead: Annotated[
        bool,
        Field(
            description=(
                "Workers make the copies that browsers play when files arrive, not when "
                "somebody watches"
            )
        ),
    ] = False

    ffmpeg: Annotated[
        str, Field(description="Path of the ffmpeg binary; empty: PATH, then the packaged one")
    ] = ""
    vectors: Annotated[
        Literal["faiss", "pgvector"],
        Field(
            description=(
                "Where vectors are searched: faiss, snapshots on each host; pgvector, "
                "inside PostgreSQL (docs/guides/scale.md)"
            )
        ),
    ] = "faiss"
    flat_max_rows: Annotated[
        int,
        Field(
            ge=1,
            description=(
                "Rows up to which the snapshot is exact (flat); beyond: IVF with 8-bit scalars"
            ),
        ),
    ] = 200_000

    log_format: Annotated[
        Literal["text", "json"],
        Field(
            description=(
                "Logs on stderr: text, lines for people; json, an object a line for machines"
            )
        ),
    ] = "text"
    log_level: Annotated[
        Literal["auto", "debug", "info", "warning", "error"],
        Field(
            description="From which level on lines are logged; auto: info as json, warning as text"
        ),
    ] = "auto"
    traces_url: Annotated[
        str,
        Field(
            description="Where traces of ingest and search are sent (OTLP over HTTP), such as "
            "http://localhost:4318/v1/traces; empty: nowhere"
        ),
    ] = ""
    metrics_port: Annotated[
        int,
        Field(
            ge=0,
            le=65535,
            description="Port on which a worker serves its metrics, at /metrics; 0: none",
        ),
    ] = 0
    metrics_host: Annotated[
        str,
        Field(description="Address of that port; 0.0.0.0 where the monitor is on another machine"),
    ] = "127.0.0.1"
    metrics_token: Annotated[
        str,
        Field(
            description=(
                "Bearer token of a monitor that asks a page with sign-in for /metrics; "
                "empty: it gets none"
            )
        ),
    ] = ""

    audit_days: Annotated[
        float, Field(gt=0, description="Days after which entries of the audit log are deleted")
    ] = 400.0

    ui_sign_in: Annotated[
        Literal["auto", "always"],
        Field(
            description=(
                "When the search page asks who is there; auto: when it is served off the "
                "local machine"
            )
        ),
    ] = "auto"
    ui_secret: Annotated[
        str,
        Field(
            description=(
                "Signs the cookies of the search page; empty: made once and kept in the "
                "home (several hosts share one)"
            )
        ),
    ] = ""
    ui_session_days: Annotated[
        float, Field(gt=0, description="Days until one has to sign in again")
    ] = 14.0
    ui_upload_max_mb: Annotated[
        int, Field(ge=0, description="Largest file that the search page takes, MB; 0: no uploads")
    ] = 20_000
    ui_upload_quota_mb: Annotated[
        int,
        Field(
            ge=0,
            description="What each person who signs in may keep of uploads, MB; 0: as much as "
            "there is room",
        ),
    ] = 100_000
    ui_disk_reserve_mb: Annotated[
        int, Field(ge=0, description="Free space that uploads leave on the disk, MB")
    ] = 2000
    ui_connections: Annotated[
        int,
        Field(
            ge=10,
            description=(
                "Connections that a process of the search page takes at once, a quarter of them "
                "from one address"
            ),
        ),
    ] = 1000
    ui_trusted_proxies: Annotated[
        list[str],
        Field(
            description=(
                "Addresses or networks of reverse proxies whose X-Forwarded-For and "
                'X-Forwarded-Proto are believed, as JSON: ["10.0.0.2"]'
            )
        ),
    ] = []
    ui_folders: Annotated[
        list[Path],
        Field(
            description=(
                "Folders that the search page may add, as JSON; empty: any on the local "
                "machine, only named roots off it"
            )
        ),
    ] = []
    ui_rescan_minutes: Annotated[
        float, Field(gt=0, description="Minutes between two looks into a watched folder")
    ] = 10.0
    api_requests_per_minute: Annotated[
        int,
        Field(
            ge=0,
            description="Requests to the API that one token, or one person, may make in a minute; "
            "0: no limit",
        ),
    ] = 600
    webhook_private_addresses: Annotated[
        bool,
        Field(
            description="Whether webhooks of saved searches may lead to addresses that are not "
            "public: whoever may save a search could then reach other servers of the network"
        ),
    ] = False
    oidc_metadata_url: Annotated[
        str,
        Field(
            description=(
                "OpenID Connect: the provider's .well-known/openid-configuration; empty: "
                "named users only"
            )
        ),
    ] = ""
    oidc_client_id: Annotated[
        str, Field(description="OpenID Connect: name of this application at the provider")
    ] = ""
    oidc_client_secret: Annotated[str, Field(description="OpenID Connect: its secret")] = ""
    oidc_redirect_uri: Annotated[
        str,
        Field(
            description="OpenID Connect: https://HOST/oauth2callback, as registered at the provider"
        ),
    ] = ""
    oidc_role: Annotated[
        Literal["", "viewer", "editor"],
        Field(
            description=(
                "OpenID Connect: role of people that `seekpoint users` does not list; "
                "empty: they may not enter"
            )
        ),
    ] = ""

    @property
    def home_path(self) -> Path:
        """The home as an absolute path."""
        return self.home.expanduser().absolute()

    @property
    def url(self) -> str:
        """URL of the database; by default a SQLite file in the home."""
        if self.database_url:
            return self.database_url
        from sqlalchemy.engine import URL

        # Built, not glued: a folder may have `?`, `#` or `%20` in its name.
        path = str(self.home_path / "catalog.sqlite")
        return URL.create("sqlite", database=path).render_as_string()

    @property
    def artefacts(self) -> Path:
        """Folder of thumbnails and copies for browsers."""
        return (self.artefact_root or self.home_path / "artefacts").expanduser().absolute()

    @property
    def uploads(self) -> Path:
        """Folder of the files that came through the search page."""
        return self.home_path / "uploads"

    @property
    def cache(self) -> Path:
        """Folder of what is computed again where it is missing."""
        return self.home_path / "cache"

    @property
    def snapshots(self) -> Path:
        """Folder of the vector snapshots."""
        return self.home_path / "snapshots"

    @property
    def grounder_kind(self) -> Literal["", "lego", "endpoint", "transformers"]:
        """Which grounder the settings choose; empty: none."""
        if self.grounder:
            return self.grounder
        return "endpoint" if self.grounder_url else "lego" if self.lego_path else ""

    @cached_property
    def torch_device(self) -> str:
        """The device as torch names it: `cpu`, `cuda:0`."""
        if self.device != "auto":
            return self.device
        import torch

        return "cuda" if torch.cuda.is_available() else "cpu"


RENAMED = {
    "turn_s": "work_slice_s",
    "sweep_s": "reaper_interval_s",
    "lego_replaces": "grounder_replaces",
}
"""Old names of settings, which go on working in this version, and new ones."""


FILE = "settings.env"
SECRETS = (
    "database_url",
    "database_read_url",
    "broker_url",
    "grounder_key",
    "metrics_token",
    "ui_secret",
    "oidc_client_secret",
)
"""Settings that hold a secret: they are never shown, and NAME_FILE names a file that holds one."""


def load_settings(**overrides: object) -> Settings:
    """Settings from the environment, then from the file `settings.env` in the home. Raises
    UsageError, which names the variable of a value that does not fit.
    """
    values = {**_values_of_old_names(), **_secrets_of_files(), **overrides}
    home = Path(str(values.get("home") or os.environ.get("SEEKPOINT_HOME") or DEFAULT_HOME))
    try:
        return Settings(
            _env_file=home.expanduser() / FILE,  # pyright: ignore[reportCallIssue]
            _env_file_encoding="utf-8",  # pyright: ignore[reportCallIssue]
            **values,  # pyright: ignore[reportArgumentType]
        )
    except SettingsError as error:
        field = re.search(r'field "(\w+)"', str(error))
        name = f"SEEKPOINT_{field[1].upper()}" if field else "a setting"
        value = os.environ.get(name, "")
        raise UsageError(
            "{name}={value!r} is not JSON",
            "docs/reference/settings.md lists what each setting takes",
            name=name,
            value=value,
        ) from None
    except ValidationError as error:
        first = error.errors()[0]
        name = "SEEKPOINT_" + "_".join(str(part) for part in first["loc"]).upper()
        raise UsageError(
            "{name}={value!r}: {reason}",
            "docs/reference/settings.md lists what each setting takes",
            name=name,
            value=HIDDEN if first["loc"][:1] and first["loc"][0] in SECRETS else first.get("input"),
            reason=first["msg"],
        ) from None


def keep_settings(settings: Settings, values: Mapping[str, str]) -> Path:
    """Writes variables into the file of settings in the home, beside what stands there; where the
    environment sets one too, the environment wins. Raises OSError.
    """
    from dotenv import set_key

    path = settings.home_path / FILE
    path.parent.mkdir(parents=True, exist_ok=True)
    for name, value in values.items():
        set_key(path, name, value)
    return path


def _secrets_of_files() -> dict[str, str]:
    """Secrets that stand in files, as container platforms hand them over; without the line's
    end.
    """
    values = {}
    for name in SECRETS:
        variable = f"SEEKPOINT_{name.upper()}"
        path = os.environ.get(f"{variable}_FILE")
        if not path:
            continue
        if os.environ.get(variable):
            raise UsageError(
                "{variable} and {variable}_FILE are both set", "unset one", variable=variable
            )
        values[name] = _read_secret(f"{variable}_FILE", path)
    return values


def _read_secret(variable: str, path: str) -> str:
    try:
        return Path(path).expanduser().read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            "{variable}: {path} cannot be read: {reason}",
            "name a text file that this user may read",
            variable=variable,
            path=path,
            reason=os_reason(error) if isinstance(error, OSError) else "it is not UTF-8",
        ) from None


def _values_of_old_names() -> dict[str, str]:
    """Values that the environment gives under old names, by new ones; a new name wins."""
    values = {}
    for old, new in RENAMED.items():
        value = os.environ.get(f"SEEKPOINT_{old.upper()}")
        if value is not None and f"SEEKPOINT_{new.upper()}" not in os.environ:
            values[new] = value
            _warn_of_old_name(old, new)
    return values


@cache
def _warn_of_old_name(old: str, new: str) -> None:
    log.warning("SEEKPOINT_%s is called SEEKPOINT_%s now", old.upper(), new.upper())
