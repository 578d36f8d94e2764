"""Models from a hub: what one weighs is said before, a broken download goes on where it stopped,
every file is checked, and a folder appears only when it is whole.

huggingface_hub lists files, sizes and checksums; it starts a broken file again, which with files of
five gigabytes may never end, so the bytes are read here.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path, PurePosixPath

import huggingface_hub
from filelock import FileLock, Timeout
from huggingface_hub.errors import HfHubHTTPError, OfflineModeIsEnabled
from huggingface_hub.utils import build_hf_headers, get_session

from indexer.embedders.model_folder import FILES
from indexer.errors import ModelError, StorageError, UsageError
from indexer.formatting import format_bytes
from indexer.settings import Settings

CT2_FILES = (*FILES, "model.bin")  # Whisper for CTranslate2
SENTENCE_FILES = (*FILES, "1_Pooling/config.json", "2_*/*.json", "2_*/*.safetensors")
BLOCK_BYTES = 2**20
SPARE_BYTES = 500_000_000  # that a download leaves on the disk
ATTEMPTS = 5  # at a file whose connection breaks, while each brings something


@dataclass(frozen=True, slots=True)
class Download:
    """A model that can be fetched by name. `settings` choose it; `{folder}` is where it is."""

    repository: str
    settings: Mapping[str, str]
    files: tuple[str, ...] = FILES


def _embedder(name: str, repository: str) -> Download:
    chosen = {"SEEKPOINT_EMBEDDER": name, "SEEKPOINT_EMBEDDER_PATH": "{folder}"}
    return Download(repository, chosen)


def _grounder(repository: str) -> Download:
    chosen = {"SEEKPOINT_GROUNDER": "transformers", "SEEKPOINT_GROUNDER_MODEL": "{folder}"}
    return Download(repository, chosen)


DOWNLOADS: Mapping[str, Download] = {
    "siglip2": _embedder("siglip2", "google/siglip2-base-patch16-224"),
    "clip": _embedder("clip", "openai/clip-vit-base-patch32"),
    "qwen3-vl-embedding": _embedder("qwen3-vl-embedding", "Qwen/Qwen3-VL-Embedding-2B"),
    "timelens": _grounder("TencentARC/TimeLens-8B"),
    "qwen3-vl": _grounder("Qwen/Qwen3-VL-8B-Instruct"),
    "whisper-small": Download(
        "Systran/faster-whisper-small", {"SEEKPOINT_SPEECH_MODEL": "{folder}"}, CT2_FILES
    ),
    "e5-small": Download(
        "intfloat/multilingual-e5-small", {"SEEKPOINT_TEXT_MODEL": "{folder}"}, SENTENCE_FILES
    ),
}
"""What `seekpoint models get` knows by name."""


@dataclass(frozen=True, slots=True)
class HubFile:
    """`checksum`: SHA-256 of a large file, else the SHA-1 that git names its blob by."""

    name: str
    size: int
    checksum: str


@dataclass(frozen=True, slots=True)
class Offer:
    """What fetching a model means. `settings` choose it once it is in `folder`."""

    name: str
    repository: str
    revision: str
    licence: str
    files: tuple[HubFile, ...]
    folder: Path
    settings: Mapping[str, str]

    @property
    def size_bytes(self) -> int:
        """Of all files."""
        return sum(file.size for file in self.files)

    @property
    def is_here(self) -> bool:
        """Whether it was fetched before."""
        return self.folder.is_dir()


def get_offer(settings: Settings, name: str) -> Offer:
    """Asks the hub (`HF_ENDPOINT`: a mirror) for the files of a model.

    Raises UsageError for a name that is not known, ModelError where the hub does not answer or
    lacks the model.
    """
    wanted = DOWNLOADS.get(name)
    if wanted is None:
        raise UsageError(
            "there is no model {name!r} to fetch",
            "seekpoint models get takes {names}",
            name=name,
            names=", ".join(DOWNLOADS),
        )
    info = _model_info(wanted.repository)
    files = tuple(
        HubFile(file.rfilename, file.size or 0, file.lfs.sha256 if file.lfs else file.blob_id or "")
        for file in info.siblings or ()
        if _is_wanted(file.rfilename, wanted.files)
    )
    if not files:
        raise ModelError(
            "{repository} has none of the files that are needed", repository=wanted.repository
        )
    folder = settings.home_path / "models" / wanted.repository.replace("/", "--")
    licence = str((info.card_data or {}).get("license") or "")
    chosen = {key: value.format(folder=folder) for key, value in wanted.settings.items()}
    return Offer(name, wanted.repository, info.sha or "main", licence, files, folder, chosen)


def fetch(offer: Offer, progress: Callable[[int], None] = lambda done: None) -> Path:
    """The folder of the model, with all of its files; `progress` is told how many bytes are there.

    What is there already is kept. Raises ModelError where the hub fails or a file is not what the
    hub says, StorageError where the disk is full.
    """
    if offer.is_here:
        return offer.folder
    partial = offer.folder.with_name(f"{offer.folder.name}.{offer.revision[:12]}.partial")
    try:
        partial.mkdir(parents=True, exist_ok=True)
        with FileLock(f"{partial}.lock", timeout=0):
            _check_space(offer, partial)
            done = 0
            for file in offer.files:
                _fetch_file(offer, file, partial, lambda part, base=done: progress(base + part))
                done += file.size
            partial.rename(offer.folder)
        Path(f"{partial}.lock").unlink(missing_ok=True)
    except Timeout:
        raise ModelError(
            "{repository} is being fetched by another process",
            "wait for it",
            repository=offer.repository,
        ) from None
    except OSError as error:
        raise StorageError(
            "{folder} cannot be written: {reason}",
            "free some space or set SEEKPOINT_HOME to another disk",
            folder=offer.folder,
            reason=error.strerror or str(error),
        ) from error
    return offer.folder


def _model_info(repository: str):
    try:
        return huggingface_hub.HfApi().model_info(repository, files_metadata=True)
    except OfflineModeIsEnabled as error:
        reason = str(error)
    except HfHubHTTPError as error:
        reason = f"status {error.response.status_code}"
    except (OSError, ValueError, RuntimeError) as error:  # no route, no such name, no JSON
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
    except (LookupError, TypeError, AttributeError):  # JSON of something else
        reason = "it does not answer as a hub does"
    except _transport_errors() as error:
        reason = str(error) or type(error).__name__
    raise ModelError(
        "{repository} cannot be fetched from the hub: {reason}",
        "look at the network and HF_ENDPOINT (a mirror), or bring the folder by other means and "
        "name it in the settings",
        repository=repository,
        reason=reason,
    )


def _transport_errors() -> type[Exception]:
    import httpx2  # comes with huggingface_hub

    return httpx2.HTTPError


def _is_wanted(name: str, patterns: tuple[str, ...]) -> bool:
    """Files of the repository's own folder by pattern, of others where a pattern names a folder."""
    return any(
        fnmatch(name, pattern) and name.count("/") == pattern.count("/") for pattern in patterns
    )


def _check_space(offer: Offer, folder: Path) -> None:
    present = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    needed = offer.size_bytes - present
    free = shutil.disk_usage(folder).free
    if needed + SPARE_BYTES > free:
        raise StorageError(
            "{repository} needs {needed}, and {folder} has {free}",
            "free some space or set SEEKPOINT_HOME to another disk",
            repository=offer.repository,
            needed=format_bytes(needed + SPARE_BYTES),
            folder=folder,
            free=format_bytes(free),
        )


def _fetch_file(offer: Offer, file: HubFile, folder: Path, progress: Callable[[int], None]) -> None:
    path = _inside(folder, file.name)
    if not path.is_file():
        part = path.with_name(path.name + ".part")
        path.parent.mkdir(parents=True, exist_ok=True)
        _read_rest(offer, file, part, progress)
        if not _is_right(part, file):
            part.unlink()
            raise ModelError(
                "{name} of {repository} is not what the hub says it is (checksum)",
                "fetch it again; where it stays so, the mirror is wrong",
                name=file.name,
                repository=offer.repository,
            )
        part.rename(path)
    progress(file.size)


def _inside(folder: Path, name: str) -> Path:
    """Names come from the hub: none leads out of the folder. Raises ModelError."""
    if PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts:
        raise ModelError("the hub names a file {name!r}, which is outside", name=name)
    return folder / name


def _read_rest(offer: Offer, file: HubFile, part: Path, progress: Callable[[int], None]) -> None:
    """What is missing of a file; a connection that breaks is opened again."""
    failures = 0
    while (have := part.stat().st_size if part.exists() else 0) < file.size or not part.exists():
        try:
            _read_from(offer, file, part, have, progress)
        except _transport_errors() as error:
            grown = part.exists() and part.stat().st_size > have
            failures = 0 if grown else failures + 1
            if failures >= ATTEMPTS:
                raise ModelError(
                    "{name} of {repository} breaks off: {reason}",
                    "the same command goes on where it stopped",
                    name=file.name,
                    repository=offer.repository,
                    reason=str(error) or type(error).__name__,
                ) from error
        else:
            return


def _read_from(
    offer: Offer, file: HubFile, part: Path, have: int, progress: Callable[[int], None]
) -> None:
    url = huggingface_hub.hf_hub_url(offer.repository, file.name, revision=offer.revision)
    headers = {**build_hf_headers(), "Accept-Encoding": "identity"}
    if have:
        headers["Range"] = f"bytes={have}-"
    with get_session().stream("GET", url, headers=headers, follow_redirects=True) as response:
        response.raise_for_status()
        resumed = response.status_code == 206  # else the server sends all of it again
        have = have if resumed else 0
        with part.open("ab" if resumed else "wb") as out:
            for block in response.iter_bytes():  # as it comes: what was received is kept
                out.write(block)
                have += len(block)
                if have > file.size:  # it may never end; the checksum says that it is wrong
                    return
                progress(have)


def _is_right(path: Path, file: HubFile) -> bool:
    if path.stat().st_size != file.size:
        return False
    if len(file.checksum) == 64:
        digest = hashlib.sha256()
    elif len(file.checksum) == 40:
        digest = hashlib.sha1(b"blob %d\0" % file.size, usedforsecurity=False)
    else:
        return not file.checksum
    with path.open("rb") as content:
        while block := content.read(BLOCK_BYTES):
            digest.update(block)
    return digest.hexdigest() == file.checksum
