"""Guard rails that hold whatever a stack file says: pure rules over plain records, and two ways to run them."""
