"""The page at /ask/: HTML rendered on the server, its own style sheet and script, charts as SVG. No other site is
involved.

`render` makes HTML of a view, `chart` makes SVG of a range result, `router` makes both available over HTTP by a
`Backend`: what the page needs of the service.
"""
