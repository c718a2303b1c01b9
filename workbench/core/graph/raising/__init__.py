"""From raw control flow to the functional form: frames become While, Switch and Merge become If."""
