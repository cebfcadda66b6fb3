/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A host, its clock, and what its threads have used so far. */

#ifndef TESTS_PLACEMENT_RIG_H
#define TESTS_PLACEMENT_RIG_H

#include "hosts.h"

#define RIG_BEGIN (1000 * PLACE_SECOND)

struct rig {
    struct place_host *h;
    uint64_t now;
    struct place_sample used[192];
};

/* In PLACE_BALANCE; the shape is that of struct shape. */
struct rig *rig_new(uint32_t nodes, uint32_t llcs, uint32_t cores,
                    uint32_t threads, uint32_t isolated);
/* After a last check of its indexes. */
void rig_free(struct rig *r);
/* A VM with its vCPUs, or PLACE_NONE; @v may be NULL. */
uint32_t rig_add(struct rig *r, uint32_t vcpus, uint64_t memory,
                 enum place_policy policy, struct place_verdict *v);
/* A window in which each of a VM's threads used and waited so much. */
void rig_use(struct rig *r, uint32_t vm, uint32_t run_ms, uint32_t delay_ms);
/* The window ends, and with 64 changes at most there is a plan. */
size_t rig_plan(struct rig *r, struct place_change *change);
uint32_t rig_cage_of(const struct rig *r, uint32_t vm);
void rig_assert_cpus(const struct rig *r, uint32_t cage, const char *cpus);

#endif /* TESTS_PLACEMENT_RIG_H */
