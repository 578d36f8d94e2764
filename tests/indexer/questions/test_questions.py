import re

import pytest

from indexer.evaluation.ground_truth import load_rows
from indexer.questions.english import third_person
from indexer.questions.statement import read_question

PHRASINGS = [
    ("when does the dog push the skateboard?", "the dog pushes the skateboard"),
    ("When did the dog push the skateboard?", "the dog pushes the skateboard"),
    ("When do the dogs push the skateboard", "the dogs push the skateboard"),
    ("When did the dogs push the skateboard", "the dogs push the skateboard"),
    ("When will the dog push the skateboard?", "the dog pushes the skateboard"),
    ("When is the dog pushing the skateboard?", "the dog is pushing the skateboard"),
    ("When was the dog pushing the skateboard?", "the dog is pushing the skateboard"),
    ("When was the skateboard pushed by the dog?", "the skateboard is pushed by the dog"),
    ("When has the dog pushed the skateboard?", "the dog has pushed the skateboard"),
    ("When doesn't the light work?", "the light does not work"),
    ("when the man leaves the room", "the man leaves the room"),
    ("When's the cake being cut?", "the cake is being cut"),
    ("at what time does the red car drive by?", "the red car drives by"),
    ("what time does the train arrive", "the train arrives"),
    (
        "At which point in the video does the man in the red shirt open and close the door?",
        "the man in the red shirt opens and closes the door",
    ),
    ("in which scene does the old man sit by the fire?", "the old man sits by the fire"),
    ("During what part does it snow?", "it snows"),
    ("where in the video does the rabbit appear?", "the rabbit appears"),
    ("Where does the man put the bottle?", "the man puts the bottle"),
    ("where is the cat?", "the cat"),
    ("where can I see a dragon?", "a dragon"),
    (
        "find the moment where the dog leaps up to catch the ball",
        "the dog leaps up to catch the ball",
    ),
    ("Find me the part of the video where children jump on a bed", "children jump on a bed"),
    ("Show me the scene in which the rabbit stretches", "the rabbit stretches"),
    ("show me all the parts in this video where someone is mopping", "someone is mopping"),
    ("I want to see the moment the dragon flies away", "the dragon flies away"),
    ("jump to the part where he scores", "he scores"),
    ("the part where they kiss", "they kiss"),
    ("every time a goal is scored", "a goal is scored"),
    ("when was the last time a car passed", "a car passed"),
    ("show me a red car", "a red car"),
    ("Could you please show me the clip where two people shake hands?", "two people shake hands"),
    ("I'm looking for a video of a cat sleeping", "a cat sleeping"),
    ("search for people dancing", "people dancing"),
    ("find all scenes with snow", "snow"),
    ("Give me timestamps of the goal", "the goal"),
    ("is there a dog on the beach?", "a dog on the beach"),
    ("Is there any moment where the road is empty?", "the road is empty"),
    ("Are there any people dancing in the video?", "people dancing"),
    ("Does anyone fall down?", "someone falls down"),
    ("does the dragon fly?", "the dragon flies"),
    ("Is the man in the red shirt running?", "the man in the red shirt is running"),
    ("have you seen a bird?", "a bird"),
    ("any dogs?", "dogs"),
    ("who is juggling the ball?", "a person is juggling the ball"),
    ("Who opens the door?", "a person opens the door"),
    ("How does the man open the bottle?", "the man opens the bottle"),
    ("why does the baby cry?", "the baby cries"),
    ("how many dogs are there?", "dogs"),
    ("how long does the man juggle?", "the man juggles"),
    ("what is the man holding?", "the man is holding something"),
    ("What is on the table?", "something on the table"),
    ("What color is the car?", "the car"),
    ("what happens after the car stops?", "what happens after the car stops"),
    ("which car is red?", "the car is red"),
    ("When does the grebe preen its feathers?", "the grebe preens its feathers"),
    ("when does Tom hand Mary the book", "Tom hands Mary the book"),
    ("When does the dog finally catch the ball?", "the dog finally catches the ball"),
    ("When do we see the title Big Buck Bunny?", "the title Big Buck Bunny"),
    ("狗什么时候推滑板？", "狗推滑板"),
    ("红色汽车在什么时候出现", "红色汽车出现"),
    ("什么时候下雪？", "下雪"),
    ("男人在哪一段拖地？", "男人拖地"),
    ("狗狗跳起来接球是在第几秒", "狗狗跳起来接球"),
    ("找出狗推滑板的片段", "狗推滑板"),
    ("请帮我找到小孩在床上跳的那一段", "小孩在床上跳"),
    ("给我看一条龙在天空飞的画面", "一条龙在天空飞"),
    ("我想看黑猩猩喝水的视频", "黑猩猩喝水"),
    ("有没有一只猫？", "一只猫"),
    ("视频里有没有人跳舞", "人跳舞"),
    ("谁在跳舞", "有人跳舞"),
    ("影片裡什麼時候出現狗", "出現狗"),
    ("¿Cuándo salta el perro?", "salta el perro"),
    ("Wann springt der Hund?", "springt der Hund"),
]
STATEMENTS = [
    "dog",
    "a red car drives by",
    "show jumping",
    "time lapse of a red flower opening",
    "一个男人在草地上颠球",
    "穿红色衣服的女人",
    "Where's Wally",
]


@pytest.mark.parametrize(("text", "caption"), PHRASINGS)
def test_questions_become_statements(text, caption):
    question = read_question(text)
    assert question.caption == caption
    assert question.text == text


@pytest.mark.parametrize("text", STATEMENTS[:-1])
def test_statements_stay(text):
    assert read_question(text).caption == text


@pytest.mark.parametrize(("text", "caption"), PHRASINGS)
def test_a_caption_is_its_own_caption(text, caption):
    if not caption.startswith("what "):
        assert read_question(caption).caption == caption


@pytest.mark.parametrize(
    ("text", "hint", "words", "phrases"),
    [
        ('when does she say "hello world"?', "speech", "hello world", ("hello world",)),
        ("When does she say that we need more money?", "speech", "we need more money", ()),
        ("when do they talk about climate change", "speech", "climate change", ()),
        ("When is the budget mentioned?", "speech", "the budget", ()),
        ("她什么时候说到预算", "speech", "预算", ()),
        ("When does the sign read STOP?", "screen", "STOP", ()),
        ("the sign that says “EXIT”", "screen", "EXIT", ("EXIT",)),
        ("revenue chart on the slide", "screen", "revenue chart", ()),
        (
            "text saying The Peach Open Movie Project presents",
            "screen",
            "The Peach Open Movie Project presents",
            (),
        ),
        ("屏幕上写着「再见」的时候", "screen", "再见", ("再见",)),
        ("a man reads a newspaper", "", "a man reads a newspaper", ()),
        ("two people talk in a kitchen", "", "two people talk in a kitchen", ()),
        ("the dog's owner and the cat's owner", "", "the dog's owner and the cat's owner", ()),
    ],
)
def test_steering(text, hint, words, phrases):
    question = read_question(text)
    assert (question.hint, question.words, question.phrases) == (hint, words, phrases)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "?",
        "when",
        "when does",
        "does",
        "who",
        "what",
        "is there",
        "show me",
        "什么时候",
        "有没有",
        "找",
        "“”",
        "is not",
        "does not",
    ],
)
def test_fragments_give_a_caption_without_error(text):
    assert read_question(text).caption == text.strip().rstrip("?") or read_question(text).caption


def test_statements_of_real_annotations_stay(test_data):
    """Nearly all of what people write as a description must come through untouched."""
    ours = load_rows(test_data / "ground_truth.jsonl")
    assert [row.query for row in ours if read_question(row.query).caption != row.query] == []
    described = {
        re.sub(r"\s+", " ", row.query).strip().rstrip(".!?,; ")
        for row in load_rows(test_data / "annotations" / "charades_sta_test.txt")
    }
    changed = [text for text in described if read_question(text).caption != text]
    assert len(changed) <= 0.002 * len(described)


def test_questions_made_of_real_descriptions_come_back(test_data):
    """`person opens the door` -> `when does the person open the door?` -> `the person opens the
    door`, for the annotations in that form.
    """
    tried = wrong = 0
    for row in load_rows(test_data / "annotations" / "charades_sta_test.txt"):
        match = re.fullmatch(r"(?:the |a )?person (\w+[^s])(e?s) (the [\w ]+)\.?", row.query)
        base = match and (
            match[1] if third_person(match[1]) == match[1] + match[2] else match[1] + "e"
        )
        if not match or not base or third_person(base) != match[1] + match[2]:
            continue
        tried += 1
        wrong += (
            read_question(f"When does the person {base} {match[3]}?").caption
            != f"the person {match[1]}{match[2]} {match[3]}"
        )
    assert tried > 300
    assert wrong <= 0.03 * tried
