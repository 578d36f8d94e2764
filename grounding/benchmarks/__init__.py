"""LEGO on public benchmarks: its answers to records, scored by the metrics of each benchmark."""
