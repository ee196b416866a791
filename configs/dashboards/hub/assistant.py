"""Row about the assistant, on stacks that have one."""

from __future__ import annotations

from configs.dashboards.model import PER_SECOND, Graph, Query, Row
from configs.rules.ask import JOB
from configs.settings import Settings

_NO_QUESTION = "the assistant has had no question"
_NO_EMBEDDINGS = "the assistant has not started with embeddings yet"
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
    sign_ins = Graph(
        title="Sign-ins to the assistant",
        description="Attempts to sign in per second, by result. Limited: refused after too many attempts.",
        unit=PER_SECOND,
        queries=(_always("sum by (result)", "auth_attempts_total", "{{result}}"),),
    )
    made = [
        Row(title="Assistant", panels=(components, requests, sign_ins)),
        Row(title="Assistant's answers", panels=_answers()),
    ]
    if settings.hub.ask.model:
        made.append(Row(title="Assistant's language model", panels=_model()))
    if settings.hub.ask.embeddings:
        made.append(Row(title="Assistant's embeddings", panels=_embeddings()))
    return tuple(made)


def _answers() -> tuple[Graph, ...]:
    """What becomes of questions, and how fast."""
    outcomes = Graph(
        title="Questions to the assistant",
        description="Questions per second by outcome. Abstained: readings were offered instead of an answer.",
        unit=PER_SECOND,
        no_value="No questions yet",
        queries=(_rate("ask_questions_total", "status", _NO_QUESTION),),
    )
    buckets = f"sum by (le, cached) (rate(query_processing_duration_seconds_bucket{{{_SELECTED}}}[$__rate_interval]))"
    duration = Graph(
        title="Time to answer a question",
        description="95th percentile of the time to answer a question, of those from the cache and of others.",
        unit="s",
        no_value="No questions yet",
        queries=(Query(expr=f"histogram_quantile(0.95, {buckets})", legend="cached: {{cached}}", empty=_NO_QUESTION),),
    )
    cache = Graph(
        title="Assistant's cache",
        description="Questions per second that were answered from the cache, and that were not in it.",
        unit=PER_SECOND,
        queries=(
            _always("sum", "query_cache_hits_total", "from the cache"),
            _always("sum", "query_cache_misses_total", "not in the cache"),
        ),
    )
    lost = Graph(
        title="Assistant's jobs and lost history",
        description="Ended jobs per second by their end, and answers that could not be written to the history.",
        unit=PER_SECOND,
        queries=(
            _rate("ask_jobs_total", "state", "the assistant has had no job"),
            _always("sum", "ask_history_lost_total", "missing in the history"),
        ),
    )
    return outcomes, duration, cache, lost


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
                empty=_NO_EMBEDDINGS,
            ),
        ),
    )
    errors = Graph(
        title="Embedding errors",
        description="Failed requests per second for embeddings, and those that were not sent, by the reason.",
        unit=PER_SECOND,
        no_value="Not started with embeddings yet",
        queries=(_rate("embedding_errors_total", "reason", _NO_EMBEDDINGS),),
    )
    return texts, errors


def _always(total: str, metric: str, legend: str) -> Query:
    """A rate of series that exist from the start."""
    return Query(expr=f"{total} (rate({metric}{{{_SELECTED}}}[$__rate_interval]))", legend=legend)


def _rate(metric: str, label: str, empty: str = "the assistant has not started with its language model yet") -> Query:
    return Query(
        expr=f"sum by ({label}) (rate({metric}{{{_SELECTED}}}[$__rate_interval]))",
        legend=f"{{{{{label}}}}}",
        empty=empty,
    )
