"""A folder for each question: arrays, or a model and clips, in; a frozen result out."""
