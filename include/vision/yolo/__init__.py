"""YOLO weights and what computes them: PyTorch, OpenVINO or ONNX Runtime.

Nothing here imports torch or ultralytics (8 seconds, 670 MB) save `torch_backend` and `exporting`.
"""
