"""Pure functions from settings to the text of every file that is deployed. Equal input gives equal bytes."""
