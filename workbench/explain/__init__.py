"""One video through everything: class, saliency, split."""
