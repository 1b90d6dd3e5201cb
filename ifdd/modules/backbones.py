"""The backbones by name."""

from ifdd.modules.mvit.mvit import MVIT_SPECS, MViTSpec
from ifdd.modules.resnet3d import RESNET_SPECS, ResNet3DSpec

BACKBONES: dict[str, MViTSpec | ResNet3DSpec] = {**MVIT_SPECS, **RESNET_SPECS}
