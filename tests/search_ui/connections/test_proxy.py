"""The sample configurations of reverse proxies: nginx's with the real nginx in front of the real
page, Caddy's as far as Caddy itself is not needed.
"""

from __future__ import annotations

import re
import shutil
import socket
import ssl
import subprocess
import time
from pathlib import Path

import httpx
import pytest
from websockets.sync.client import connect
from websockets.typing import Origin, Subprotocol

from indexer.catalog.people.sign_in_attempts import OF_A_PAIR
from search_ui.auth.sessions import COOKIE
from tests.search_ui.browser import PASSWORD
from tests.support import colour_video, free_port

DEPLOY = Path(__file__).parents[3] / "deploy"
NAME = "videos.example.com"
MAIN = """
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 256; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/seekpoint.conf;
}}
"""


def certificate(folder: Path) -> None:
    """A key and a certificate that nobody vouches for."""
    names = ["-keyout", str(folder / "privkey.pem"), "-out", str(folder / "fullchain.pem")]
    made = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={NAME}"]
    subprocess.run([*made, "-days", "2", *names], check=True, capture_output=True)


@pytest.fixture(scope="module")
def site(pair, tmp_path_factory):
    """Ports of nginx with our configuration in front of a page of two processes."""
    if not shutil.which("nginx") or not shutil.which("openssl"):
        pytest.skip("nginx or openssl is not installed")
    folder = tmp_path_factory.mktemp("nginx")
    folder.chmod(0o755)
    certificate(folder)
    secure, plain = free_port(), free_port()
    text = (DEPLOY / "nginx.conf").read_text()
    for old, new in {
        "listen 443 ssl": f"listen 127.0.0.1:{secure} ssl",
        "listen 80": f"listen 127.0.0.1:{plain}",
        "127.0.0.1:8501": pair.url.removeprefix("http://"),
        "/etc/ssl/seekpoint": str(folder),
    }.items():
        assert old in text
        text = text.replace(old, new)
    (folder / "seekpoint.conf").write_text(text)
    (folder / "nginx.conf").write_text(MAIN.format(folder=folder))
    program = ["nginx", "-c", str(folder / "nginx.conf"), "-g", "daemon off; user root;"]
    server = subprocess.Popen(program)
    try:
        await_port(secure, server)
        yield secure, plain
    finally:
        server.terminate()
        server.wait(20)


def await_port(port: int, server: subprocess.Popen) -> None:
    while True:
        assert server.poll() is None, "nginx ended"
        try:
            socket.create_connection(("127.0.0.1", port), 5).close()
        except OSError:
            time.sleep(0.05)
        else:
            return


@pytest.fixture
def client(site):
    headers = {"Host": f"{NAME}:{site[0]}"}
    base = f"https://127.0.0.1:{site[0]}"
    with httpx.Client(base_url=base, verify=False, headers=headers, timeout=60) as client:
        yield client


def sign_in(client: httpx.Client, password: str = PASSWORD, **headers: str) -> httpx.Response:
    data = {"name": "vera", "password": password}
    return client.post("/sign-in", data=data, headers=headers)


def test_people_sign_in_and_watch(client):
    assert client.get("/healthz").status_code == 200
    answer = sign_in(client)
    assert answer.status_code == 303
    assert "Secure" in answer.headers["set-cookie"]
    part = client.get("/stream/1", headers={"Range": "bytes=0-9"})
    assert (part.status_code, len(part.content)) == (206, 10)
    assert "max-age" in part.headers["strict-transport-security"]


def test_websockets_pass(site, client):
    sign_in(client)
    insecure = ssl.create_default_context()
    insecure.check_hostname, insecure.verify_mode = False, ssl.CERT_NONE
    with connect(
        f"wss://{NAME}:{site[0]}/_stcore/stream",
        sock=socket.create_connection(("127.0.0.1", site[0])),
        ssl=insecure,
        origin=Origin(f"https://{NAME}:{site[0]}"),
        subprotocols=[Subprotocol("streamlit")],
        additional_headers={"Cookie": f"{COOKIE}={client.cookies[COOKIE]}"},
    ) as connection:
        assert connection.subprotocol == "streamlit"


def test_a_guesser_cannot_choose_an_address(client):
    client.cookies.clear()
    forged = {"name": "somebody"}
    codes = [
        client.post(
            "/sign-in",
            data={**forged, "password": f"guess {number}"},
            headers={"X-Forwarded-For": f"203.0.113.{number}", "X-Forwarded-Proto": "http"},
        ).status_code
        for number in range(OF_A_PAIR + 1)
    ]
    assert codes[-1] in (429, 503)


def test_uploads_pass_and_other_bodies_are_small(client, tmp_path):
    sign_in(client)
    video = colour_video(tmp_path / "b.mp4", [("red", 1)]).read_bytes()
    video += (2_000_000).to_bytes(4, "big") + b"free" + bytes(2_000_000 - 8)
    sent = client.post("/upload?collection=c", content=video, headers={"X-File-Name": "b.mp4"})
    assert sent.status_code == 201
    sent = client.post("/api/v1/uploads?collection=c&name=b.mp4", content=video)
    assert sent.status_code == 202
    assert client.post("/api/v1/feedback", content=video).status_code == 413
    assert client.post("/sign-in", content=video).status_code == 413


def test_without_tls_one_is_led_to_it(site):
    answer = httpx.get(f"http://127.0.0.1:{site[1]}/library?a=b", headers={"Host": NAME})
    assert answer.status_code == 308
    assert answer.headers["location"] == f"https://{NAME}/library?a=b"


def test_the_caddyfile_says_the_same():
    text = (DEPLOY / "Caddyfile").read_text()
    assert re.search(r"reverse_proxy 127\.0\.0\.1:8501", text)
    assert text.count("{") == text.count("}")
    for limit in ("max_size 20GB", "max_size 21MB", "read_header 15s", "max_header_size 16KB"):
        assert limit in text
    if shutil.which("caddy"):
        command = ["caddy", "validate", "--config", str(DEPLOY / "Caddyfile")]
        subprocess.run(command, check=True, capture_output=True)
