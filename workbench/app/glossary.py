"""The words and keys of the app, for the page Help."""

from typing import NamedTuple


class Word(NamedTuple):
    """A word, what it means, and the names that it has elsewhere."""

    word: str
    meaning: str
    also: str = ""


WORDS = (
    Word(
        "activation", "What one place of a network computes for a clip, by name, as issm.X_D or head.embedding.", "feature, layer"
    ),
    Word("branch", "Half of a model that splits: D reads frames of the emotion, S what stays the same. A baseline has one, X."),
    Word("calibrated", "Of the answers given with 80 % confidence, 80 % are right. ECE is the mean distance from that."),
    Word("clip", "The frames of one video that a model reads, with one label.", "sample, video"),
    Word("collection", "What one checkpoint said of all clips of a dataset, and the activations that were kept."),
    Word("confidence", "Probability that a model gives to the class that it names."),
    Word(
        "content R²", "How far the places that a split reads follow the content of the clip; 0: they are the same for all clips."
    ),
    Word("control", "What a measure gives where nothing is to be found (other people's clips), or all (told the truth)."),
    Word("counterfactual", "The same clip with one thing changed: frames frozen, dropped, shuffled; a branch of another clip."),
    Word("disagreement", "Share of pairs of models in view that call a clip differently."),
    Word("donor", "A clip that lends another one its frames, a branch, its face or its scene."),
    Word("ECE", "Expected calibration error: mean distance between confidence and accuracy over bins.", "calibration error"),
    Word("faithful", "Of a map: hiding what it points at changes the answer more than hiding anything else does.", "true map"),
    Word("feature frame", "One step in time of a network's features; usually two clip frames."),
    Word("flip", "A clip that one model gets right and another wrong; under an edit, one that is then called otherwise."),
    Word("fold", "The part of a dataset on which a training is tested, in turn."),
    Word(
        "follows the scene", "How often an answer takes the polarity of a scene that is against the emotion: 0 never, 100 always."
    ),
    Word("interval", "95 %, over persons: what other persons would give. [68.2, 74.5] stands behind the value."),
    Word("ISSM", "Part of IFDD that chooses from which feature frames each branch reads."),
    Word("kappa", "Agreement of two models beyond chance; 0 is chance, 1 is full."),
    Word("LADM", "Part of IFDD that lifts the branches: Y_S is X_S plus an update, Y_D is X_D minus what Y_S predicts."),
    Word("loss", "−log of the probability that a model gives to the true class; 0 is sure and right."),
    Word("margin", "Probability of the true class minus the largest of all others; below 0 the model is wrong."),
    Word("null", "What a measure gives by chance alone; a number means something beside its null."),
    Word(
        "passport", "What a saved figure was made from: checkpoints, clips, command, versions; workbench passport FILE prints it."
    ),
    Word("polarity", "Positive, negative or neutral: what a scene suggests, or an emotion is."),
    Word("probe", "A linear model that tells a factor from an activation; 0 is guessing, 1 is knowing."),
    Word("recall", "Share of the clips of a class that a model gets right."),
    Word("reference", "The model that others are compared with; chosen in the bar above every page."),
    Word("roll-out", "What attention lets flow from each input to the answer; alike for all inputs where it knows nothing."),
    Word("scene", "What is around the face; some models read it as an input of its own.", "context, background"),
    Word("selection", "The clips that all pages show; its conditions stand as chips above every page and in the address."),
    Word("share of the logit", "What of a model's answer each input owes for, if both may be exchanged.", "Shapley value"),
    Word("slice", "Clips that share something: a class, a background, a range of a column."),
    Word(
        "UAR",
        "Mean of the recalls of all classes; rare classes count as much as frequent ones.",
        "balanced accuracy, macro recall",
    ),
    Word("verdict", "Whether maps of a kind passed the tests of workbench faithfulness on this checkpoint; shown as a badge."),
    Word("WAR", "Share of all clips that are right.", "accuracy"),
    Word("X, Y", "Features before (X_S, X_D) and after (Y_S, Y_D) the lift; S static, D dynamic."),
    Word("ρ", "Of a set of drawn clips: how far scenes go with emotions in their polarity, from −1, against, to 1, with."),
)


class Key(NamedTuple):
    """A key, where it works, and what it does."""

    keys: str
    where: str
    does: str


KEYS = (
    Key("← →", "player", "one frame back or on"),
    Key("space", "player", "play, pause"),
    Key("Home End", "player", "first, last frame"),
    Key("Shift + ←, Shift + →", "Clip", "the clip before, the next one, of those that are selected"),
    Key("Tab, Shift + Tab", "everywhere", "to the next control, and back; what has the focus is framed"),
    Key("Enter or space", "button, link, menu", "press it"),
    Key("Esc", "menu, dialog", "close it"),
    Key("Alt + ←, Alt + →", "browser", "to the view before, and on again: each view has its own address"),
    Key("double click", "chart", "show all of it again, and select nothing"),
)
