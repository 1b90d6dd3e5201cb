from . import weights as weights
from .checkpoints import Bundle as Bundle
from .checkpoints import load_checkpoint as load_checkpoint
from .errors import InputError as InputError
from .models.base import IFDDOutput as IFDDOutput
from .models.config import ModelConfig as ModelConfig
from .models.families import create_model as create_model
