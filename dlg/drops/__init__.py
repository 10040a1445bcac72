"""What makes a drop a drop: base classes, parameters, links, and the graph they live in."""
