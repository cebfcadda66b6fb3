/* SPDX-License-Identifier: GPL-2.0-or-later */
/* In place of the monitor's: where it finds its memory and the guest's in a test. */

#ifndef PV_MONITOR_MAPPINGS_H
#define PV_MONITOR_MAPPINGS_H

#include <stdint.h>

struct vcpu;

extern struct pv_boot machine_boot;
extern uint8_t *machine_marks;
extern uint64_t *machine_m2p;
/* The vCPU whose processor this thread is. */
extern __thread struct vcpu *machine_vcpu;

#define boot ((const struct pv_boot *)&machine_boot)
#define marks machine_marks
#define m2p machine_m2p
#define this_vcpu() machine_vcpu

/* These three end the test at what is not mapped. */
struct vcpu *vcpu_by_id(unsigned int id);
uint64_t *windows_of(unsigned int id);
void *directmap(uint64_t address);

#endif /* PV_MONITOR_MAPPINGS_H */
