"""A GitHub for tests, demos and people trying a bot by hand: real HTTP, state in memory, held to its description."""
