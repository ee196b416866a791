"""Row about the assistant, on stacks that have one."""

from __future__ import annotations

from configs.dashboards.model import PER_SECOND, Graph, Query, Row
from configs.rules.ask import JOB
from configs.settings import Settings

_SELECTED = f'{JOB},env=~"$env"'


def rows(settings: Settings) -> tuple[Row, ...]:
    """What it needs, and the questions that it is sent."""
    if settings.hub.ask is None:
        return ()
    components = Graph(
        title="Assistant's components",
        description="1 if the assistant reaches a component, 0 if not.",
        unit="none",
        queries=(Query(expr=f"min by (component) (ask_component_up{{{_SELECTED}}})", legend="{{component}}"),),
    )
    requests = Graph(
        title="Requests to the assistant",
        description="Requests per second of its HTTP service, by status code.",
        unit="reqps",
        no_value="No requests yet",
        queries=(
            Query(
                expr=f"sum by (status) (rate(http_requests_total{{{_SELECTED}}}[$__rate_interval]))",
                legend="{{status}}",
                empty="the assistant has had no request",
            ),
        ),
    )
    made = [Row(title="Assistant", panels=(components, requests))]
    if settings.hub.ask.model:
        made.append(Row(title="Assistant's language model", panels=_model()))
    if settings.hub.ask.embeddings:
        made.append(Row(title="Assistant's embeddings", panels=_embeddings()))
    return tuple(made)


def _model() -> tuple[Graph, ...]:
    """Use, failures and tokens of the language model."""
    questions = Graph(
        title="Questions for the language model",
        description="Questions per second that the model was used for, by result. Accepted: its query was executed.",
        unit=PER_SECOND,
        no_value="Not started with a model yet",
        queries=(_rate("llm_proposals_total", "result"),),
    )
    errors = Graph(
        title="Language model errors",
        description="Failed requests per second to the provider, and requests that were not sent, by the reason.",
        unit=PER_SECOND,
        no_value="Not started with a model yet",
        queries=(_rate("llm_errors_total", "reason"),),
    )
    tokens = Graph(
        title="Language model tokens",
        description="Tokens per second that the provider reports, by direction.",
        unit=PER_SECOND,
        no_value="Not started with a model yet",
        queries=(_rate("llm_token_usage_total", "direction"),),
    )
    return questions, errors, tokens


def _embeddings() -> tuple[Graph, ...]:
    """How far the catalogue is, and failures."""
    texts = Graph(
        title="Embeddings of the catalogue",
        description="Texts of the catalogue by the state of their embedding. Questions use it once none is missing.",
        unit="none",
        no_value="Not started with embeddings yet",
        queries=(
            Query(
                expr=f"max by (state) (embedding_texts{{{_SELECTED}}})",
                legend="{{state}}",
                empty="the assistant has not started with embeddings yet",
            ),
        ),
    )
    errors = Graph(
        title="Embedding errors",
        description="Failed requests per second for embeddings, and those that were not sent, by the reason.",
        unit=PER_SECOND,
        no_value="Not started with embeddings yet",
        queries=(_rate("embedding_errors_total", "reason", "embeddings"),),
    )
    return texts, errors


def _rate(metric: str, label: str, part: str = "its language model") -> Query:
    return Query(
        expr=f"sum by ({label}) (rate({metric}{{{_SELECTED}}}[$__rate_interval]))",
        legend=f"{{{{{label}}}}}",
        empty=f"the assistant has not started with {part} yet",
    )
