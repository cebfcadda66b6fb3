/* SPDX-License-Identifier: GPL-2.0-or-later */
/* HVMOP_get_param and HVMOP_set_param of a guest's own parameters. */

#include "guest.h"

static int set(uint32_t index, uint64_t value)
{
    struct xen_hvm_param param = {
        .domid = DOMID_SELF,
        .index = index,
        .value = value,
    };

    return HYPERVISOR_hvm_op(HVMOP_set_param, &param);
}

static int get(uint32_t index, uint64_t *value)
{
    struct xen_hvm_param param = { .domid = DOMID_SELF, .index = index };
    int error = HYPERVISOR_hvm_op(HVMOP_get_param, &param);

    *value = param.value;
    return error;
}

static void check_kept(uint32_t index, uint64_t value)
{
    uint64_t before, now;

    check_equal(get(index, &before), 0);
    check_equal(set(index, value), 0);
    check_equal(get(index, &now), 0);
    check_equal(now, value);
    check_equal(set(index, before), 0);
    check_equal(get(index, &now), 0);
    check_equal(now, before);
}

TEST(param_callback_irq, "hvm pvh")
{
    uint64_t value, again;

    check_equal(get(HVM_PARAM_CALLBACK_IRQ, &value), 0);
    check_equal(value >> 56, HVM_PARAM_CALLBACK_TYPE_VECTOR);
    check_equal(set(HVM_PARAM_CALLBACK_IRQ, value | 0x5500), 0);
    check_equal(get(HVM_PARAM_CALLBACK_IRQ, &again), 0);
    check_equal(again, value | 0x5500);
    check_equal(set(HVM_PARAM_CALLBACK_IRQ, value), 0);
}

TEST(param_values_kept, "hvm pvh")
{
    check_kept(HVM_PARAM_VM_GENERATION_ID_ADDR, 0x123456789abcull);
    check_kept(HVM_PARAM_STORE_EVTCHN, 77);
    check_kept(HVM_PARAM_CONSOLE_EVTCHN, 78);
    check_kept(HVM_PARAM_X87_FIP_WIDTH, 4);
    check_kept(HVM_PARAM_X87_FIP_WIDTH, 8);
}

TEST(param_values_refused, "hvm pvh")
{
    uint64_t value;

    check_equal(set(HVM_PARAM_X87_FIP_WIDTH, 5), -XEN_EINVAL);
    check_equal(get(HVM_PARAM_X87_FIP_WIDTH, &value), 0);
    check(value == 0 || value == 4 || value == 8);
    check_equal(set(HVM_NR_PARAMS, 0), -XEN_EINVAL);
    check_equal(get(HVM_NR_PARAMS, &value), -XEN_EINVAL);
    /* Old parameters, and those of others. */
    check_equal(set(4, 1), -XEN_EINVAL);
    check_equal(get(26, &value), -XEN_EINVAL);
    check_equal(set(HVM_PARAM_STORE_PFN, 1), -XEN_EPERM);
    check_equal(set(HVM_PARAM_IDENT_PT, 1), -XEN_EPERM);
    check_equal(get(HVM_PARAM_IOREQ_PFN, &value), -XEN_EPERM);
}

/* The size is the upper half, and capped at the largest useful TSS. */
TEST(param_vm86_tss, "hvm pvh")
{
    uint64_t value, sized;

    check_equal(set(HVM_PARAM_VM86_TSS, 0x9000), 0);
    check_equal(get(HVM_PARAM_VM86_TSS, &value), 0);
    check_equal(value, 0x9000);
    check_equal(get(HVM_PARAM_VM86_TSS_SIZED, &sized), 0);
    check_equal(sized, 128ull << 32 | 0x9000);
    check_equal(set(HVM_PARAM_VM86_TSS_SIZED, 0xffffull << 32 | 0x8000), 0);
    check_equal(get(HVM_PARAM_VM86_TSS_SIZED, &sized), 0);
    check_equal(sized, (104ull + 32 + 8192 + 1) << 32 | 0x8000);
    check_equal(get(HVM_PARAM_VM86_TSS, &value), 0);
    check_equal(value, 0x8000);
    check_equal(set(HVM_PARAM_VM86_TSS, 0), 0);
}
