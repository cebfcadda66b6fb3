/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Numbers that are no operation of sched_op, vcpu_op and hvm_op. */

#include "guest.h"

static const unsigned int numbers[] = {
    100, 127, 128, 255, 0x10000, 0x7fffffff, 0x80000000, 0xffffffff,
};
#define NR_NUMBERS (sizeof(numbers) / sizeof(numbers[0]))

/* Xen does not read it. */
static unsigned char argument[64];

TEST(sched_op_that_does_not_exist, "")
{
    unsigned int i;

    check_equal(HYPERVISOR_sched_op(SCHEDOP_pin_override + 1, argument),
                -XEN_ENOSYS);
    for (i = 0; i < NR_NUMBERS; i++) {
        check_equal(HYPERVISOR_sched_op(numbers[i], argument), -XEN_ENOSYS);
        check_equal(HYPERVISOR_sched_op(numbers[i], NULL), -XEN_ENOSYS);
    }
}

/* The vCPU has to exist, though. */
TEST(vcpu_op_that_does_not_exist, "")
{
    unsigned int i;

    for (i = 0; i < NR_NUMBERS; i++) {
        check_equal(HYPERVISOR_vcpu_op(numbers[i], 0, argument), -XEN_ENOSYS);
        check_equal(HYPERVISOR_vcpu_op(numbers[i], nr_vcpus, argument),
                    -XEN_ENOENT);
    }
}

TEST(hvm_op_that_does_not_exist, "hvm pvh")
{
    unsigned int i;

    for (i = 0; i < NR_NUMBERS; i++) {
        check_equal(HYPERVISOR_hvm_op(numbers[i], argument), -XEN_ENOSYS);
    }
}
