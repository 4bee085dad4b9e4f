"""A GitHub for tests, demos and people trying a bot by hand: real HTTP, in-memory state, held to GitHub's description."""
