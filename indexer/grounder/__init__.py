"""Vision-language models that read windows of a video: LEGO, any behind an endpoint, or Qwen3-VL
kinds from a folder.
"""
