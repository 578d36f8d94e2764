"""Which files beside a video are its subtitles, in which language, and for whom.

Names are those that media servers use: `talk.srt`, `talk.en.vtt`, `talk.de.forced.srt`,
`talk.en.sdh.srt`.
"""

from __future__ import annotations

import os
import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from indexer.media.formats import VIDEO_SUFFIXES

SUFFIXES = (".srt", ".vtt", ".ass", ".ssa")
_ISO_639 = (  # -2 (and the bibliographic codes of old files) to -1
    "ara:ar bul:bg cat:ca ces:cs cze:cs chi:zh zho:zh cmn:zh dan:da deu:de ger:de ell:el gre:el "
    "eng:en est:et fas:fa per:fa fin:fi fra:fr fre:fr heb:he hin:hi hrv:hr hun:hu ind:id ita:it "
    "jpn:ja kor:ko lav:lv lit:lt nld:nl dut:nl nor:no nob:no pol:pl por:pt ron:ro rum:ro rus:ru "
    "slk:sk slo:sk slv:sl spa:es srp:sr swe:sv tha:th tur:tr ukr:uk vie:vi "
)
_ISO = {pair[:3]: pair[4:] for pair in _ISO_639.split()}
_CODE_PAGES = {  # of files that are not UTF-8, by the language in their names
    **dict.fromkeys(
        ["da", "de", "en", "es", "fi", "fr", "id", "it", "nl", "no", "pt", "sv"], "cp1252"
    ),
    **dict.fromkeys(["cs", "hr", "hu", "pl", "ro", "sk", "sl"], "cp1250"),
    **dict.fromkeys(["bg", "ru", "sr", "uk"], "cp1251"),
    "el": "cp1253",
    "tr": "cp1254",
    "he": "cp1255",
    "ar": "cp1256",
}
_FORCED = frozenset({"forced", "foreign", "signs"})
_OTHER_MARKS = frozenset({"sdh", "cc", "hi", "default", "full", "auto", "orig"})


@dataclass(frozen=True, slots=True)
class SideFile:
    """`language` is an ISO 639-1 code or None; `forced`: signs and foreign dialogue alone.

    `may_be_hindi`: the name ends in `hi`, which may also say that it is for people who do not hear.
    """

    path: Path
    language: str | None
    forced: bool
    may_be_hindi: bool

    @property
    def code_page(self) -> str:
        """The encoding of old files in this language; empty where there is no usual one."""
        return _CODE_PAGES.get(self.language or "", "")


def side_files(path: str | os.PathLike[str]) -> list[SideFile]:
    """Those of a video: full ones before forced ones, and in order of their names."""
    video = Path(path)
    try:
        texts, videos = _list_folder(video.parent, video.parent.stat().st_mtime_ns)
    except OSError:  # a folder that may be passed through but not listed
        return []
    stem = _compose(video.stem)
    own = [_describe(p, stem) for p in texts if _belongs(_compose(p.stem), stem, videos)]
    return sorted((one for one in own if one.path.is_file()), key=lambda one: one.forced)


def side_files_changed_s(path: str | os.PathLike[str]) -> float:
    """When the last of the side files came to its place or was written (Unix time); 0 where there
    is none.
    """
    times_s = [0.0]
    for side in side_files(path):
        try:
            status = side.path.stat()
        except OSError:  # removed meanwhile
            continue
        times_s.append(max(status.st_mtime, status.st_ctime))
    return max(times_s)


def language_code(name: str) -> str | None:
    """ISO 639-1 from `en`, `eng`, `en-GB`; None for anything else (`forced`, `und`)."""
    short = re.split(r"[-_]", name[:40].lower())[0]
    return _ISO.get(short, short if short in _ISO.values() else None)


@lru_cache(maxsize=64)
def _list_folder(folder: Path, changed_ns: int) -> tuple[tuple[Path, ...], frozenset[str]]:
    """Files that are called like subtitles, and the stems of all videos; listed once for all videos
    of a folder, until a name changes.
    """
    del changed_ns
    files = sorted(folder.iterdir())
    texts = tuple(p for p in files if p.suffix.lower() in SUFFIXES)
    videos = (p.stem for p in files if p.suffix.lower() in VIDEO_SUFFIXES)
    return texts, frozenset(_compose(stem) for stem in videos)


def _compose(name: str) -> str:
    """Some file systems keep accents as characters of their own."""
    return unicodedata.normalize("NFC", name)


def _belongs(stem: str, video: str, videos: frozenset[str]) -> bool:
    """`talk`, `talk.en`, `talk.en.forced`, `talk.whatever`; not what belongs to another video, such
    as `talk.part2`.
    """
    if stem == video:
        return True
    endings = stem[len(video) + 1 :].split(".")
    if not stem.startswith(video + ".") or any(
        ".".join([video, *endings[:n]]) in videos for n in range(1, len(endings) + 1)
    ):
        return False
    return len(endings) == 1 or all(
        language_code(ending) or ending.lower() in _FORCED | _OTHER_MARKS for ending in endings
    )


def _describe(path: Path, video: str) -> SideFile:
    endings = [ending.lower() for ending in _compose(path.stem)[len(video) + 1 :].split(".")]
    languages = [code for ending in endings if (code := language_code(ending))]
    named = [code for code in languages if code != "hi"]
    language = named[-1] if named else None
    forced = any(ending in _FORCED for ending in endings)
    in_full = "hin" in endings
    if in_full and not named:
        language = "hi"
    return SideFile(path, language, forced, "hi" in endings and language is None)
