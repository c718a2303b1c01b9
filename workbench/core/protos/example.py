"""Examples: the features of one record of a data set.

The notation is that of ``pool.py``.
"""

from __future__ import annotations

TABLE = """
BytesList
    value bytes* 1
FloatList
    value float* 1
Int64List
    value int64* 1
Feature
    bytes_list BytesList 1 @kind, float_list FloatList 2 @kind, int64_list Int64List 3 @kind
Features
    feature string->Feature 1
FeatureList
    feature Feature* 1
FeatureLists
    feature_list string->FeatureList 1
Example
    features Features 1
SequenceExample
    context Features 1, feature_lists FeatureLists 2
"""
