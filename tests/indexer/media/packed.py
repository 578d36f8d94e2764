"""AVI with packed B-frames, as DivX 5 wrote it: a packet holds a picture and the one that is shown
before it, the next packet nothing. ffmpeg only unpacks them (mpeg4_unpack_bframes), so they are
packed here.
"""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av

_PICTURE = b"\0\0\1\xb6"
_USER_DATA = b"\0\0\1\xb2"
_PACKED = b"DivX503b1393p"  # the last letter says so
_I, _B = 0, 2
_NOTHING = _PICTURE + b"\x50\x5f"  # a picture that is not coded


def pack_b_frames(source: Path, path: Path, rate: int = 25) -> None:
    """`source` is MPEG-4 with at most one B-frame between two others."""
    with av.open(str(source)) as read, av.open(str(path), "w") as written:
        stream = read.streams.video[0]
        out = written.add_stream_from_template(stream)
        out.time_base = Fraction(1, rate)
        coded = [_as_divx(bytes(packet)) for packet in read.demux(stream) if packet.size]
        for number, data in enumerate(_packed(coded)):
            packet = av.Packet(data)
            packet.stream, packet.time_base = out, Fraction(1, rate)
            packet.pts = packet.dts = number
            packet.is_keyframe = _kind(data) == _I
            written.mux(packet)
    path.write_bytes(path.read_bytes().replace(b"FMP4", b"DX50"))


def _packed(coded: list[bytes]) -> list[bytes]:
    packets: list[bytes] = []
    waiting = iter([*coded, b""])
    data = next(waiting)
    while data:
        following = next(waiting)
        if following and _kind(following) == _B:
            packets += [data + following, _NOTHING]
            following = next(waiting)
        else:
            packets.append(data)
        data = following
    return packets


def _kind(data: bytes) -> int:
    return data[data.index(_PICTURE) + len(_PICTURE)] >> 6


def _as_divx(data: bytes) -> bytes:
    """With the name of DivX's encoder in place of that of FFmpeg's."""
    begin = data.find(_USER_DATA)
    if begin < 0:
        return data
    end = data.index(b"\0\0\1", begin + 4)
    return data[:begin] + _USER_DATA + _PACKED + data[end:]
