"""Seeded faults and healthy networks: is the cause named, is nothing said of what is healthy, is the fault mended?

Every run is a plain PyTorch loop, watched by `liebig.watch`, and asked twice: *passive*, with nothing but the model, the
optimizer and what is logged once an epoch; and *with data*, after `probe()`. The same runs, unwatched, are shown to the
published rules of AutoTrainer, UMLAUT, SageMaker Debugger and DeepDiagnosis. Ends with one line of JSON (fractions).
"""

from fault_benchmark.main import main

if __name__ == "__main__":
    main()
