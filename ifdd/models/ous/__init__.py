"""OUS: the scene read beside the face, fused by attention between the two (Mai et al. 2024, arXiv 2405.18769).

Presets differ in these parts, each an argument of a small module (docs/ous.md has the table with what is not known):

- LSTM: over the frames of each stream (`paper`), or over face → scene at each frame (`released`);
- alignment of the streams by a convolution and a linear layer, with L_sim: `paper` alone;
- scene: the mean over frames; `released` has a linear layer behind it;
- Polarity Encoder with L_pol, whose token is fused with face and scene, and L_global: `paper` alone;
- queries of the fusion: one Gaussian set shared by all blocks (`paper`), or ones, a set for each block (`released`).
"""
