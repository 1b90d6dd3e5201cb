from .recipes import recipe_differences as recipe_differences
from .results import RecipeDifferences as RecipeDifferences
from .results import RunLog as RunLog
from .results import TrainingResult as TrainingResult
