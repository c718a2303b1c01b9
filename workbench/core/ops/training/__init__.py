"""Operations of optimizers: a step of a variable and its slots, dense or by rows."""
