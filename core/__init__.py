"""What is true: data, models, statistics, storage and jobs. Never imports Streamlit.

Import direction, left to right: messages, errors, settings → data → clean → features → models → training →
evaluation, spc → anomalies → explain → charts → report → store → serving → jobs → workflows → pages, cli.
`tests/test_architecture.py` fails on the first import that points back.
"""

__version__ = "0.1.0"
