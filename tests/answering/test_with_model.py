"""A language model may reword a question and an answer; it never changes what was found."""

from __future__ import annotations

import json

import pytest

from memory_core.errors import EncodingError, ModelReplyInvalid

from .flat import MUG_NOW, NOW, ns

REWORD = '{"question": "Where is the red mug?"}'


class Scripted:
    """A language model that says what it was told to say, and keeps what it heard."""

    def __init__(self, *replies: str) -> None:
        self.replies = list(replies)
        self.heard: list[str] = []

    def complete(self, messages) -> str:
        self.heard.append(messages[-1]["content"])
        return self.replies.pop(0)


def ask(flat, model, question="dude, my red cup thing??"):
    return flat.ask(question, now_ns=ns(NOW), model=model)


def facts(found):
    return {key: value for key, value in found.to_json().items() if key != "answer"}


def test_good_replies_reword_the_question_and_the_answer(flat):
    found = ask(flat, Scripted(REWORD, '{"answer": "It is on the desk."}'))
    assert found.answer == "It is on the desk."
    assert found.position == pytest.approx(MUG_NOW, abs=0.3)


@pytest.mark.parametrize(
    "lie",
    ['{"answer": "I have no memory of that; it is at (0, 0, 0), value 99."}', '{"answer": "null"}'],
)
def test_a_model_that_lies_changes_no_fact(flat, lie):
    plain = flat.ask("Where is the red mug?", now_ns=ns(NOW))
    assert facts(ask(flat, Scripted(REWORD, lie))) == facts(plain)


def test_facts_in_a_models_reply_are_refused_and_asked_again(flat):
    more = '{"answer": "here", "position": [0, 0, 0], "abstained": true}'
    model = Scripted(REWORD, more, '{"answer": "On the desk."}')
    found = ask(flat, model)
    assert (found.answer, found.abstained) == ("On the desk.", False)
    assert "not valid" in model.heard[-1]


def test_wrong_json_once_is_asked_again(flat):
    model = Scripted("Sure thing!", REWORD, "On", '{"answer": "On the desk."}')
    assert ask(flat, model).answer == "On the desk."
    assert not model.replies


def test_wrong_json_twice_is_an_error(flat):
    with pytest.raises(ModelReplyInvalid):
        ask(flat, Scripted("Sure thing!", "Sure thing!"))
    with pytest.raises(ModelReplyInvalid):
        ask(flat, Scripted(REWORD, "x", "{}"))


def test_an_abstention_stays_one_and_is_not_reworded(flat):
    model = Scripted('{"question": "Where is the elephant?"}', '{"answer": "In the office!"}')
    found = ask(flat, model)
    assert found.abstained
    assert found.answer.startswith("I have no memory of an elephant")
    assert len(model.replies) == 1  # the second reply was never asked for


def test_what_is_remembered_reaches_the_model_as_json_data(flat):
    model = Scripted('{"question": "Who waters the basil?"}', '{"answer": "A woman."}')
    ask(flat, model, 'who"} waters the basil')
    assert json.loads(model.heard[0]) == {"question": 'who"} waters the basil'}
    heard = json.loads(model.heard[1])
    assert set(heard) == {"question", "answer", "value", "unit", "evidence"}
    assert "a woman in a yellow coat waters the basil" in heard["evidence"][0]


def test_a_model_that_fails_is_an_error_of_its_own(flat):
    class Broken:
        def complete(self, messages) -> str:
            raise EncodingError("down")

    with pytest.raises(EncodingError, match="down"):
        ask(flat, Broken())
