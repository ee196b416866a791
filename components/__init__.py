"""ComponentResources: the only code that makes resources. Settings come in checked, configurations come in rendered."""
