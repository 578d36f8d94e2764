import io
import threading

from PIL import Image

from indexer.media.decode import reader_process
from indexer.questions.query_pictures import keep_picture, read_picture
from indexer.settings import load_settings


def test_two_pictures_are_decoded_at_once(tmp_path, monkeypatch):
    settings = load_settings(home=tmp_path)
    running, most, lock = 0, 0, threading.Lock()
    plain = reader_process.small_picture_in_process

    def counted(data: bytes, side: int) -> bytes:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        try:
            return plain(data, side)
        finally:
            with lock:
                running -= 1

    monkeypatch.setattr(reader_process, "small_picture_in_process", counted)
    names: list[str] = []

    def keep(red: int) -> None:
        out = io.BytesIO()
        Image.new("RGB", (800, 600), (red, 0, 0)).save(out, "JPEG")
        names.append(keep_picture(settings, out.getvalue()))

    threads = [threading.Thread(target=keep, args=(40 * number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most <= 2
    assert len(set(names)) == 6
    assert all(read_picture(settings, name).shape == (480, 640, 3) for name in names)
