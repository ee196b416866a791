"""Guard rails that no stack file can break: pure rules over plain records, and two ways to run them."""
