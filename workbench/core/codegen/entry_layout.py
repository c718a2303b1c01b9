"""Where things stand in the memory that an entry and Python share, in words of 64 bits."""

from __future__ import annotations

#: What all entries of the process share: objects of the interpreter and functions of others.
RUNTIME = {
    "NOT_IMPLEMENTED": 0,
    "ELLIPSIS": 1,
    "NONE": 2,
    "ARRAY_TYPE": 3,
    "FLOAT_TYPE": 4,
    "LIST_TYPE": 5,
    "TUPLE_TYPE": 6,
    "DICT_TYPE": 7,
    # NumPy's functions that make an array and a scalar; the driver's that runs records.
    "EMPTY": 8,
    "SCALAR": 9,
    "EXECUTE": 10,
    "FALSE": 11,
    "TRUE": 12,
}

RUNTIME_WORDS = 16

CONTEXT = {
    "RUNTIME_AT": 0,
    "TABLE": 1,
    "POOL": 2,
    "RECORD_COUNT": 3,
    "THREAD_COUNT": 4,
    # Not 0: the interpreter goes on meanwhile.
    "RELEASE": 5,
    # How many values come with a call.
    "VALUE_COUNT": 6,
    "FEED_COUNT": 7,
    "FEED_LIST": 8,
    "RESULT_COUNT": 9,
    "RESULT_LIST": 10,
    # What a call returns: 0 one object, 1 a list, 2 a tuple; of which results (-1 for None).
    "STRUCTURE": 11,
    "ITEM_COUNT": 12,
    "ITEM_LIST": 13,
    # What is locked meanwhile: the methods that take a lock and give it back, pairs of words.
    "LOCK_COUNT": 14,
    "LOCK_LIST": 15,
    # For a front: 0 one object, 1 a list, 2 a tuple; the objects, and the keys of the feeds.
    "FETCH_KIND": 16,
    "FETCH_COUNT": 17,
    "FETCH_LIST": 18,
    "KEY_LIST": 19,
    # The front to ask next, or 0.
    "FOLLOWING": 20,
}

CONTEXT_WORDS = 24

FEED_WORDS = 24

FEED = {
    # Which of the call's values it is; or -1, and where the object's address is found.
    "VALUE_NUMBER": 0,
    "HOLDER": 1,
    # The type of its NumPy scalars, or 0; and where in them the number is.
    "SCALAR_TYPE": 2,
    "SCALAR_OFFSET": 3,
    # Bytes of a float that a Python float is converted to, 0 if it is not; and where to.
    "FLOAT_BYTES": 4,
    "STORAGE": 5,
    # What an array must be like.
    "DESCRIPTION": 6,
    "TYPE_NUMBER": 7,
    "DIMENSION_COUNT": 8,
    "DIMENSION_LIST": 9,
    "REQUIRED_FLAGS": 10,
    "ALIGNMENT_MASK": 11,
    # The places that hold the address of the elements, and how far from the first: pairs of words.
    "PATCH_COUNT": 12,
    "PATCH_LIST": 13,
    # The object, during a call.
    "HELD": 14,
}

RESULT_WORDS = 16

RESULT = {
    # 0 a NumPy scalar, read from an address after the run; 1 an array, made before it.
    "RESULT_KIND": 0,
    "RESULT_DESCRIPTION": 1,
    "RESULT_ADDRESS": 2,
    "RESULT_DIMENSION_COUNT": 3,
    "RESULT_DIMENSION_LIST": 4,
    "RESULT_PATCH_COUNT": 5,
    "RESULT_PATCH_LIST": 6,
    # A scalar's type, its bytes and where it has them, if it can be made without NumPy's help; the
    # function that allocates one.
    "RESULT_TYPE": 9,
    "RESULT_BYTES": 10,
    "RESULT_OFFSET": 11,
    "ALLOCATE": 12,
    # Where the object's address is put after a run that succeeded, or 0.
    "DESTINATION": 7,
    "RESULT_OBJECT": 8,
    # The array that is the result of every run, or 0 where each makes a new one.
    "STANDING": 13,
}

#: How many feeds a front can have.
MOST_VALUES = 64

#: Offsets in bytes in objects of the interpreter and of NumPy; `python_layout` verifies them.
OBJECT = {
    "TYPE_OFFSET": 8,
    "DATA_OFFSET": 16,
    "NDIM_OFFSET": 24,
    "SHAPE_OFFSET": 32,
    "DESCRIPTION_OFFSET": 56,
    "FLAGS_OFFSET": 64,
    "BYTE_ORDER_OFFSET": 26,
    "TYPE_NUMBER_OFFSET": 28,
}
