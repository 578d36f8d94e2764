import pytest

from indexer.formatting import container_title, video_title


def test_the_files_name_is_the_title():
    assert video_title("My Movie 6", "holidays/tides at dawn.mp4", 7) == "tides at dawn"
    assert video_title("Tides", None, 7) == "Tides"
    assert video_title("", None, 7) == "7"


FROM_PROGRAMS = (
    "My Movie 6",
    "IMG_1234",
    "DJI_0042",
    "Untitled project",
    "Sequence 01",
    "2023-04-05 12:33",
    "made with Clipchamp",
    "C0001",
    "HandBrake 1.3",
    "Created with iMovie",
    "tides",
    "clideo.com",
    "https://www.example-tools.io/",
    "",
    None,
    " " * 50_000,
)


@pytest.mark.parametrize("title", FROM_PROGRAMS)
def test_a_title_of_a_program_says_nothing(title):
    assert container_title(title, "tides.mp4") == ""


@pytest.mark.parametrize(
    "title",
    ["The tides of Brittany", "Movie night in Rome", "Project X-ray", "We met on dating.com"],
)
def test_a_title_of_a_person_is_shown(title):
    assert container_title(title, "clip 12.mp4") == title
