"""Operations on numbers of few bits."""
