from pathlib import Path

import pytest

from nifos_stream.errors import UserError
from nifos_stream.training import corpus, dataset, recipe

ROWS = [
    corpus.Row("a", 0, "blog"),
    corpus.Row("b", 1, "sns"),
    corpus.Row("c", 2, "sns"),
    corpus.Row("d", 2, "sns"),
]


def test_the_recipe_has_the_numbers_of_the_institute():
    made = recipe.Recipe("base")
    assert (made.max_length, made.dropout, made.learning_rate, made.batch_size) == (60, 0.2, 5e-6, 128)
    assert (made.epochs, made.patience, made.stop_on, made.seed) == (50, 3, "accuracy", 42)


def test_balanced_weights_let_each_label_matter_as_much():
    weights = recipe.balanced(ROWS)
    assert [round(weight * rows, 3) for weight, rows in zip(weights, (1, 1, 2), strict=True)] == [1.333] * 3
    assert recipe.balanced(ROWS[1:2]) == (1.0, 1.0, 1.0)


def test_a_row_weighs_what_its_label_and_its_source_say():
    made = recipe.Recipe(
        "base",
        class_weights=recipe.class_weights({"부정": 2, "positive": 0.5}, dataset.WORDS),
        source_weights={"blog": 3.0},
    )
    assert made.weights_of(ROWS) == [6.0, 1.0, 0.5, 0.5]


def test_a_source_or_label_that_is_not_there_is_refused():
    with pytest.raises(UserError, match="sources are blog, sns"):
        recipe.Recipe("base", source_weights={"bolg": 2.0}).weights_of(ROWS)
    with pytest.raises(UserError, match="is not one of"):
        recipe.class_weights({"기쁨": 2.0}, dataset.WORDS)


def test_another_recipe_cannot_go_on_with_a_training(tmp_path: Path):
    path = tmp_path / "model" / "checkpoints" / "started.json"
    assert recipe.remembered(path) is None
    recipe.remember(path, recipe.Recipe("base").as_dict())
    recipe.remember(path, recipe.Recipe("base").as_dict())
    assert recipe.remembered(path) == recipe.Recipe("base").as_dict()
    with pytest.raises(UserError, match=r"learning_rate was 5e-06 and is 0\.001.*--restart"):
        recipe.remember(path, recipe.Recipe("base", learning_rate=1e-3).as_dict())
