"""Videos made into face clips: folders of frames with a track of each, a list, and sheets to look through."""
