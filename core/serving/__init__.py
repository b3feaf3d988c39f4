"""From a bundle on disk to scores, without TensorFlow: ONNX Runtime and NumPy only."""

from core.serving.bundle import Bundle, fingerprint, load_bundle, write_bundle
from core.serving.manifest import FORMAT_VERSION, IntervalFacts, Manifest

__all__ = ["FORMAT_VERSION", "Bundle", "IntervalFacts", "Manifest", "fingerprint", "load_bundle", "write_bundle"]
