"""A recipe is flat, checked, and resolved beside the weights."""

from __future__ import annotations

import pytest

from cutis.train.config import RECIPE_FOLDERS, TrainConfig, config_text, read_recipe
from cutis.vocabulary.errors import UserError


@pytest.mark.parametrize("name", sorted(path.stem for folder in RECIPE_FOLDERS for path in folder.glob("*.toml")))
def test_every_shipped_recipe_is_read_by_its_name(name):
    """No shipped recipe holds a key that is not known."""
    assert read_recipe(name).epochs > 0


def test_the_papers_recipe_is_b4_at_380_pixels_from_imagenet():
    """What the abstract tells stands in the recipe."""
    config = read_recipe("zhu2021")

    assert (config.network, config.size, config.weights) == ("efficientnet_b4", 380, "imagenet")


def test_an_unknown_key_is_an_error_that_names_the_known_ones(tmp_path):
    """A misspelt knob never silently does nothing."""
    recipe = tmp_path / "mine.toml"
    recipe.write_text("learning_rat = 0.1\n")

    with pytest.raises(UserError, match="learning_rate") as caught:
        read_recipe(str(recipe))

    assert "learning_rat" in caught.value.what
    assert "mine.toml" in caught.value.where


def test_an_impossible_value_names_its_key(tmp_path):
    """The message says which knob to turn."""
    with pytest.raises(UserError, match="epochs"):
        read_recipe("pocket", ("epochs=0",))


def test_settings_override_the_recipe():
    """Every knob is reached by --set, numbers as numbers and words as words."""
    config = read_recipe("pocket", ("epochs=3", "weights=some/file.safetensors", "learning_rate=1e-4"))

    assert (config.epochs, config.weights, config.learning_rate) == (3, "some/file.safetensors", 1e-4)


def test_a_setting_without_a_value_says_how_to_write_it():
    """`--set epochs` is mended by the message."""
    with pytest.raises(UserError, match="key=value"):
        read_recipe("pocket", ("epochs",))


def test_an_unknown_recipe_names_the_shipped_ones():
    """A wrong name shows the right ones."""
    with pytest.raises(UserError, match="pocket"):
        read_recipe("rocket")


def test_a_recipe_of_a_newer_format_is_refused(tmp_path):
    """Nothing is guessed from a file of tomorrow."""
    recipe = tmp_path / "mine.toml"
    recipe.write_text("format = 99\n")

    with pytest.raises(UserError, match="format 99"):
        read_recipe(str(recipe))


def test_the_resolved_recipe_reads_back_as_itself(tmp_path):
    """What lies beside the weights makes the same run again."""
    config = TrainConfig(weights='odd "name"\\.safetensors', learning_rate=3e-4, epochs=7)
    (tmp_path / "config.toml").write_text(config_text(config))

    assert read_recipe(str(tmp_path / "config.toml")) == config
