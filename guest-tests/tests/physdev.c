/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * HYPERVISOR_physdev_op on PIRQs that stand for an emulated interrupt: Linux makes
 * these calls for each of its interrupts.
 */

#include "ports.h"

#define GSI 20 /* nothing is wired to it */

static int map_gsi(int gsi, int *pirq)
{
    struct physdev_map_pirq map = {
        .domid = DOMID_SELF,
        .type = MAP_PIRQ_TYPE_GSI,
        .index = gsi,
        .pirq = *pirq,
    };
    int error = HYPERVISOR_physdev_op(PHYSDEVOP_map_pirq, &map);

    *pirq = map.pirq;
    return error;
}

static int unmap(int pirq)
{
    struct physdev_unmap_pirq unmap = { .domid = DOMID_SELF, .pirq = pirq };

    return HYPERVISOR_physdev_op(PHYSDEVOP_unmap_pirq, &unmap);
}

static int eoi(uint32_t pirq)
{
    struct physdev_eoi eoi = { .irq = pirq };

    return HYPERVISOR_physdev_op(PHYSDEVOP_eoi, &eoi);
}

/* -errno, or the flags. */
static int query(uint32_t pirq)
{
    struct physdev_irq_status_query query = { .irq = pirq, .flags = 0xff };
    int error = HYPERVISOR_physdev_op(PHYSDEVOP_irq_status_query, &query);

    return error ? error : (int)query.flags;
}

static int bind_pirq(uint32_t pirq)
{
    struct evtchn_bind_pirq bind = { .pirq = pirq };

    return HYPERVISOR_event_channel_op(EVTCHNOP_bind_pirq, &bind);
}

TEST(pirq_mapped_to_a_gsi, "hvm")
{
    int pirq = -1, again = -1;

    check_equal(map_gsi(GSI, &pirq), 0);
    /* Numbers below 16 are the ISA interrupts'. */
    check(pirq >= 16);
    check_equal(query(pirq), XENIRQSTAT_needs_eoi);
    check_equal(eoi(pirq), 0);
    check_equal(bind_pirq(pirq), 0);
    check_equal(eoi(pirq), 0);
    again = pirq;
    check_equal(map_gsi(GSI, &again), 0);
    check_equal(again, pirq);
    check_equal(unmap(pirq), 0);
    check_equal(query(pirq), -XEN_EINVAL);
    /* The PIRQ is still bound. */
    check_equal(eoi(pirq), 0);
}

TEST(pirq_that_is_not_mapped, "hvm")
{
    static const uint32_t numbers[] = {
        17, 23, 0x10000, 0x7fffffff, 0x80000000, 0xffffffff,
    };
    unsigned int i;

    for (i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        check_equal(eoi(numbers[i]), -XEN_EINVAL);
        check_equal(query(numbers[i]), -XEN_EINVAL);
        check_equal(unmap(numbers[i]), 0);
    }
}

TEST(pirq_bound_and_not_mapped, "hvm")
{
    check_equal(bind_pirq(FREE_PIRQ), 0);
    check_equal(query(FREE_PIRQ), -XEN_EINVAL);
    check_equal(eoi(FREE_PIRQ), 0);
    check_equal(unmap(FREE_PIRQ), 0);
}

TEST(pirq_that_cannot_be_mapped, "hvm")
{
    static const int numbers[] = { -1, -2, 0x10000, 0x7fffffff };
    unsigned int i;
    int pirq;

    for (i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        pirq = -1;
        check_equal(map_gsi(numbers[i], &pirq), -XEN_EINVAL);
    }
    for (pirq = 0x10000; pirq > 0; pirq <<= 14) {
        check_equal(map_gsi(GSI, &pirq), -XEN_EINVAL);
    }
}

TEST(pirq_free_for_an_msi, "hvm")
{
    struct physdev_get_free_pirq one = { .type = MAP_PIRQ_TYPE_MSI };
    struct physdev_get_free_pirq other = one;

    check_equal(HYPERVISOR_physdev_op(PHYSDEVOP_get_free_pirq, &one), 0);
    check_equal(HYPERVISOR_physdev_op(PHYSDEVOP_get_free_pirq, &other), 0);
    /* Xen allocates PIRQs from the highest number down. */
    check_equal(other.pirq, one.pirq - 1);
    check_equal(query(one.pirq), -XEN_EINVAL);
    check_equal(eoi(one.pirq), 0);
    unmap(one.pirq);
    unmap(other.pirq);
}

/* A PIRQ that has a GSI gets another: Xen returns 0, but keeps the first. */
TEST(pirq_mapped_to_another_gsi, "hvm")
{
    int pirq = -1;

    check_equal(map_gsi(GSI, &pirq), 0);
    check_equal(map_gsi(GSI + 1, &pirq), host_is_xen() ? 0 : -XEN_EBUSY);
    check_equal(unmap(pirq), 0);
    check_equal(query(pirq), -XEN_EINVAL);
}

TEST(pirq_argument_that_is_not_memory, "hvm")
{
    static const unsigned char operations[] = {
        PHYSDEVOP_eoi,        PHYSDEVOP_irq_status_query, PHYSDEVOP_map_pirq,
        PHYSDEVOP_unmap_pirq, PHYSDEVOP_get_free_pirq,
    };
    unsigned int i;

    for (i = 0; i < sizeof(operations); i++) {
        check_equal(HYPERVISOR_physdev_op(operations[i], (void *)0xe0000000),
                    -XEN_EFAULT);
    }
}
