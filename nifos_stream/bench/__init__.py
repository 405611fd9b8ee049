"""How fast is it here: ratios, measured side by side in one run. Each module measures one thing."""
