"""The image's revisions, and the bytes that they are made of."""
