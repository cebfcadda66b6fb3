/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A guest's balloon driver reads in xenstore how much memory it is to have, as
 * from libxl; QMP's balloon sets that.
 */

#include "hypercalls.h"
#include "balloon.h"
#include "physmap.h"
#include "qapi/error.h"
#include "qapi/qapi-events-machine.h"
#include "qemu/error-report.h"
#include "system/balloon.h"
#include "system/runstate.h"
#include "system/system.h"
#include "hw/xen/interface/io/xs_wire.h"
#include "hw/xen/xen-bus-helper.h"

/* Bytes that the guest is to have, and has as far as QMP knows.  BQL */
static uint64_t target, last_ram;
static bool drives_qmp;
static struct qemu_xs_handle *xenstore;

/* Node memory/@key, in KiB; the guest may read it. */
static void write_node(const char *key, uint64_t size, bool create)
{
    g_autofree char *node = g_strdup_printf("/local/domain/%u/memory/%s",
                                            xen_domid, key);

    if (create) {
        xs_node_create(xenstore, XBT_NULL, node, 0, xen_domid, XS_PERM_READ,
                       &error_abort);
    }
    xs_node_printf(xenstore, XBT_NULL, "", node, &error_abort, "%" PRIu64,
                   size / 1024);
}

static void set_target(void *opaque, ram_addr_t size)
{
    MachineState *ms = opaque;

    target = MIN(size, ms->ram_size);
    write_node("target", target, false);
}

static void get_ram(void *opaque, BalloonInfo *info)
{
    info->actual = xen_physmap_ram();
}

void xen_balloon_changed(void)
{
    uint64_t ram = xen_physmap_ram();

    if (drives_qmp && ram != last_ram) {
        last_ram = ram;
        qapi_event_send_balloon_change(ram);
    }
}

/* After a load or a reset the guest may have more or less than QMP was told last. */
static void vm_changed(void *opaque, bool running, RunState state)
{
    if (running) {
        xen_balloon_changed();
    }
}

/*
 * Xen's PV shim keeps a part of the memory that QEMU does not know of.  Its PV
 * guest would take our sizes for its own, and for ever try to grow to them.
 */
static bool is_shim(MachineState *ms)
{
    g_auto(GStrv) words = g_strsplit(ms->kernel_cmdline ?: "", " ", -1);

    return g_strv_contains((const char *const *)words, "pv-shim");
}

/* With slots, the rest is for DIMMs. */
static bool can_grow(MachineState *ms)
{
    return !ms->ram_slots && ms->maxram_size > ms->ram_size;
}

/* Once there is xenstore, and each device of the command line. */
static void machine_done(Notifier *notifier, void *data)
{
    MachineState *ms = MACHINE(qdev_get_machine());

    if (is_shim(ms)) {
        if (can_grow(ms)) {
            warn_report("a PV guest cannot grow to maxmem: give -m the size "
                        "that it is to have");
        }
        return;
    }
    xenstore = qemu_xen_xs_open();
    if (!target) {
        target = ms->ram_size;
    }
    write_node("static-max", ms->ram_size, true);
    write_node("target", target, true);
    /* A video card's memory is not part of QEMU's -m. */
    write_node("videoram", 0, true);
    if (can_grow(ms)) {
        warn_report("the guest cannot grow to maxmem, as its RAM is "
                    "memory-backend's: give that and -m the larger size, and "
                    "start with the monitor's balloon");
    }
    drives_qmp = !qemu_add_balloon_handler(set_target, get_ram, ms);
    last_ram = xen_physmap_ram();
    qemu_add_vm_change_state_handler(vm_changed, NULL);
    if (!drives_qmp) {
        warn_report("the monitor's balloon is virtio-balloon, so it does not "
                    "drive the guest's Xen balloon");
    }
}

void xen_balloon_set_ram_size(MachineState *ms)
{
    if (can_grow(ms) && !is_shim(ms)) {
        target = ms->ram_size;
        ms->ram_size = ms->maxram_size;
    }
}

void xen_balloon_init(void)
{
    static Notifier notifier = { .notify = machine_done };

    qemu_add_machine_init_done_notifier(&notifier);
}
