/* SPDX-License-Identifier: GPL-2.0-or-later */
/* @n operations of thread @t, of each case. */

#ifndef BENCH_RUN_H
#define BENCH_RUN_H

#include "rig.h"

typedef void bench_run(struct bench_thread *t, unsigned int n);

bench_run bench_run_ipi;
bench_run bench_run_ipi_test_guest;
bench_run bench_run_interdomain;
bench_run bench_run_pirq;
bench_run bench_run_virq;
bench_run bench_run_to_host;
bench_run bench_run_pending;
bench_run bench_run_batch;
bench_run bench_run_batch_stride;
bench_run bench_run_mask_send_unmask;
bench_run bench_run_priority_change;
bench_run bench_run_alternate;
bench_run bench_run_six_apart;
bench_run bench_run_far;
bench_run bench_run_own_line;
bench_run bench_run_far_flat;
bench_run bench_run_adjacent_flat;
bench_run bench_run_priorities_flat;
bench_run bench_run_far_acked;
bench_run bench_run_adjacent_acked;
bench_run bench_run_priorities_acked;
bench_run bench_run_same_port_flat;
bench_run bench_run_same_port_pending;
bench_run bench_run_alloc_one_domain;
bench_run bench_run_alloc_own_domain;
bench_run bench_run_virq_and_close;
bench_run bench_run_far_under_alloc;
bench_run bench_run_yardstick;
bench_run bench_run_dependent_yardstick;

#endif /* BENCH_RUN_H */
