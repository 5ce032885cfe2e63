"""The image's migrations: loaded once, as a graph, with the bytes that they are made of."""
