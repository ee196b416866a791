"""The comment of a pull request, made from `pulumi preview --json`. Pure: text in, text out.

A folder holds `<stack>.preview.json` (written by `python -m tools record`) and perhaps `<stack>.policy.json`, a list of
`{"policy": ..., "resource": ..., "message": ..., "level": ...}`; `build` makes one Markdown page of all of it.
"""
