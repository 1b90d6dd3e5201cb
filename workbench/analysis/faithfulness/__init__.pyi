from .channels import perturb_channels as perturb_channels
from .judging import judge as judge
from .perturbation import perturb_clips as perturb_clips
from .randomisation import parameter_randomisation as parameter_randomisation
from .results import PerturbationResult as PerturbationResult
from .results import RandomisationResult as RandomisationResult
