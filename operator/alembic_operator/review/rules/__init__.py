"""The rules, by family. Each is a function from a statement, step or plan to findings; docs/rules.md describes them."""
