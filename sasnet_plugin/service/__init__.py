"""One engine behind every door: suggestions, values of models, fits, and what is written of them."""
