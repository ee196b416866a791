"""A language model for questions that the deterministic engine does not answer.

It proposes a query and nothing else. What it is sent is masked (`masking`), what it proposes is checked (`proposal`),
and the answer is written from the result by the same code as without a model.
"""
