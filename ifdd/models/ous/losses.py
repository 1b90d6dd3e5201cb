"""L_cont, L_sim, L_pol and L_global of OUS."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ifdd.labels import POLARITIES
from ifdd.models.ous.config import OUSConfig
from ifdd.models.ous.model import OUSOutput

SCENE_TEXT, BOTH = 1.0, 0.5
"""Of L_global: β and γ of the released code's first stage, whose α L_sf is L_sim."""


class OUSLoss(nn.Module):
    """The sum of up to four terms, each the mean over clips; targets: class indexes (B,) or probabilities (B, classes).

    `contrastive`, L_cont: cross-entropy of the similarities between a clip and the prompts of all classes; `class_weights`
    (classes,) weigh its terms.
    `similarity`, L_sim: 1 − cos(V_ft, V_st).
    `polarity`, L_pol: cross-entropy of the scene's polarity, for which that of the clip's emotion stands in, of clips whose
    emotion has one.
    `global`, L_global: (1 − cos(V_st, t)) (β + γ (1 − cos(V_ft, V_st))), with t the prompt of the clip's class, on condition that
    the Polarity Encoder finds the scene of the emotion's polarity: a scene that contradicts is not pulled to its word. Where
    there is no Polarity Encoder, of all clips.
    """

    class_weights: Tensor | None
    of_classes: Tensor

    def __init__(self, config: OUSConfig, label_smoothing: float = 0.0) -> None:
        super().__init__()
        parts = config.parts
        self.weights = {
            "similarity": parts.similarity_weight,
            "polarity": parts.polarity_weight,
            "global": parts.global_weight,
        }
        self.label_smoothing = label_smoothing
        self.register_buffer("class_weights", None, persistent=False)
        of_classes = torch.tensor([[float(own == polarity) for polarity in POLARITIES] for own in config.polarities])
        self.register_buffer("of_classes", of_classes, persistent=False)

    def forward(self, output: OUSOutput, target: Tensor) -> dict[str, Tensor]:
        """Return `loss` (the weighted sum), and its terms as they enter it."""
        logits = output.logits.float()
        shares = target.to(logits.dtype) if target.dim() == 2 else F.one_hot(target, logits.shape[1]).to(logits.dtype)
        terms = {
            "contrastive": F.cross_entropy(logits, shares, weight=self.class_weights, label_smoothing=self.label_smoothing),
        }
        found = {"similarity": similarity_loss, "polarity": polarity_loss, "global": global_loss}
        for name, weight in self.weights.items():
            if weight:
                terms[name] = weight * found[name](output, shares, shares @ self.of_classes)
        return {"loss": torch.stack(list(terms.values())).sum(), **terms}


def similarity_loss(output: OUSOutput, shares: Tensor, polarity: Tensor) -> Tensor:
    """L_sim."""
    return _apart(output.V_ft, output.V_st).mean()


def polarity_loss(output: OUSOutput, shares: Tensor, polarity: Tensor) -> Tensor:
    """L_pol; `polarity` (B, 3) sums to less than 1 where a class has none."""
    assert output.polarity is not None
    return -(polarity * output.polarity.float().log_softmax(1)).sum() / polarity.sum().clamp(min=1)


def global_loss(output: OUSOutput, shares: Tensor, polarity: Tensor) -> Tensor:
    """L_global."""
    assert output.V_st is not None
    scenes, texts = F.normalize(output.V_st.float(), dim=1), F.normalize(output.text.float(), dim=1)
    from_text = 1 - (scenes @ texts.T * shares).sum(1)
    each = from_text * (SCENE_TEXT + BOTH * _apart(output.V_ft, output.V_st))
    if output.polarity is not None:
        agrees = output.polarity.argmax(1) == polarity.argmax(1)
        each = each * (agrees & (polarity.sum(1) > 0.5))
    return each.mean()


def _apart(face: Tensor | None, scene: Tensor | None) -> Tensor:
    assert face is not None
    assert scene is not None
    return 1 - F.cosine_similarity(face.float(), scene.float(), dim=1)


def ous_loss(config: OUSConfig, loss: Any) -> OUSLoss:
    """The loss of a model of the ous family, from its configuration and a recipe's section `loss`."""
    return OUSLoss(config, loss.label_smoothing)
