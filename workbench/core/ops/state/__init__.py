"""Operations on variables."""
