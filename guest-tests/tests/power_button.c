/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a guest sees of the host's system_powerdown and xen-shutdown-request, which
 * scripts/test gives to QEMU.
 */

#include "ioapic.h"
#include "port_io.h"
#include "xenstore.h"

#ifdef GUEST_HVM

/* PIIX4's power management: PCI function 3 of device 1, which SeaBIOS sets up. */
#define PM_DEVICE 1
#define PM_FUNCTION 3
#define PM_BASE 0x40
#define PM1_STATUS 0
#define PM1_ENABLE 2
#define PM1_BUTTON (1 << 8)

static uint16_t pm_port(unsigned int offset)
{
    return (pci_read(PM_DEVICE, PM_FUNCTION, PM_BASE) & 0xffc0) + offset;
}

static bool button_was_pressed(void)
{
    return inw(pm_port(PM1_STATUS)) & PM1_BUTTON;
}

static bool request_is(const char *request)
{
    char value[16] = "";

    check(xenstore_read("control/shutdown", value, sizeof(value)) >= 0);
    return same_text(value, request);
}

static void need_commands(void)
{
    if (!command_line_number("commands", 0)) {
        test_skip("QEMU is given no commands");
    }
}

/* A guest that listens to the button gets nothing else. */
TEST(powerdown_by_acpi, "2l alone tcg hvm seconds=60")
{
    need_commands();
    outw(pm_port(PM1_ENABLE), PM1_BUTTON);
    /* The first commands may have come before the guest listened. */
    check_answer(xenstore_write("control/shutdown", ""), "OK");
    check(wait_for(button_was_pressed(), 30000));
    spin_for(100);
    check(request_is(""));
}

TEST(powerdown_by_xenstore, "2l alone tcg hvm seconds=60")
{
    need_commands();
    check(wait_for(request_is("poweroff"), 30000));
    check(!button_was_pressed());
    /* The guest takes it, and is asked again by the next command. */
    check_answer(xenstore_write("control/shutdown", ""), "OK");
    check(wait_for(request_is("poweroff"), 30000));
}

/* After a reset there is nothing left of what the guest has not taken. */
TEST(request_not_taken, "2l alone tcg hvm seconds=60")
{
    char value[16] = "";

    need_commands();
    check(request_is(""));
    if (xenstore_read("data/request", value, sizeof(value)) > 0) {
        return;
    }
    require(wait_for(request_is("reboot"), 30000));
    check_answer(xenstore_write("data/request", "seen"), "OK");
    HYPERVISOR_sched_op(SCHEDOP_shutdown, (&(struct sched_shutdown){
                                              .reason = SHUTDOWN_reboot }));
    check(wait_for(false, 10000));
}

#endif /* GUEST_HVM */
