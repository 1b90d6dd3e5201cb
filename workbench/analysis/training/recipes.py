"""Recipes side by side: in what do two trainings differ?"""

from collections.abc import Mapping

from ifdd.errors import InputError
from workbench.analysis.training.results import RecipeDifferences

NOT_THERE = "–"


def recipe_differences(recipes: Mapping[str, Mapping[str, str]]) -> RecipeDifferences:
    """Put recipes side by side.

    Args:
        recipes: by name; every value of a recipe as text, by its key with dots.

    Raises:
        InputError: no recipe.

    >>> recipe_differences({"a": {"seed": "0", "ema": "0.99"}, "b": {"seed": "1"}}).different
    ('seed', 'ema')
    """
    if not recipes:
        raise InputError("no recipe given; name at least one run or checkpoint")
    keys = dict.fromkeys(key for recipe in recipes.values() for key in recipe)
    return RecipeDifferences(
        tuple(recipes), {key: tuple(recipe.get(key, NOT_THERE) for recipe in recipes.values()) for key in keys}
    )
