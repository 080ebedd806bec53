"""Optical flow between two pictures: frozen estimators behind one interface.

What is made of flow, a network's input or a camera's path, lives elsewhere.
"""

from pointlight.flow.colours import flow_colours
from pointlight.flow.estimators import FLOW_ESTIMATORS, FlowEstimator, find_flow
from pointlight.flow.learned import FLOW_WEIGHTS, LearnedFlow
from pointlight.flow.network import FlowNetwork, FlowNetworkConfig, load_flow_network, save_flow_network
from pointlight.flow.opencv import opencv

__all__ = [
    "FLOW_ESTIMATORS",
    "FLOW_WEIGHTS",
    "FlowEstimator",
    "FlowNetwork",
    "FlowNetworkConfig",
    "LearnedFlow",
    "find_flow",
    "flow_colours",
    "load_flow_network",
    "opencv",
    "save_flow_network",
]
