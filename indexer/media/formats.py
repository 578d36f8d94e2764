"""The formats that are opened, and the names that files of them have.

FFmpeg follows references: a playlist, a concat script or an SDP file named `.mp4` makes it open
other files and addresses. So the demuxers are an allow-list of formats that hold their own samples.
Left out on purpose: hls, dash, concat, sdp, rtsp, image2 and *_pipe (patterns, single pictures),
tty, subtitles, lavfi, playlists, and devices.
"""

from __future__ import annotations

# Each line: names of FFmpeg's demuxer, then suffixes of video files that it reads.
_VIDEO = """
mov mp4 m4a 3gp 3g2 mj2: 3g2 3gp f4v m4v mov mp4 qt
matroska webm: mkv webm
avi: amv avi divx
mpegts: m2t m2ts mts ts
mpeg: mod mpe mpeg mpg ps tod vob
mpegvideo: m1v m2v
flv: flv
asf: asf wmv
ogg: ogm ogv
mxf: mxf
gxf: gxf
rm: rm rmvb
wtv: wtv
dv: dv
nut: nut
nsv: nsv
ivf: ivf
obu av1: obu
h264: h264
hevc: h265 hevc
m4v:
mjpeg: mjpeg mjpg
vc1:
dirac: drc
roq: roq
yuv4mpegpipe: y4m
gif:
"""
_SOUND = "mp3 aac ac3 eac3 flac wav w64 aiff caf amr wv ape tta dts"
_ROWS = [line.partition(":") for line in _VIDEO.split("\n") if line]

DEMUXERS = (*(name for names, _, _ in _ROWS for name in names.split()), *_SOUND.split())
# A folder is searched for these; a file that is named is tried whatever it is called.
VIDEO_SUFFIXES = frozenset(f".{suffix}" for _, _, row in _ROWS for suffix in row.split())
