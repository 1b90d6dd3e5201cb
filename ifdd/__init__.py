"""IFDD: a dynamic facial expression recognition model that splits a clip into what moves and what stays, and its baselines."""

from ifdd import weights
from ifdd.checkpoints import Bundle, load_checkpoint
from ifdd.errors import InputError
from ifdd.models.config import ModelConfig
from ifdd.models.ifdd.model import IFDDOutput, create_model

__all__ = ["Bundle", "IFDDOutput", "InputError", "ModelConfig", "create_model", "load_checkpoint", "weights"]
