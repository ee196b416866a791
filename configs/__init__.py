"""What is deployed, free of Pulumi: settings, image pins, and the pure functions that render configurations."""
