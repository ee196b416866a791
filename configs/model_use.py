"""What the assistant's models mean for privacy and cost, for the preview."""

from __future__ import annotations

from configs.settings import Settings


def language_model(settings: Settings) -> str:
    """A sentence, empty without a model."""
    model = settings.hub.ask.model if settings.hub.ask is not None else None
    if model is None:
        return ""
    values = "with the names of" if model.share_label_values else "with pseudonyms for the names of"
    return (
        f"hub.ask.model: questions that the assistant cannot answer by itself are sent to {model.address} "
        f"({model.provider}, {model.name}), with names of metrics and labels, {values} hosts and containers, and never "
        f"with samples or log lines; at most {model.daily_tokens} tokens a day"
    )


def embeddings(settings: Settings) -> str:
    """A sentence, empty without embeddings."""
    found = settings.hub.ask.embeddings if settings.hub.ask is not None else None
    if found is None:
        return ""
    values = "with the names of" if found.share_label_values else "with pseudonyms for the names of"
    return (
        f"hub.ask.embeddings: questions that the assistant's vocabulary leaves uncertain are sent to {found.address} "
        f"({found.provider}, {found.name}), {values} hosts and containers; titles and phrasings of the dashboards once"
    )
