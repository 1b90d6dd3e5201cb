"""Pictures of saliency: heat over frames, film strips, differences, frames and regions."""
