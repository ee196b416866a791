"""What the assistant's models mean for privacy and cost, for the preview."""

from __future__ import annotations

from configs.settings import Settings
from configs.settings.ask import AskEmbeddings, AskModel


def language_model(settings: Settings) -> str:
    """A sentence, empty without a model."""
    model = settings.hub.ask.model if settings.hub.ask is not None else None
    if model is None:
        return ""
    return (
        f"hub.ask.model: questions that the assistant cannot answer by itself are sent to {model.address} "
        f"({model.provider}, {model.name}), with names of metrics and labels, {_hosts(model)}, and never "
        f"with samples or log lines; at most {model.daily_tokens} tokens a day"
    )


def embeddings(settings: Settings) -> str:
    """A sentence, empty without embeddings."""
    found = settings.hub.ask.embeddings if settings.hub.ask is not None else None
    if found is None:
        return ""
    return (
        f"hub.ask.embeddings: questions that the assistant's vocabulary leaves uncertain are sent to {found.address} "
        f"({found.provider}, {found.name}), {_hosts(found)}; titles and phrasings of the dashboards once"
    )


def _hosts(provider: AskModel | AskEmbeddings) -> str:
    """How hosts and containers are named to it."""
    names = "the names" if provider.share_label_values else "pseudonyms for the names"
    return f"with {names} of hosts and containers"
