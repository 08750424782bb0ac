"""What an assistant may ask of sasnet: tools over the Model Context Protocol."""
