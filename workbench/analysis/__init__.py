"""One question a file: arrays or a model and clips in, a frozen result out."""
