"""Optical flow between two pictures: frozen estimators behind one interface.

What is made of flow, a network's input or a camera's path, lives elsewhere.
"""

from pointlight.flow.estimators import FLOW_ESTIMATORS, FlowEstimator, find_flow

__all__ = ["FLOW_ESTIMATORS", "FlowEstimator", "find_flow"]
