"""The routes below /ask, one module for each group."""
