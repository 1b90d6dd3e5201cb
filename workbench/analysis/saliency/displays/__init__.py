"""Pictures of saliency: heat over frames, film strips, the player, differences, frames and regions."""
