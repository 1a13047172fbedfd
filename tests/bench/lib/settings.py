# SPDX-License-Identifier: MIT
"""How long each thing is measured. FULL takes about an hour and a half, `push` half an hour of it; QUICK shows within two
minutes that everything works, its figures mean nothing."""
import types

VERSIONS = ("3.8", "3.11", "3.12", "3.13", "3.14", "3.15")
MAIN = "3.13"  # the version that figures are for where one is enough

FULL = types.SimpleNamespace(
    quick=False, settle_s=0.3,
    truth_rate=1000, truth_s=100, busy_s=40, generators_s=15, reference_s=15,
    rival_truth_s=5, rival_versions=VERSIONS, pinned_versions=("3.13", "3.15"),
    top_rates=(100000, 1000000), top_s=3, top_reps=5, top_truth_s=10, rival_top_reps=2,
    ladder=(1000, 2000, 5000, 10000, 20000, 50000), ladder_s=10, ladder_pairs=3, ladder_pair_s=3,
    cost_rate=100, cost_s=10, cost_reps=3, rival_cost_s=5, rival_cost_reps=1,
    slow_rates=(100, 1000), slow_pairs=8, slow_s=3, rival_slow_pairs=3,
    memory_s=60, formats_s=20, memory_every_s=5, rival_memory_s=10,
    start_runs=20,
    push_s=1800, push_interval_s=30, push_record_s=30, push_floor_s=60, push_look_s=10, exec_pairs=40,
    native_truth_s=10, native_rival_s=5, native_stops=13, native_matrix_s=3, native_pairs=200, native_toggle_s=0.05,
    native_slow_pairs=4, native_cost_s=10,
)

QUICK = types.SimpleNamespace(
    quick=True, settle_s=0.1,
    truth_rate=1000, truth_s=1, busy_s=0.3, generators_s=0.3, reference_s=0.3,
    rival_truth_s=1, rival_versions=("3.13", "3.15"), pinned_versions=(),
    top_rates=(1000000,), top_s=0.5, top_reps=1, top_truth_s=0.3, rival_top_reps=1,
    ladder=(1000, 10000), ladder_s=0.3, ladder_pairs=1, ladder_pair_s=0.3,
    cost_rate=100, cost_s=1, cost_reps=1, rival_cost_s=1, rival_cost_reps=1,
    slow_rates=(100,), slow_pairs=1, slow_s=0.3, rival_slow_pairs=1,
    memory_s=1, formats_s=1, memory_every_s=0.25, rival_memory_s=1,
    start_runs=2,
    push_s=5, push_interval_s=2, push_record_s=1, push_floor_s=1, push_look_s=0.25, exec_pairs=2,
    native_truth_s=1, native_rival_s=1, native_stops=1, native_matrix_s=0.5, native_pairs=5, native_toggle_s=0.05,
    native_slow_pairs=1, native_cost_s=1,
)
