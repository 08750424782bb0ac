"""Tables of what simulated measurements are drawn from, made from the code that draws them."""
