"""What the library says in Chinese: every sentence of its source is known, and none that is no
longer in it.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from string import Formatter

import pytest

import indexer
from indexer.errors import MediaError
from search_ui.strings import LIBRARY, Texts
from search_ui.translation import Translation

ROOT = Path(indexer.__file__).parents[1]
# Of the command line alone.
ELSEWHERE = {
    "indexer/evaluation/compare.py",
    "indexer/evaluation/submissions.py",
    "indexer/evaluation/evaluate.py",
    "indexer/evaluation/ground_truth.py",
    "indexer/admin/accounts.py",
    "indexer/catalog/accounts.py",
}
ELSEWHERE |= {"indexer/admin/export.py", "indexer/settings.py", "indexer/embedders/demo.py"}
# Of the rest of LEGO, whose errors are about shapes and tokens: words of programmers, which a page
# shows as they are.
LEGO = {
    f"grounding/lego/{name}.py"
    for name in ("checkpoint", "config", "shards", "tokenizer", "prompts", "quantize")
}
SAID_BY = re.compile(r"(Error|Timeout|Busy|Died|Elsewhere|Check|_unusable|_broken)$")
SAID_AS = {"purpose", "quality", "how_to_get"}
# Sentences put together from pieces, and words of the operating system and FFmpeg.
PIECES = {
    "no such file or directory",
    "permission denied",
    "no space left on device",
    "is a directory",
    "{} (and {} more chunks)",
}
PIECES |= {
    "No such file or directory",
    "Permission denied",
    "Invalid data found when processing input",
}
PIECES |= {
    "{} packets could not be decoded ({})",
    "{} packets could not be decoded after {} s ({})",
    "{}: there is no such file",
}
PIECES |= {"it vanished while it was read", "it changed while it was read"}
PIECES |= {
    "{} holds no picture that can be decoded: {}",
    "the checkpoint does not fit the model: {}",
}
PIECES |= {"the media root {} is not mapped on this machine: its files are left to other workers"}
PIECES |= {"the media root {} is not mounted at {}: its files are left to other workers"}
PIECES |= {
    "The database {} has tables of revision {}, this version needs {}",
    "The database {} has no tables yet, this version needs {}",
}
PIECES |= {
    "{} vectors, recall@10 {} of all, {} in 1 % selections, {} in 15 % selections",
    "{} GB free in {}",
}
# Nothing but values, or put together from such pieces.
UNSAID = {
    "{}: {}",
    "{} ({})",
    "{}; {}",
    "{}",
    "cannot read {}: {} {}",
    "{} holds no picture that can be decoded{}",
}
UNSAID |= {
    "The database {} {}, this version needs {}",
    "the media root {} {}: its files are left to other workers",
    "ffmpeg",
    "--collection NAME",
}


def modules() -> Iterator[tuple[str, ast.Module]]:
    for path in sorted(
        [*(ROOT / "indexer").rglob("*.py"), *(ROOT / "grounding" / "lego").rglob("*.py")]
    ):
        name = path.relative_to(ROOT).as_posix()
        if (
            name not in ELSEWHERE
            and not name.startswith("indexer/cli/")
            and (name.startswith("indexer/") or name in LEGO)
        ):
            yield name, ast.parse(path.read_text())


def template(node: ast.AST | None) -> str | None:
    """The text of an expression, with `{}` for what is put in."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value.replace("{", "{{").replace("}", "}}")
    if isinstance(node, ast.JoinedStr):
        return "".join(template(value) or "{}" for value in node.values)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return (template(node.left) or "{}") + (template(node.right) or "{}")
    return None


def said() -> dict[str, str]:
    """Sentences in places where the page may come to show them -> the module."""
    found: dict[str, str] = {}
    for name, tree in modules():
        constants = {
            target.id: template(node.value)
            for node in ast.walk(tree)
            if isinstance(node, ast.Assign)
            for target in node.targets
            if isinstance(target, ast.Name)
        }
        for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
            called = getattr(call.func, "id", "") or getattr(call.func, "attr", "")
            values = [word.value for word in call.keywords if word.arg in SAID_AS]
            if SAID_BY.search(called) and called not in (
                "RuntimeError",
                "ValueError",
                "TypeError",
                "EOFError",
                "DBAPIError",
            ):
                values += call.args
            for value in values:
                text = constants.get(value.id) if isinstance(value, ast.Name) else template(value)
                if text and text not in UNSAID:
                    found[text] = name
    return found


def test_every_sentence_of_the_library_is_known():
    assert {text: module for text, module in said().items() if text not in LIBRARY} == {}


def test_every_known_sentence_is_one_of_the_library():
    there = {text for _, tree in modules() for node in ast.walk(tree) if (text := template(node))}
    assert set(LIBRARY) - there - PIECES == set()


@pytest.mark.parametrize("english", LIBRARY)
def test_a_sentence_keeps_its_values(english):
    chinese = LIBRARY[english]
    count = sum(field is not None for _, field, _, _ in Formatter().parse(english))
    values = [f"<{number}>" for number in range(count)]
    if re.search(r"\{\d\}", chinese):
        assert sorted(re.findall(r"\{(\d)\}", chinese)) == [str(number) for number in range(count)]
    assert Texts("zh").said(english.format(*values)) == chinese.format(*values)
    assert Texts("en").said(english.format(*values)) == english.format(*values)
    assert re.search("[一-鿿]", chinese) or not re.search("[a-z]{4} [a-z]{4}", chinese), (
        "not translated"
    )


def test_said():
    said = Texts("zh").said
    error = MediaError("/v/a. b.mp4 is empty (zero bytes)", "Copy it again")
    assert said(str(error)) == "/v/a. b.mp4 为空（零字节）。请重新复制"
    assert (
        said("/v/a.mp4: it changed while it was read. run the same command again")
        == "/v/a.mp4：读取时文件发生了变化。请再次运行同一命令"
    )
    assert said("LEGO cannot be asked this: the question is empty") == "无法这样问 LEGO：问题为空"
    assert (
        said("cannot read /v/x: Permission denied. Check the path and its permissions")
        == "无法读取 /v/x：没有权限。请检查路径及其权限"
    )
    assert said(
        "KeyError: 'x'. this is a defect in Seekpoint or a model: please report it"
    ).endswith("请反馈")
    assert said("speech is empty (zero bytes)") == "speech 为空（零字节）", (
        "a name is no word of ours"
    )
    for unknown in (
        "",
        "Nothing that the library says",
        "a: b",
        "a. b",
        "x" * 5000,
        "{0} {} {x}",
        "%s",
    ):
        assert said(unknown) == unknown


def test_braces_of_a_value_are_its_own():
    assert Translation({"{} is {}": "{1} 是 {0}"}).of("{0} is {}") == "{} 是 {0}"
