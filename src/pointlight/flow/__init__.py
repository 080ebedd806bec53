"""Optical flow between two pictures: frozen estimators behind one interface."""

from pointlight.flow.estimators import FLOW_ESTIMATORS, FlowEstimator, find_flow

__all__ = ["FLOW_ESTIMATORS", "FlowEstimator", "find_flow"]
